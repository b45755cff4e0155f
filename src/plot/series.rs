//! A column against layer-time: one line a replica, or where these are too many the regions in which most of them are; their mean,
//! and what the limit has.

use std::sync::LazyLock;

use plotters::backend::DrawingBackend;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::{Color, RGBAColor, ShapeStyle};

use super::axis::{Axis, Scale};
use super::canvas::{Area, Heading, MARGIN, Painted, Picture, WIDTH};
use super::legend::{self, Mark};
pub(super) use super::spread::Polyline;
use super::spread::{self, Region};
use super::{frame, palette};
use crate::observables::{Curve, Hue, Quantity};

/// Every quantity that has a picture, if its column is there.
pub(super) static CURVES: LazyLock<Vec<&'static Curve>> = LazyLock::new(|| {
    let curve = |quantity: &Quantity| quantity.observable().definition().curve.as_ref();
    let mut curves: Vec<&Curve> = Quantity::ALL.iter().filter_map(curve).collect();
    curves.sort_by_key(|curve| curve.rank);
    curves
});

pub(super) struct Series {
    pub(super) heading: Heading,
    /// Its column, and the name of its files.
    pub(super) name: String,
    pub(super) label: String,
    pub(super) hue: Hue,
    /// One line a replica.
    pub(super) lines: Vec<Polyline>,
    /// The same in the limit, if that was measured.
    pub(super) limit: Option<Polyline>,
}

/// Replicas that have a line each.
const MOST_LINES: usize = 256;
/// Dashes of the limit, over the whole width.
const DASHES: usize = 40;

/// Pens for a replica and for what matters most.
const THIN: u32 = 6;
const BOLD: u32 = 14;
/// The sample of a region in the legend.
const REGION: u32 = 40;
/// Shares of the replicas in the regions that are drawn where there are too many for lines.
const SHARES: [f64; 2] = [0.9, 0.5];
const LIMIT: ShapeStyle = ShapeStyle {
    color: RGBAColor(palette::INK.0, palette::INK.1, palette::INK.2, 1.0),
    filled: false,
    stroke_width: 10,
};

impl Picture for Series {
    fn name(&self) -> &str {
        &self.name
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        let (regions, strokes) = (self.regions(), self.strokes());
        let edges = regions.iter().flat_map(|(region, _)| region.edges());
        let drawn = edges.chain(strokes.iter().map(|(line, _)| line)).chain(&self.limit).flatten();
        let times = Axis::tight(drawn.clone().map(|sample| sample.0));
        let values = Axis::roomy(drawn.map(|sample| sample.1));
        self.heading.paint(area)?;
        self.paint_labels(area, values.scale)?;

        let chart = frame::chart(area, &times, &values, "layer-time t")?;
        for (share, (region, _)) in SHARES.into_iter().zip(&regions) {
            for outline in region.outlines(&values) {
                chart.plotting_area().draw(&Polygon::new(outline, self.shade(share)))?;
            }
        }
        for (line, style) in strokes {
            for piece in pieces(&line, &values) {
                match piece[..] {
                    [alone] => {
                        chart.plotting_area().draw(&Circle::new(alone, style.stroke_width * 3 / 2, style.filled()))?
                    }
                    _ => chart.plotting_area().draw(&PathElement::new(piece, style))?,
                }
            }
        }
        for piece in self.limit.iter().flat_map(|limit| pieces(limit, &values)) {
            for dash in spread::dashes(&piece, (times.high - times.low) / DASHES as f64) {
                chart.plotting_area().draw(&PathElement::new(dash, LIMIT))?;
            }
        }
        Ok(())
    }
}

impl Series {
    /// The parts of the replicas that regions hold, and what they are called, where replicas have no lines.
    fn regions(&self) -> Vec<(Region, &'static str)> {
        if self.lines.len() <= MOST_LINES {
            return Vec::new();
        }
        let names = ["90 %", "50 %"];
        SHARES.iter().zip(names).map(|(share, name)| (Region::of(&self.lines, *share), name)).collect()
    }

    /// The lines from bottom to top, each with its pen.
    fn strokes(&self) -> Vec<(Polyline, ShapeStyle)> {
        let bold = palette::of(self.hue).stroke_width(BOLD);
        match &self.lines[..] {
            [only] => vec![(only.clone(), bold)],
            lines if lines.len() > MOST_LINES => vec![(mean(lines), bold)],
            lines => {
                let pale = self.pale();
                lines.iter().map(|line| (line.clone(), pale)).chain([(mean(lines), bold)]).collect()
            }
        }
    }

    /// The pen of one replica among many: the more there are, the paler each.
    fn pale(&self) -> ShapeStyle {
        let alpha = (2.0 / (self.lines.len() as f64).sqrt()).clamp(0.08, 0.5);
        palette::of(self.hue).mix(alpha).stroke_width(THIN)
    }

    /// The region of a part of the replicas: the larger the part, the paler.
    fn shade(&self, share: f64) -> ShapeStyle {
        palette::of(self.hue).mix(0.32 - 0.2 * share).filled()
    }

    fn paint_labels<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Painted<DB> {
        let label = match scale {
            Scale::Linear => self.label.clone(),
            Scale::Logarithmic => format!("{} (log scale)", self.label),
        };
        frame::name_vertical(area, &label, palette::of(self.hue))?;
        let bold = Mark::Stroke(palette::of(self.hue).stroke_width(BOLD));
        let of_regions = SHARES.iter().zip(self.regions());
        let mut entries: Vec<(Mark, String)> = of_regions
            .map(|(share, (_, name))| (Mark::Stroke(self.shade(*share).stroke_width(REGION)), name.to_owned()))
            .collect();
        if entries.is_empty() && self.lines.len() > 1 {
            entries.push((Mark::Stroke(self.pale()), "one replica".to_owned()));
        }
        match self.lines.len() {
            1 if self.limit.is_some() => entries.push((bold, "tokens".to_owned())),
            0 | 1 => {}
            replicas => entries.push((bold, format!("mean of {replicas}"))),
        }
        if self.limit.is_some() {
            entries.push((Mark::Stroke(LIMIT), "limit".to_owned()));
        }
        legend::row(area, &entries, (WIDTH as i32 - MARGIN, frame::ROW_MIDDLE))
    }
}

/// The mean over replicas, for as long as every replica has been sampled. It is NaN where one of them is.
pub(super) fn mean(lines: &[Polyline]) -> Polyline {
    let sampled = lines.iter().map(Vec::len).min().unwrap_or(0);
    (0..sampled)
        .map(|sample| {
            let sum: f64 = lines.iter().map(|line| line[sample].1).sum();
            (lines[0][sample].0, sum / lines.len() as f64)
        })
        .collect()
}

/// The pieces of a line between values that have no place on the axis: a gap is drawn as a gap.
pub(super) fn pieces(line: &Polyline, values: &Axis) -> Vec<Polyline> {
    let placed: Vec<Option<(f64, f64)>> =
        line.iter().map(|&(t, v)| values.place(v).map(|place| (t, place))).collect();
    let runs = placed.split(Option::is_none).filter(|run| !run.is_empty());
    runs.map(|run| run.iter().copied().flatten().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_broken_where_it_has_no_value() {
        let line = vec![(0.0, 1.0), (1.0, 2.0), (2.0, f64::NAN), (3.0, 4.0), (4.0, f64::INFINITY)];
        let values = Axis::roomy(line.iter().map(|sample| sample.1));
        assert_eq!(pieces(&line, &values), [vec![(0.0, 1.0), (1.0, 2.0)], vec![(3.0, 4.0)]]);
    }

    #[test]
    fn the_mean_ends_with_the_shortest_replica_and_keeps_nan() {
        let lines = [vec![(0.0, 1.0), (0.5, f64::NAN), (1.0, 2.0)], vec![(0.0, 4.0), (0.5, 1.0)]];
        let mean = mean(&lines);
        assert_eq!(mean.len(), 2);
        assert_eq!(mean[0], (0.0, 2.5));
        assert!(mean[1].1.is_nan());
    }
}
