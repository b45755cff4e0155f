//! Decimals as they were typed: a tenth is no double, but three tenths of a unit are to be 0.3 wherever they are printed.

/// digits * 10^exponent, exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    digits: u64,
    exponent: i32,
}

/// Digits that tell any two doubles apart.
const DIGITS: usize = 17;

impl Decimal {
    /// The shortest decimal that rounds to this number, which is the one that was typed if that had no more than 15 digits; none of
    /// what is not positive and finite.
    pub fn of(number: f64) -> Option<Self> {
        (number > 0.0 && number.is_finite()).then(|| Self::read(&format!("{number:e}"))).flatten()
    }

    /// The shortest decimal of which so many times are `end`. Two decimals of 15 digits differ by more than rounding of the product,
    /// so that it is the decimal that `end` was made of.
    pub fn part(end: f64, times: u64) -> Option<Self> {
        let ratio = end / times as f64;
        if !(ratio > 0.0 && ratio.is_finite()) {
            return None;
        }
        let rounded = |digits: usize| Self::read(&format!("{ratio:.*e}", digits - 1));
        (1..=DIGITS).filter_map(rounded).find(|decimal| decimal.times(times) == end)
    }

    /// So many times this number, rounded once.
    pub fn times(&self, count: u64) -> f64 {
        let product = u128::from(self.digits) * u128::from(count);
        // Text is rounded rightly, whatever its length; that of a whole number and an exponent is a number.
        format!("{product}e{}", self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// From "1.25e-3".
    fn read(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once('e')?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}").parse().ok()?;
        Some(Self { digits, exponent: exponent.parse::<i32>().ok()? - fraction.len() as i32 })
    }
}
