//! A quantity against layer-time: one line a replica, and their mean.

use std::sync::LazyLock;

use plotters::backend::DrawingBackend;
use plotters::element::{Circle, PathElement};
use plotters::style::{Color, ShapeStyle};

use super::axis::{Axis, Scale};
use super::canvas::{Area, Heading, MARGIN, Painted, Picture, WIDTH};
use super::legend::{self, Mark};
use super::{frame, palette};
use crate::observables::{Curve, Quantity};

/// Every quantity that has a picture, if its column is there.
pub(super) static CURVES: LazyLock<Vec<&'static Curve>> = LazyLock::new(|| {
    let curve = |quantity: &Quantity| quantity.observable().definition().curve.as_ref();
    let mut curves: Vec<&Curve> = Quantity::ALL.iter().filter_map(curve).collect();
    curves.sort_by_key(|curve| curve.rank);
    curves
});

/// (layer-time, value), in order of time; a value may be NaN or infinite.
pub(super) type Polyline = Vec<(f64, f64)>;

pub(super) struct Series {
    pub(super) heading: Heading,
    pub(super) curve: &'static Curve,
    /// One line a replica.
    pub(super) lines: Vec<Polyline>,
}

/// Pens for a replica and for what matters most.
const THIN: u32 = 6;
const BOLD: u32 = 14;

impl Picture for Series {
    fn name(&self) -> &str {
        self.curve.column
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        let times = Axis::tight(self.lines.iter().flatten().map(|sample| sample.0));
        let values = Axis::roomy(self.lines.iter().flatten().map(|sample| sample.1));
        self.heading.paint(area)?;
        self.paint_labels(area, values.scale)?;

        let chart = frame::chart(area, &times, &values, "layer-time t")?;
        for (line, style) in self.strokes() {
            for piece in pieces(&line, &values) {
                match piece[..] {
                    [alone] => {
                        chart.plotting_area().draw(&Circle::new(alone, style.stroke_width * 3 / 2, style.filled()))?
                    }
                    _ => chart.plotting_area().draw(&PathElement::new(piece, style))?,
                }
            }
        }
        Ok(())
    }
}

impl Series {
    /// The lines from bottom to top, each with its pen.
    fn strokes(&self) -> Vec<(Polyline, ShapeStyle)> {
        let bold = palette::of(self.curve.hue).stroke_width(BOLD);
        match &self.lines[..] {
            [only] => vec![(only.clone(), bold)],
            lines => {
                let pale = self.pale();
                lines.iter().map(|line| (line.clone(), pale)).chain([(mean(lines), bold)]).collect()
            }
        }
    }

    /// The pen of one replica among many: the more there are, the paler each.
    fn pale(&self) -> ShapeStyle {
        let alpha = (2.0 / (self.lines.len() as f64).sqrt()).clamp(0.08, 0.5);
        palette::of(self.curve.hue).mix(alpha).stroke_width(THIN)
    }

    fn paint_labels<DB: DrawingBackend>(&self, area: &Area<DB>, scale: Scale) -> Painted<DB> {
        let label = match scale {
            Scale::Linear => self.curve.label.to_string(),
            Scale::Logarithmic => format!("{} (log scale)", self.curve.label),
        };
        frame::name_vertical(area, &label, palette::of(self.curve.hue))?;
        if self.lines.len() < 2 {
            return Ok(());
        }
        let bold = palette::of(self.curve.hue).stroke_width(BOLD);
        let entries = [
            (Mark::Stroke(self.pale()), "one replica".to_string()),
            (Mark::Stroke(bold), format!("mean of {}", self.lines.len())),
        ];
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
fn pieces(line: &Polyline, values: &Axis) -> Vec<Polyline> {
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
