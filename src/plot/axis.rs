//! One axis: how far it reaches, where its ticks are and what they say.
//!
//! plotters chooses round ticks well; what it lacks is care for the cases that runs produce: a quantity that never
//! changes, a single sample, a decay over many decades, values whose size needs a power of ten.

use std::ops::Range;

use plotters::coord::ranged1d::{BoldPoints, DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;

/// Spreads below this share of the values themselves are rounding in single precision, not motion.
const CONSTANT: f64 = 1e-6;
/// A positive quantity that spans more than this factor is read on a logarithmic axis.
const DECADES: f64 = 1e3;
/// Larger values are as good as infinite: they have no place, and what is computed from them would overflow.
pub(super) const LARGEST: f64 = 1e100;
/// Smaller values are as good as zero.
const SMALLEST: f64 = 1e-100;
/// The empty share left beyond the extreme values.
const PADDING: f64 = 0.05;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    Linear,
    /// The axis runs over the decimal logarithm of the values.
    Logarithmic,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Axis {
    pub(super) scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
}

impl Axis {
    /// An axis that ends with the extreme values, as time does.
    pub(super) fn tight(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extremes(values);
        let size = low.abs().max(high.abs());
        let (low, high) = if differ(low, high) {
            (low, high)
        } else {
            let room = (PADDING * size).max(0.5);
            (low - room, high + room)
        };
        Self { scale: Scale::Linear, low, high, ticks: round_ticks(low, high, 8) }
    }

    /// An axis with room beyond the extreme values; it starts from zero where zero is near, and is logarithmic
    /// where positive values span many decades.
    pub(super) fn roomy(values: impl Iterator<Item = f64> + Clone) -> Self {
        let (low, high) = extremes(values);
        if Self::scale_of(low, high) == Scale::Logarithmic {
            return Self::decades(low, high);
        }
        let size = low.abs().max(high.abs());
        let (low, high) = if differ(low, high) {
            let room = PADDING * (high - low);
            let near_zero = low >= 0.0 && low < 0.4 * high;
            (if near_zero { 0.0 } else { low - room }, high + room)
        } else {
            let room = if size <= SMALLEST { 1.0 } else { PADDING * size };
            (low - room, high + room)
        };
        Self { scale: Scale::Linear, low, high, ticks: round_ticks(low, high, 7) }
    }

    /// Logarithmic where positive values reach over many decades.
    pub(super) fn scale_of(low: f64, high: f64) -> Scale {
        if low > SMALLEST && high > DECADES * low { Scale::Logarithmic } else { Scale::Linear }
    }

    /// A logarithmic axis for positive values, with room beyond the extreme ones.
    pub(super) fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extremes(values.filter(|value| *value > SMALLEST));
        let (low, high) = if high > low { (low, high) } else { (0.5 * low.max(0.2), 2.0 * low.max(0.2)) };
        let mut axis = Self::decades(low, high);
        if axis.ticks.len() < 3 {
            let steps: Vec<f64> = match axis.high - axis.low {
                1.0.. => vec![1.0, 2.0, 5.0],
                0.5.. => vec![1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
                _ => (2..20).map(|half| f64::from(half) / 2.0).collect(),
            };
            let exponents = axis.low.floor() as i32..=axis.high.floor() as i32;
            let ticks =
                exponents.flat_map(|exponent| steps.iter().map(move |step| f64::from(exponent) + step.log10()));
            axis.ticks = ticks.filter(|tick| (axis.low..=axis.high).contains(tick)).collect();
        }
        axis
    }

    /// The same for the values of a key, which are its ticks unless they are many.
    pub(super) fn logarithmic_at(keys: &[f64]) -> Self {
        let axis = Self::logarithmic(keys.iter().copied());
        let mut ticks: Vec<f64> = keys.iter().map(|key| key.log10()).collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        if (2..=8).contains(&ticks.len()) { Self { ticks, ..axis } } else { axis }
    }

    fn decades(low: f64, high: f64) -> Self {
        let (low, high) = (low.log10(), high.log10());
        let room = PADDING * (high - low);
        let (low, high) = (low - room, high + room);
        let stride = ((high - low) / 7.0).ceil() as usize;
        let ticks = (low.ceil() as i32..=high.floor() as i32).step_by(stride).map(f64::from).collect();
        Self { scale: Scale::Logarithmic, low, high, ticks }
    }

    /// The same without ticks beyond its ends.
    pub(super) fn inside(mut self) -> Self {
        self.ticks.retain(|tick| (self.low..=self.high).contains(tick));
        self
    }

    /// The least and the greatest of the values, never the same.
    pub(super) fn range_of(values: impl Iterator<Item = f64>) -> (f64, f64) {
        let (low, high) = extremes(values);
        if high > low { (low, high) } else { (low, low + low.abs().max(1.0)) }
    }

    /// Where a value lies between `low` and `high`; nothing for a value without a place, such as NaN, or zero on a
    /// logarithmic axis.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.log10(),
        };
        (place.is_finite() && value.abs() <= LARGEST).then_some(place)
    }

    /// What the tick at `place` says.
    pub(super) fn label(&self, place: f64) -> String {
        if self.scale == Scale::Logarithmic {
            return self.logarithmic_label(place);
        }
        let largest = self.low.abs().max(self.high.abs());
        let step = self.step();
        if (1e-3..1e5).contains(&largest) {
            return decimal(place, step);
        }
        let exponent = largest.log10().floor() as i32;
        let unit = 10_f64.powi(exponent);
        let mantissa = decimal(place / unit, step / unit);
        if has_digits(&mantissa) { format!("{mantissa}·{}", power_of_ten(exponent)) } else { "0".into() }
    }

    fn logarithmic_label(&self, place: f64) -> String {
        let is_decade = |place: f64| (place - place.round()).abs() < 1e-9;
        if self.ticks.iter().copied().all(is_decade) {
            return power_of_ten(place.round() as i32);
        }
        let value = 10_f64.powf(place);
        if (1e-3..1e6).contains(&value) {
            // Three digits, or all of a whole number.
            let decimals = (2 - place.floor() as i32).clamp(0, 5) as usize;
            let text = format!("{value:.decimals$}");
            return if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text };
        }
        let exponent = (place + 1e-9).floor() as i32;
        let mantissa = format!("{:.1}", value / 10_f64.powi(exponent));
        match mantissa.trim_end_matches('0').trim_end_matches('.') {
            "1" => power_of_ten(exponent),
            mantissa => format!("{mantissa}·{}", power_of_ten(exponent)),
        }
    }

    /// The distance between ticks.
    fn step(&self) -> f64 {
        match self.ticks[..] {
            [first, second, ..] => second - first,
            _ => self.high - self.low,
        }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, limit: (i32, i32)) -> i32 {
        RangedCoordf64::from(self.range()).map(place, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Light points would be lines between the ticks, which nobody reads.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

/// Whether a quantity of these values is the same everywhere, but for rounding, or nowhere finite.
pub(super) fn is_flat(values: impl Iterator<Item = f64>) -> bool {
    let (low, high) = extremes(values);
    !differ(low, high)
}

/// By more than rounding.
fn differ(low: f64, high: f64) -> bool {
    high - low > (CONSTANT * low.abs().max(high.abs())).max(SMALLEST)
}

/// The least and the greatest of the values that are not too large; zero if there is none.
fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let small = values.filter(|value| value.abs() <= LARGEST);
    let (low, high) = small.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low <= high { (low, high) } else { (0.0, 0.0) }
}

/// At most `count` round numbers from `low` to `high`.
pub(super) fn round_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let mut ticks = RangedCoordf64::from(low..high).key_points(BoldPoints(count));
    ticks.retain(|tick| (low..=high).contains(tick));
    ticks
}

/// `value` with the decimals that tell ticks `step` apart.
fn decimal(value: f64, step: f64) -> String {
    // Steps are 1, 2, 2.5 or 5 times a power of ten; the second decimal of 2.5 is looked for by rounding.
    let coarse = (-step.log10()).ceil().clamp(0.0, 12.0) as usize;
    let scaled = step * 10_f64.powi(coarse as i32);
    let decimals = if (scaled - scaled.round()).abs() > 1e-6 * scaled { coarse + 1 } else { coarse };
    let text = format!("{value:.decimals$}");
    let Some(digits) = text.strip_prefix('-') else { return text };
    // "-0.00" is a zero that rounding left a sign on.
    if has_digits(digits) { format!("−{digits}") } else { digits.into() }
}

fn has_digits(number: &str) -> bool {
    number.contains(|digit| ('1'..='9').contains(&digit))
}

fn power_of_ten(exponent: i32) -> String {
    let digits = exponent.to_string();
    let raised = digits.chars().map(|sign| match sign {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁻',
    });
    format!("10{}", raised.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|&tick| axis.label(tick)).collect()
    }

    fn roomy(values: &[f64]) -> Axis {
        Axis::roomy(values.iter().copied())
    }

    #[test]
    fn every_axis_has_distinct_ticks_inside_it() {
        let cases: [&[f64]; 18] = [
            &[],
            &[0.0],
            &[1.0; 3],
            &[-3.5],
            &[0.1, 0.93],
            &[1.0, 1.0 + 1e-9],
            &[0.999_99, 1.0],
            &[-12.0, 30.0],
            &[1e-9, 2e-9],
            &[3e17, 9e17],
            &[1e-12, 1.0],
            &[-1.7e308, 1.7e308],
            &[f64::MAX],
            &[5e-324],
            &[1e-310, 2e-310],
            &[5e-324, 1e308],
            &[1e300, 1.000_001_1e300],
            &[f64::NAN, 0.25, f64::INFINITY, 0.5],
        ];
        for values in cases {
            let axis = roomy(values);
            let labels = labels(&axis);
            assert!(axis.low < axis.high, "{values:?}: {axis:?}");
            assert!((3..=9).contains(&labels.len()), "{values:?}: {labels:?}");
            assert!(axis.ticks.iter().all(|tick| (axis.low..=axis.high).contains(tick)), "{values:?}: {axis:?}");
            for value in values.iter().filter(|value| value.abs() <= LARGEST) {
                let place = axis.place(*value).expect("a finite value of these has a place");
                assert!(axis.low < place && place < axis.high, "{value} lies on the edge of {axis:?}");
            }
            let mut distinct = labels.clone();
            distinct.dedup();
            assert_eq!(distinct, labels, "{values:?}");
        }
    }

    #[test]
    fn labels_have_the_decimals_that_they_need() {
        assert_eq!(labels(&roomy(&[1e-7, 9e-7]))[..2], ["0", "2·10⁻⁷"].map(String::from)[..]);
        assert_eq!(labels(&Axis::tight([0.0, 10.0].into_iter()))[..3], ["0", "2", "4"].map(String::from)[..]);
        assert!(labels(&roomy(&[0.1, 0.9])).contains(&"0.4".into()));
        assert!(labels(&roomy(&[-2.0, 2.0])).contains(&"−1".into()));
        assert_eq!(decimal(0.25, 0.25), "0.25");
        assert_eq!(decimal(-1e-17, 0.5), "0.0");
        assert!(labels(&roomy(&[3e17, 9e17])).iter().any(|label| label.ends_with("·10¹⁷")), "powers of ten");
    }

    #[test]
    fn a_decay_over_many_decades_is_logarithmic() {
        let axis = roomy(&[1.2, 3e-3, 4e-6]);
        assert_eq!(axis.scale, Scale::Logarithmic);
        assert_eq!(labels(&axis), ["10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]);
        assert_eq!(axis.place(0.1), Some(-1.0));
        assert_eq!(axis.place(0.0), None);
        assert_eq!(axis.label(-6.0), "10⁻⁶");
        assert_eq!(roomy(&[1.2, 3e-3, 0.0]).scale, Scale::Linear, "zero has no logarithm");
    }

    #[test]
    fn values_that_differ_by_rounding_are_flat() {
        for flat in [&[][..], &[f64::NAN; 2], &[3.0, f64::NAN, 3.0], &[1.0, 1.0 - 6e-8]] {
            assert!(is_flat(flat.iter().copied()), "{flat:?}");
        }
        assert!(!is_flat([1.0, 1.00001].into_iter()) && !is_flat([0.0, 1e-9].into_iter()));
    }

    #[test]
    fn a_logarithmic_axis_of_any_length_has_ticks() {
        let of = |values: &[f64]| labels(&Axis::logarithmic(values.iter().copied()));
        assert_eq!(of(&[6e-3, 0.11]), ["0.01", "0.02", "0.05", "0.1"]);
        assert_eq!(of(&[0.21, 0.42]), ["0.25", "0.3", "0.35", "0.4"]);
        assert_eq!(of(&[2e-7, 3e-6]), ["2·10⁻⁷", "5·10⁻⁷", "10⁻⁶", "2·10⁻⁶"]);
        assert_eq!(of(&[1e-4, 1.0]), ["10⁻⁴", "10⁻³", "10⁻²", "10⁻¹", "10⁰"]);
        assert!(of(&[3.0]).len() >= 3 && of(&[]).len() >= 3);
        assert_eq!(labels(&Axis::logarithmic_at(&[256.0, 64.0, 16384.0])), ["64", "256", "16384"]);
        assert_eq!(labels(&Axis::logarithmic_at(&[0.5, 1.0, 2.0])), ["0.5", "1", "2"]);
    }
}
