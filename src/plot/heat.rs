//! A map of colours: a number over two others, as a phase diagram is.

use plotters::backend::DrawingBackend;
use plotters::element::Rectangle;
use plotters::style::Color;

use super::axis::{self, Axis, Scale};
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

    /// The borders between the values, and the outer ones as far out as the next are in, as places on the axis; where no value is
    /// negative no border is.
    fn borders(&self) -> Vec<f64> {
        let is_linear = self.scale() == Scale::Linear;
        let place = |value: &f64| if is_linear { *value } else { value.log10() };
        let places: Vec<f64> = self.values.iter().map(place).collect();
        let middles: Vec<f64> = places.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
        let (first, last) = (places[0], places[places.len() - 1]);
        let (before, after) = match (middles.first(), middles.last()) {
            (Some(low), Some(high)) => (2.0 * first - low, 2.0 * last - high),
            _ => (first - 0.5, last + 0.5),
        };
        let before = if is_linear && first >= 0.0 { before.max(0.0) } else { before };
        std::iter::once(before).chain(middles).chain([after]).collect()
    }

    /// Reaches to the outer borders, and has no ticks beyond the values where none of these is negative, as those of counts and times.
    fn axis(&self) -> Axis {
        let borders = self.borders();
        let (low, high) = (borders[0], borders[borders.len() - 1]);
        match self.scale() {
            Scale::Linear => {
                let mut axis = Axis::tight([low, high].into_iter());
                let values = self.values[0]..=self.values[self.values.len() - 1];
                let among: Vec<f64> = axis.ticks.iter().copied().filter(|tick| values.contains(tick)).collect();
                if among.len() > 1 && self.values[0] >= 0.0 {
                    axis.ticks = among;
                }
                axis
            }
            Scale::Logarithmic => Axis { low, high, ..Axis::logarithmic_at(&self.values) }.inside(),
        }
    }
}

/// The colours of a map, from the least value to the greatest.
pub(super) struct Ramp {
    pub(super) least: f64,
    pub(super) greatest: f64,
    pub(super) scale: Scale,
}

impl Ramp {
    /// Runs over logarithms where positive values span many decades.
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let (least, greatest) = Axis::range_of(values);
        Self { least, greatest, scale: Axis::scale_of(least, greatest) }
    }

    /// From 0 for the least to 1 for the greatest.
    fn share(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => (value - self.least) / (self.greatest - self.least),
            Scale::Logarithmic => (value / self.least).ln() / (self.greatest / self.least).ln(),
        }
    }

    /// What its ends say, with three digits or as many as tell them apart.
    fn ends(&self) -> [String; 2] {
        let with = |digits| [self.least, self.greatest].map(|value| short(value, digits));
        let read = |text: &str| text.replace('−', "-").parse::<f64>().ok();
        let differ = |[low, high]: &[String; 2]| read(low) != read(high);
        (3..8).map(with).find(differ).unwrap_or_else(|| with(8))
    }
}

impl Picture for Heat {
    fn name(&self) -> &str {
        &self.name
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        self.heading.paint(area)?;
        let (x, y) = (self.x.axis(), self.y.axis());
        let values = self.values.iter().flatten().copied();
        let ramp = Ramp::of(values.clone());
        let scaled = if ramp.scale == Scale::Logarithmic { " (log scale)" } else { "" };
        let vertical = format!("{}{scaled}, over {}", self.label, self.y.label);
        frame::name_vertical(area, &vertical, palette::INK)?;
        let chart = frame::chart(area, &x, &y, &self.x.label)?;
        let (columns, rows) = (self.x.borders(), self.y.borders());
        for (row, height) in self.values.iter().zip(rows.windows(2)) {
            for (value, width) in row.iter().zip(columns.windows(2)).filter(|(value, _)| value.is_finite()) {
                let colour = palette::ramp(ramp.share(*value));
                let corners = [(width[0], height[0]), (width[1], height[1])];
                chart.plotting_area().draw(&Rectangle::new(corners, colour.filled()))?;
            }
        }
        if !axis::is_flat(values.clone()) {
            return paint_ramp(area, &ramp);
        }
        let only = if values.clone().any(f64::is_finite) { short(ramp.least, 3) } else { String::new() };
        let left = WIDTH as i32 - MARGIN - canvas::text_width(&only, BODY);
        canvas::write(area, &only, (left, frame::ROW_MIDDLE), Pen::body(palette::INK), Anchor::MiddleLeft)
    }
}

/// The colours between the least value and the greatest, at the right end of the row above the chart.
pub(super) fn paint_ramp<DB: DrawingBackend>(area: &Area<DB>, ramp: &Ramp) -> Painted<DB> {
    let [low, high] = ramp.ends();
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

/// So many digits.
fn short(value: f64, digits: usize) -> String {
    let size = value.abs();
    let text = match size {
        0.0 => "0".into(),
        _ if (1e-3..1e4).contains(&size) => {
            let decimals = (digits as i32 - 1 - size.log10().floor() as i32).clamp(0, 12) as usize;
            format!("{value:.decimals$}")
        }
        _ => format!("{value:.*e}", digits - 1),
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(values: &[f64]) -> Side {
        Side { label: String::new(), values: values.into() }
    }

    #[test]
    fn borders_lie_between_the_values() {
        assert_eq!(side(&[-1.0, 0.0, 2.0]).borders(), [-1.5, -0.5, 1.0, 3.0]);
        let wide = side(&[1.0, 10.0, 100.0]);
        assert_eq!(wide.borders(), [-0.5, 0.5, 1.5, 2.5]);
        let axis = wide.axis();
        assert_eq!((axis.scale, axis.low, axis.high), (Scale::Logarithmic, -0.5, 2.5));
        assert_eq!(side(&[16.0, 32.0, 64.0]).scale(), Scale::Logarithmic);
        assert_eq!(side(&[1.0, 1.5, 2.0, 2.5]).scale(), Scale::Linear);
        assert_eq!(side(&[1.0, 2.0]).scale(), Scale::Linear);
    }

    #[test]
    fn axes_show_no_values_that_do_not_exist() {
        assert_eq!(side(&[0.0, 1.0, 3.0]).borders(), [0.0, 0.5, 2.0, 4.0]);
        assert_eq!(side(&[8.0, 32.0]).borders(), [0.0, 20.0, 44.0]);
        assert_eq!(side(&[8.0, 32.0]).axis().ticks, [10.0, 20.0, 30.0]);
        let ticks = side(&[0.0, 40.0]).axis().ticks;
        assert_eq!([ticks.first(), ticks.last()], [Some(&0.0), Some(&40.0)]);
    }

    #[test]
    fn a_ramp_over_decades_is_one_of_logarithms() {
        let of = |values: &[f64]| Ramp::of(values.iter().copied());
        let wide = of(&[1e-2, 1e2, f64::NAN]);
        assert_eq!(wide.scale, Scale::Logarithmic);
        assert!((wide.share(1e-1) - 0.25).abs() < 1e-12);
        let narrow = of(&[1.0, 999.0]);
        assert_eq!((narrow.scale, narrow.share(500.0)), (Scale::Linear, 0.5));
        assert_eq!(of(&[0.0, 1e4]).scale, Scale::Linear);
    }

    #[test]
    fn numbers_beside_the_ramp_have_three_digits_or_what_tells_them_apart() {
        let three = [0.0, -0.123_456, 12.34, 1234.5, 1e-7].map(|value| short(value, 3));
        assert_eq!(three, ["0", "−0.123", "12.3", "1234", "1.00e−7"]);
        let ends = |least, greatest| Ramp { least, greatest, scale: Scale::Linear }.ends();
        assert_eq!(ends(0.33321, 0.33339), ["0.3332", "0.3334"]);
        assert_eq!(ends(0.99981, 1.0), ["0.9998", "1.000"]);
    }
}
