//! Numbers against a key: what was measured as dots with their intervals, and what was predicted, where something was, as rings.

use plotters::backend::DrawingBackend;
use plotters::element::{Circle, PathElement};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::axis::{Axis, Scale};
use super::canvas::{Area, Heading, MARGIN, Painted, Picture, WIDTH};
use super::frame::Chart;
use super::legend::{self, Mark};
use super::{frame, palette};

/// More curves than this would hide each other.
pub(super) const MOST: usize = palette::SERIES.len();
/// A key whose values span more than this factor is drawn by its logarithm.
const DECADE: f64 = 10.0;
const LINE: u32 = 12;
/// Of lines that lead the eye from one ring to the next, and know nothing of what is between.
const GUIDE: u32 = 4;
const BAR: u32 = 6;
const DOT: u32 = 18;
const RING: u32 = 34;
/// Characters of a name that has room beside the chart.
pub(super) const LONGEST: usize = 34;

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
    pub(super) label: String,
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
        if low > 0.0 && high > DECADE * low { Axis::logarithmic_at(&keys) } else { Axis::tight(keys.into_iter()) }
    }

    fn vertical(&self) -> Axis {
        let heights = |point: &Point| {
            [point.height(), point.measured].into_iter().chain(point.interval.unwrap_or([point.measured; 2]))
        };
        Axis::roomy(self.points().flat_map(heights).collect::<Vec<_>>().into_iter())
    }

    /// The corner of the chart in which a legend of that size hides the fewest points.
    fn corner(&self, [x, y]: [&Axis; 2], (width, height): (i32, i32)) -> (i32, i32) {
        let (columns, rows) = frame::region(y);
        let share = |axis: &Axis, value: f64| Some((axis.place(value)? - axis.low) / (axis.high - axis.low));
        let at = |point: &Point| {
            let (right, up) = (share(x, point.key)?, share(y, point.height())?);
            let column = columns.start + (right * f64::from(columns.end - columns.start)) as i32;
            Some((column, rows.end - (up * f64::from(rows.end - rows.start)) as i32))
        };
        let points: Vec<(i32, i32)> = self.points().filter_map(at).collect();
        let air = RING as i32;
        let hidden = |(left, top): &(i32, i32)| {
            let covers = |(column, row): &&(i32, i32)| {
                (left - air..left + width + air).contains(column) && (top - air..top + height + air).contains(row)
            };
            points.iter().filter(covers).count()
        };
        let lefts = [columns.end - width - 40, columns.start + 60, (columns.start + columns.end - width) / 2];
        let tops = [rows.end - height - 40, rows.start + 40, (rows.start + rows.end - height) / 2];
        let corners = tops.into_iter().flat_map(|top| lefts.map(|left| (left, top)));
        corners.min_by_key(hidden).unwrap_or((columns.start, rows.start))
    }

    fn entries(&self) -> Vec<(Mark, String)> {
        let of =
            |(index, curve): (usize, &Curve)| (Mark::Stroke(colour(index).stroke_width(LINE)), short(&curve.label));
        self.curves.iter().enumerate().map(of).collect()
    }
}

/// A name that may be a long formula.
fn short(label: &str) -> String {
    match label.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &label[..end]),
        None => label.to_owned(),
    }
}

fn colour(index: usize) -> RGBColor {
    palette::SERIES[index % palette::SERIES.len()]
}

impl Curve {
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
        frame::name_vertical(area, &format!("{}{}", self.label, scaled(&y)), palette::INK)?;
        let entries = self.entries();
        if let [(_, label)] = &entries[..]
            && !label.is_empty()
        {
            legend::row(area, &entries, (WIDTH as i32 - MARGIN, frame::ROW_MIDDLE))?;
        }
        let chart = frame::chart(area, &x, &y, &format!("{}{}", self.key, scaled(&x)))?;
        for (index, curve) in self.curves.iter().enumerate() {
            curve.paint(&chart, [&x, &y], colour(index))?;
        }
        if entries.len() > 1 {
            legend::block(area, &entries, self.corner([&x, &y], legend::size(&entries)))?;
        }
        Ok(())
    }
}
