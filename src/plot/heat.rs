//! A map of colours: a number over two others, as a phase diagram is.

use plotters::backend::DrawingBackend;
use plotters::element::Rectangle;
use plotters::style::Color;

use super::axis::{Axis, Scale};
use super::canvas::{self, Anchor, Area, BODY, Heading, MARGIN, Painted, Pen, Picture, WIDTH};
use super::{frame, palette};

/// Pieces of the ramp beside its two ends.
const PIECES: i32 = 64;
/// The width of the ramp.
const RAMP: i32 = 640;

/// A number for each pair of an x and a y.
pub(super) struct Heat {
    pub(super) name: String,
    pub(super) heading: Heading,
    /// What the number is.
    pub(super) label: String,
    pub(super) x: Side,
    pub(super) y: Side,
    /// Those of the first y first; NaN leaves the paper bare.
    pub(super) values: Vec<Vec<f64>>,
}

/// The values along a side, ascending.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Side {
    pub(super) label: String,
    pub(super) values: Vec<f64>,
}

impl Side {
    /// That on which the values are spaced more evenly.
    fn scale(&self) -> Scale {
        let unevenness = |place: fn(f64) -> f64| {
            let gaps = self.values.windows(2).map(|pair| place(pair[1]) - place(pair[0]));
            let (least, most) = gaps.fold((f64::INFINITY, 0.0), |(least, most), gap| (gap.min(least), gap.max(most)));
            most / least
        };
        let is_positive = self.values.iter().all(|value| *value > 0.0);
        let is_geometric = is_positive && self.values.len() > 2 && unevenness(f64::log10) < unevenness(|value| value);
        if is_geometric { Scale::Logarithmic } else { Scale::Linear }
    }

    /// The borders between the values, and the outer ones as far out as the next are in, as places on the axis.
    fn borders(&self) -> Vec<f64> {
        let place = |value: &f64| if self.scale() == Scale::Logarithmic { value.log10() } else { *value };
        let places: Vec<f64> = self.values.iter().map(place).collect();
        let middles: Vec<f64> = places.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
        let (first, last) = (places[0], places[places.len() - 1]);
        let (before, after) = match (middles.first(), middles.last()) {
            (Some(low), Some(high)) => (2.0 * first - low, 2.0 * last - high),
            _ => (first - 0.5, last + 0.5),
        };
        std::iter::once(before).chain(middles).chain([after]).collect()
    }

    fn axis(&self) -> Axis {
        let borders = self.borders();
        let (low, high) = (borders[0], borders[borders.len() - 1]);
        match self.scale() {
            Scale::Linear => Axis::tight([low, high].into_iter()),
            Scale::Logarithmic => Axis { low, high, ..Axis::logarithmic_at(&self.values) }.inside(),
        }
    }
}

impl Picture for Heat {
    fn name(&self) -> &str {
        &self.name
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        self.heading.paint(area)?;
        let (x, y) = (self.x.axis(), self.y.axis());
        let vertical = format!("{}, over {}", self.label, self.y.label);
        frame::name_vertical(area, &vertical, palette::INK)?;
        let chart = frame::chart(area, &x, &y, &self.x.label)?;
        let range = Axis::range_of(self.values.iter().flatten().copied());
        let (columns, rows) = (self.x.borders(), self.y.borders());
        for (row, height) in self.values.iter().zip(rows.windows(2)) {
            for (value, width) in row.iter().zip(columns.windows(2)).filter(|(value, _)| value.is_finite()) {
                let colour = palette::ramp((value - range.0) / (range.1 - range.0));
                let corners = [(width[0], height[0]), (width[1], height[1])];
                chart.plotting_area().draw(&Rectangle::new(corners, colour.filled()))?;
            }
        }
        paint_ramp(area, range.0, range.1)
    }
}

/// The colours between the least value and the greatest, at the right end of the row above the chart.
pub(super) fn paint_ramp<DB: DrawingBackend>(area: &Area<DB>, least: f64, greatest: f64) -> Painted<DB> {
    let [low, high] = [least, greatest].map(short);
    let right = WIDTH as i32 - MARGIN - canvas::text_width(&high, BODY) - 30;
    let left = right - RAMP;
    let edge = |piece: i32| left + RAMP * piece / PIECES;
    for piece in 0..PIECES {
        let corners = [(edge(piece), frame::ROW_MIDDLE - 30), (edge(piece + 1), frame::ROW_MIDDLE + 30)];
        let share = (f64::from(piece) + 0.5) / f64::from(PIECES);
        area.draw(&Rectangle::new(corners, palette::ramp(share).filled()))?;
    }
    let ink = Pen::body(palette::INK);
    canvas::write(area, &high, (right + 30, frame::ROW_MIDDLE), ink, Anchor::MiddleLeft)?;
    let before = left - 30 - canvas::text_width(&low, BODY);
    canvas::write(area, &low, (before, frame::ROW_MIDDLE), ink, Anchor::MiddleLeft)
}

/// Three digits.
fn short(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        0.0 => "0".into(),
        _ if (1e-3..1e4).contains(&size) => {
            let decimals = (2 - size.log10().floor() as i32).clamp(0, 5) as usize;
            format!("{value:.decimals$}")
        }
        _ => format!("{value:.2e}"),
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn borders_lie_between_the_values() {
        let side = |values: &[f64]| Side { label: String::new(), values: values.into() };
        assert_eq!(side(&[0.0, 1.0, 3.0]).borders(), [-0.5, 0.5, 2.0, 4.0]);
        let wide = side(&[1.0, 10.0, 100.0]);
        assert_eq!(wide.borders(), [-0.5, 0.5, 1.5, 2.5]);
        let axis = wide.axis();
        assert_eq!((axis.scale, axis.low, axis.high), (Scale::Logarithmic, -0.5, 2.5));
        assert_eq!(side(&[16.0, 32.0, 64.0]).scale(), Scale::Logarithmic);
        assert_eq!(side(&[1.0, 1.5, 2.0, 2.5]).scale(), Scale::Linear);
        assert_eq!(side(&[1.0, 2.0]).scale(), Scale::Linear);
    }

    #[test]
    fn numbers_beside_the_ramp_have_three_digits() {
        assert_eq!([0.0, -0.123_456, 12.34, 1234.5, 1e-7].map(short), ["0", "−0.123", "12.3", "1234", "1.00e−7"]);
    }
}
