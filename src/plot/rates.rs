//! Rates on log-log axes: means over replicas with their intervals, the fitted lines, and the slopes that were expected.

use std::f64::consts::LN_10;

use plotters::backend::DrawingBackend;
use plotters::element::{Circle, PathElement};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::axis::Axis;
use super::canvas::{Area, Heading, Painted, Picture};
use super::frame::Chart;
use super::grid::{Fit, Grid};
use super::key::short;
use super::legend::{self, Mark};
use super::{frame, palette};
use crate::sweep::{intercept, log_reach, mean};

/// More entries than this would hide the curves.
const NAMED: usize = 7;
const LINE: u32 = 12;
const BAR: u32 = 6;
const DOT: u32 = 22;
/// Dashes of the expected slope, over the whole width.
const DASHES: usize = 40;

/// All fits against one key.
pub(super) struct Rates {
    name: String,
    heading: Heading,
    variable: String,
    curves: Vec<Curve>,
}

struct Curve {
    label: String,
    colour: RGBColor,
    points: Vec<Point>,
    slope: f64,
    /// ln of the quantity at ln key = 0.
    intercept: f64,
    expected: Option<f64>,
}

/// The mean at a value of the key, and its interval unless it is that of one replica.
struct Point {
    key: f64,
    mean: f64,
    interval: Option<[f64; 2]>,
}

impl Rates {
    /// One picture for each key that a rate was fitted against.
    pub(super) fn of(grid: &Grid, heading: &Heading) -> Vec<Self> {
        let mut variables: Vec<&str> = grid.fits.iter().map(|fit| fit.variable.as_str()).collect();
        variables.sort_unstable();
        variables.dedup();
        let several = variables.len() > 1;
        let picture = |variable: &&str| {
            let fits = grid.fits.iter().filter(|fit| fit.variable == *variable && fit.slope.is_finite());
            let curves: Vec<Curve> = fits.enumerate().map(|(index, fit)| curve(grid, fit, index)).collect();
            let name = if several { format!("rates-{}", variable.replace('.', "-")) } else { "rates".into() };
            Self { name, heading: heading.clone(), variable: (*variable).to_owned(), curves }
        };
        variables.iter().map(picture).filter(|rates| !rates.curves.is_empty()).collect()
    }
}

fn curve(grid: &Grid, fit: &Fit, index: usize) -> Curve {
    let points = grid.points(fit);
    let keys: Vec<&str> = grid.keys.iter().map(String::as_str).collect();
    let others: String = grid
        .keys
        .iter()
        .zip(&fit.others)
        .filter(|(key, value)| !value.is_empty() && varies(grid, key))
        .map(|(key, value)| format!(", {} {value}", short(key, &keys)))
        .collect();
    let interval = match fit.interval.map(|ends| ends.map(rounded)) {
        Some([low, high]) => format!("[{low}, {high}]"),
        None => "(one replica: no interval)".to_owned(),
    };
    let label = format!("{}{others}: {} {interval}", fit.quantity, rounded(fit.slope));
    let point = |(key, sample): &crate::sweep::Point| {
        let (mean, reach) = (mean(sample), log_reach(sample).map(f64::exp));
        Point { key: *key, mean, interval: reach.map(|reach| [mean / reach, mean * reach]) }
    };
    Curve {
        label,
        colour: palette::SERIES[index % palette::SERIES.len()],
        slope: fit.slope,
        intercept: intercept(&points, fit.slope),
        expected: fit.expected,
        points: points.iter().map(point).collect(),
    }
}

fn varies(grid: &Grid, key: &str) -> bool {
    let index = grid.keys.iter().position(|other| other == key);
    index.is_some_and(|index| grid.cells.iter().any(|cell| cell.values[index] != grid.cells[0].values[index]))
}

impl Curve {
    fn first(&self) -> f64 {
        self.points.iter().map(|point| point.key).fold(f64::INFINITY, f64::min)
    }

    fn last(&self) -> f64 {
        self.points.iter().map(|point| point.key).fold(0.0, f64::max)
    }

    /// A line of slope `slope` that meets the fit at the least key, at `share` of the way to the greatest, in decades.
    fn place(&self, slope: f64, share: f64) -> (f64, f64) {
        let (from, to) = (self.first().log10(), self.last().log10());
        let x = from + share * (to - from);
        (x, self.intercept / LN_10 + self.slope * from + slope * (x - from))
    }

    fn paint<DB: DrawingBackend>(&self, chart: &Chart<DB>) -> Painted<DB> {
        let area = chart.plotting_area();
        if let Some(expected) = self.expected {
            let pen = palette::GREY.stroke_width(BAR);
            for dash in (0..DASHES).step_by(2) {
                let end = |dash: usize| self.place(expected, dash as f64 / DASHES as f64);
                area.draw(&PathElement::new(vec![end(dash), end(dash + 1)], pen))?;
            }
        }
        let line = vec![self.place(self.slope, 0.0), self.place(self.slope, 1.0)];
        area.draw(&PathElement::new(line, self.colour.mix(0.6).stroke_width(LINE)))?;
        for point in &self.points {
            let x = point.key.log10();
            if let Some(ends) = point.interval {
                let bar = ends.map(|end| (x, end.log10())).to_vec();
                area.draw(&PathElement::new(bar, self.colour.stroke_width(BAR)))?;
            }
            area.draw(&Circle::new((x, point.mean.log10()), DOT, ShapeStyle::from(&self.colour).filled()))?;
        }
        Ok(())
    }

    /// Every height that must be seen.
    fn heights(&self) -> impl Iterator<Item = f64> {
        let expected = self.expected.map(|expected| 10_f64.powf(self.place(expected, 1.0).1));
        self.points.iter().flat_map(|point| point.interval.unwrap_or([point.mean; 2])).chain(expected)
    }
}

impl Picture for Rates {
    fn name(&self) -> &str {
        &self.name
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        self.heading.paint(area)?;
        let keys: Vec<f64> =
            self.curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.key)).collect();
        let x = Axis::logarithmic_at(&keys);
        let entries = self.entries();
        let (y, corner) = self.room(&x, legend::size(&entries));
        frame::name_vertical(area, "mean over replicas and its 95 % interval (log scale)", palette::INK)?;
        let chart = frame::chart(area, &x, &y, &format!("{} (log scale)", self.variable))?;
        for curve in &self.curves {
            curve.paint(&chart)?;
        }
        legend::block(area, &entries, corner)
    }
}

impl Rates {
    /// The vertical axis, and where a legend of that size hides nothing: where the curves leave it room, or below them, the axis
    /// reaching further down.
    fn room(&self, x: &Axis, (width, height): (i32, i32)) -> (Axis, (i32, i32)) {
        let mut y = Axis::logarithmic(self.curves.iter().flat_map(Curve::heights));
        if let Some(corner) = self.free_corner(x, &y, (width, height)) {
            return (y, corner);
        }
        let rows = frame::region(&y).1;
        let share = f64::from(height + 60) / f64::from(rows.end - rows.start);
        y.low -= (y.high - y.low) * share / (1.0 - share).max(0.2);
        let columns = frame::region(&y).0;
        (y, (columns.start + 60, rows.end - height - 20))
    }

    fn free_corner(&self, x: &Axis, y: &Axis, (width, height): (i32, i32)) -> Option<(i32, i32)> {
        let (columns, rows) = frame::region(y);
        let along =
            |axis: &Axis, place: f64, length: i32| (place - axis.low) / (axis.high - axis.low) * f64::from(length);
        let at = |(right, up): (f64, f64)| {
            let right = along(x, right, columns.end - columns.start) as i32;
            (columns.start + right, rows.end - along(y, up, rows.end - rows.start) as i32)
        };
        let line = |curve: &Curve| {
            (0..=DASHES).map(|step| at(curve.place(curve.slope, step as f64 / DASHES as f64))).collect()
        };
        let points =
            |curve: &Curve| curve.points.iter().map(|point| at((point.key.log10(), point.mean.log10()))).collect();
        let drawn: Vec<(i32, i32)> =
            self.curves.iter().flat_map(|curve| [line(curve), points(curve)]).flat_map(|at: Vec<_>| at).collect();
        let air = 2 * DOT as i32;
        let is_free = |(left, top): &(i32, i32)| {
            let covers = |(x, y): &(i32, i32)| {
                (left - air..left + width + air).contains(x) && (top - air..top + height + air).contains(y)
            };
            !drawn.iter().any(covers)
        };
        let lefts = [columns.start + 60, columns.end - width - 60];
        let tops = (rows.start + 40..rows.end - height).step_by(60);
        tops.rev().flat_map(|top| lefts.map(|left| (left, top))).find(is_free)
    }

    fn entries(&self) -> Vec<(Mark, String)> {
        let mark = |colour: RGBColor| Mark::Stroke(colour.stroke_width(LINE));
        let named = self.curves.iter().take(NAMED);
        let mut entries: Vec<(Mark, String)> = named.map(|curve| (mark(curve.colour), curve.label.clone())).collect();
        if self.curves.len() > NAMED {
            entries.push((mark(palette::GREY), format!("and {} more, see rates.csv", self.curves.len() - NAMED)));
        }
        let mut expected: Vec<f64> = self.curves.iter().filter_map(|curve| curve.expected).collect();
        expected.sort_by(f64::total_cmp);
        expected.dedup();
        if !expected.is_empty() {
            let slopes: Vec<String> = expected.into_iter().map(rounded).collect();
            let words = format!("expected (dashed): {}", slopes.join(", "));
            entries.push((Mark::Stroke(palette::GREY.stroke_width(BAR)), words));
        }
        entries
    }
}

/// A slope as it is read: three decimals, and no sign on a zero.
fn rounded(slope: f64) -> String {
    let text = format!("{:.3}", slope.abs());
    let is_zero = text.chars().all(|digit| matches!(digit, '0' | '.'));
    if slope < 0.0 && !is_zero { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_rounded_for_reading() {
        assert_eq!([-0.5, 0.123_45, -0.0004, 2.0].map(rounded), ["−0.500", "0.123", "0.000", "2.000"]);
    }
}
