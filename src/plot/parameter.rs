//! Numbers against a key: what was measured as dots with their intervals, and what was predicted, where something was, as rings.

use plotters::backend::DrawingBackend;
use plotters::element::{Circle, PathElement};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::axis::{Axis, Scale};
use super::canvas::{self, Area, BODY, Heading, MARGIN, Painted, Picture, WIDTH};
use super::frame::Chart;
use super::legend::{self, Mark};
use super::{frame, palette};

/// More curves than this would hide each other.
pub(super) const MOST: usize = palette::CURVES.len();
/// A key whose values span more than this factor is drawn by its logarithm.
const DECADE: f64 = 10.0;
const LINE: u32 = 12;
/// Of lines that lead the eye from one ring to the next, and know nothing of what is between.
const GUIDE: u32 = 4;
const BAR: u32 = 6;
const DOT: u32 = 18;
const RING: u32 = 34;
/// The share of an axis that is left beyond the first value and the last, so that rings stay clear of what is beside it.
const EDGE: f64 = 0.025;
/// The width that the name of one of several curves may take.
const NAME: i32 = 1600;
/// What is left of a quantity, at the least, where there is no room for its name.
const STUB: i32 = 300;
/// From one sample of a line to the next, no more than a line of a legend is high.
const STEP: i32 = 20;

pub(super) struct Figure {
    /// That of its files.
    pub(super) name: String,
    pub(super) heading: Heading,
    pub(super) key: String,
    /// What the marks are.
    pub(super) label: String,
    pub(super) curves: Vec<Curve>,
}

/// One quantity at the values of the key.
pub(super) struct Curve {
    /// Empty where all curves are of one.
    pub(super) quantity: String,
    /// The values of other keys; empty where there are none.
    pub(super) place: String,
    /// In the order of the key.
    pub(super) points: Vec<Point>,
}

pub(super) struct Point {
    pub(super) key: f64,
    pub(super) predicted: Option<f64>,
    pub(super) measured: f64,
    pub(super) interval: Option<[f64; 2]>,
}

impl Point {
    /// What the eye is led along.
    fn height(&self) -> f64 {
        self.predicted.unwrap_or(self.measured)
    }
}

impl Figure {
    fn points(&self) -> impl Iterator<Item = &Point> + Clone {
        self.curves.iter().flat_map(|curve| &curve.points)
    }

    fn horizontal(&self) -> Axis {
        let keys: Vec<f64> = self.points().map(|point| point.key).collect();
        let (low, high) = Axis::range_of(keys.iter().copied());
        if low > 0.0 && high > DECADE * low {
            return Axis::logarithmic_at(&keys);
        }
        let axis = Axis::tight(keys.into_iter());
        let room = EDGE * (axis.high - axis.low);
        Axis { low: axis.low - room, high: axis.high + room, ..axis }
    }

    fn vertical(&self) -> Axis {
        let heights = |point: &Point| {
            [point.height(), point.measured].into_iter().chain(point.interval.unwrap_or([point.measured; 2]))
        };
        Axis::roomy(self.points().flat_map(heights).collect::<Vec<_>>().into_iter())
    }

    /// Samples of all that is drawn, as places on the canvas.
    fn drawn(&self, [x, y]: [&Axis; 2]) -> Vec<(i32, i32)> {
        let (columns, rows) = frame::region(y);
        let share = |axis: &Axis, value: f64| Some((axis.place(value)? - axis.low) / (axis.high - axis.low));
        let at = |key: f64, value: f64| {
            let (right, up) = (share(x, key)?, share(y, value)?);
            let column = columns.start + (right * f64::from(columns.end - columns.start)) as i32;
            Some((column, rows.end - (up * f64::from(rows.end - rows.start)) as i32))
        };
        let mut samples: Vec<(i32, i32)> = Vec::new();
        for curve in &self.curves {
            let line: Vec<_> = curve.points.iter().filter_map(|point| at(point.key, point.height())).collect();
            samples.extend(&line);
            samples.extend(line.windows(2).flat_map(|ends| between(ends[0], ends[1])));
            for point in &curve.points {
                samples.extend(at(point.key, point.measured));
                let bar = point.interval.and_then(|[low, high]| Some([at(point.key, low)?, at(point.key, high)?]));
                samples.extend(bar.into_iter().flat_map(|[low, high]| between(low, high)));
            }
        }
        samples
    }

    /// A corner of the chart in which a legend of that size hides nothing.
    fn corner(&self, axes: [&Axis; 2], (width, height): (i32, i32)) -> Option<(i32, i32)> {
        let (columns, rows) = frame::region(axes[1]);
        let (drawn, air) = (self.drawn(axes), RING as i32);
        let is_clear = |(left, top): &(i32, i32)| {
            let covers = |(column, row): &(i32, i32)| {
                (left - air..left + width + air).contains(column) && (top - air..top + height + air).contains(row)
            };
            top - air >= rows.start && !drawn.iter().any(covers)
        };
        let lefts = [columns.end - width - 40, columns.start + 60, (columns.start + columns.end - width) / 2];
        let tops = [rows.end - height - 40, rows.start + 40, (rows.start + rows.end - height) / 2];
        tops.into_iter().flat_map(|top| lefts.map(|left| (left, top))).find(is_clear)
    }

    /// The legend of one curve has `beside`, that of several what is left of the chart.
    fn entries(&self, beside: i32) -> Vec<(Mark, String)> {
        let room = if self.curves.len() == 1 { beside } else { NAME };
        let of =
            |(index, curve): (usize, &Curve)| (Mark::Stroke(colour(index).stroke_width(LINE)), curve.label(room));
        self.curves.iter().enumerate().map(of).collect()
    }
}

/// Places on the way from one to another.
fn between(from: (i32, i32), to: (i32, i32)) -> impl Iterator<Item = (i32, i32)> {
    let way = (to.0 - from.0, to.1 - from.1);
    let steps = way.0.abs().max(way.1.abs()) / STEP + 1;
    (0..=steps).map(move |step| (from.0 + way.0 * step / steps, from.1 + way.1 * step / steps))
}

fn colour(index: usize) -> RGBColor {
    palette::CURVES[index % palette::CURVES.len()]
}

impl Curve {
    /// The quantity and the place, of which the first is shortened where both have no room.
    fn label(&self, room: i32) -> String {
        if self.quantity.is_empty() || self.place.is_empty() {
            return canvas::shortened(&format!("{}{}", self.quantity, self.place), BODY, room);
        }
        let place = format!(", {}", self.place);
        let left = (room - canvas::text_width(&place, BODY)).max(STUB);
        canvas::shortened(&self.quantity, BODY, left) + &place
    }

    fn paint<DB: DrawingBackend>(&self, chart: &Chart<DB>, [x, y]: [&Axis; 2], colour: RGBColor) -> Painted<DB> {
        let area = chart.plotting_area();
        let place = |key: f64, value: f64| Some((x.place(key)?, y.place(value)?));
        let line: Vec<(f64, f64)> = self.points.iter().filter_map(|point| place(point.key, point.height())).collect();
        for at in self.points.iter().filter_map(|point| place(point.key, point.predicted?)) {
            area.draw(&Circle::new(at, RING, colour.mix(0.7).stroke_width(BAR)))?;
        }
        area.draw(&PathElement::new(line, colour.mix(0.4).stroke_width(GUIDE)))?;
        for point in &self.points {
            let ends =
                point.interval.and_then(|[low, high]| Some(vec![place(point.key, low)?, place(point.key, high)?]));
            if let Some(bar) = ends {
                area.draw(&PathElement::new(bar, colour.stroke_width(BAR)))?;
            }
            if let Some(at) = place(point.key, point.measured) {
                area.draw(&Circle::new(at, DOT, ShapeStyle::from(&colour).filled()))?;
            }
        }
        Ok(())
    }
}

impl Picture for Figure {
    fn name(&self) -> &str {
        &self.name
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        self.heading.paint(area)?;
        let (x, y) = (self.horizontal(), self.vertical());
        let scaled = |axis: &Axis| if axis.scale == Scale::Logarithmic { " (log scale)" } else { "" };
        let name = format!("{}{}", self.label, scaled(&y));
        frame::name_vertical(area, &name, palette::INK)?;
        let width = WIDTH as i32 - 2 * MARGIN;
        let beside = width - canvas::text_width(&name, BODY) - legend::BETWEEN;
        let mut entries = self.entries(beside - legend::WORDS);
        entries.retain(|(_, label)| !label.is_empty());
        let corner = self.corner([&x, &y], legend::size(&entries)).filter(|_| entries.len() > 1);
        let mut room = 0;
        if corner.is_none() && legend::row_width(&entries) <= beside {
            legend::row(area, &entries, (WIDTH as i32 - MARGIN, frame::ROW_MIDDLE))?;
        } else if corner.is_none() {
            room = legend::rows(area, &entries, (MARGIN, frame::ROW_MIDDLE + frame::ROW / 2), width)?;
        }
        let chart = frame::lowered(area, [&x, &y], &format!("{}{}", self.key, scaled(&x)), room)?;
        for (index, curve) in self.curves.iter().enumerate() {
            curve.paint(&chart, [&x, &y], colour(index))?;
        }
        match corner {
            Some(corner) => legend::block(area, &entries, corner),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::font;

    fn figure(curves: Vec<Vec<(f64, f64)>>) -> Figure {
        let point = |(key, measured)| Point { key, predicted: None, measured, interval: None };
        let curve = |points: Vec<(f64, f64)>| Curve {
            quantity: "x".into(),
            place: String::new(),
            points: points.into_iter().map(point).collect(),
        };
        let heading = Heading { title: String::new(), caption: String::new() };
        let (name, key, label) = ("law".into(), "beta".into(), String::new());
        Figure { name, heading, key, label, curves: curves.into_iter().map(curve).collect() }
    }

    fn corner(curves: Vec<Vec<(f64, f64)>>) -> Option<(i32, i32)> {
        let figure = figure(curves);
        figure.corner([&figure.horizontal(), &figure.vertical()], (800, 330))
    }

    #[test]
    fn a_legend_hides_no_line_between_points() {
        assert!(font::register());
        let rising = vec![(0.0, 0.0), (1.0, 1.0)];
        let falling = vec![(0.0, 1.0), (1.0, 0.0)];
        let (left, top) = corner(vec![rising.clone()]).expect("right below");
        assert!(left > 2000 && top > 1200, "{left}, {top}");
        let (left, _) = corner(vec![rising, falling]).expect("in the middle, above or below");
        assert!((900..1900).contains(&left), "{left}");
        // Lines that leave less room between one another than a legend takes, with points at their ends alone.
        let level = |height: i32| vec![(0.0, f64::from(height)), (1.0, f64::from(height))];
        assert_eq!(corner((0..8).map(level).collect()), None);
    }

    #[test]
    fn rings_stay_clear_of_the_words_beside_the_axis() {
        assert!(font::register());
        let figure = figure(vec![vec![(0.0, 0.0), (1.0, 1.0)]]);
        let (x, y) = (figure.horizontal(), figure.vertical());
        let (columns, _) = frame::region(&y);
        let least = figure.drawn([&x, &y]).into_iter().map(|(column, _)| column).min().expect("points");
        assert!(least - RING as i32 > columns.start, "{least} beside {}", columns.start);
        assert!(x.ticks.iter().all(|tick| (0.0..=1.0).contains(tick)), "{:?}", x.ticks);
    }

    #[test]
    fn the_quantity_makes_room_for_the_place() {
        assert!(font::register());
        let curve = |quantity: &str, place: &str| Curve {
            quantity: quantity.into(),
            place: place.into(),
            points: Vec::new(),
        };
        assert_eq!(curve("pair_overlap", "").label(NAME), "pair_overlap");
        assert_eq!(curve("", "dim = 4").label(NAME), "dim = 4");
        let angle = curve("acos(max(-1, min(1, pair_overlap)))", "dim = 4");
        assert_eq!(angle.label(NAME), "acos(max(-1, min(1, pair_overlap))), dim = 4");
        let short = angle.label(1000);
        assert!(short.starts_with("acos(max(") && short.ends_with("…, dim = 4"), "{short}");
        assert!(canvas::text_width(&short, BODY) <= 1000);
    }
}
