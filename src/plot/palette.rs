//! The colours, chosen once: ink and two greys for words and axes, one hue for each quantity, one ramp for depth.
//!
//! The hues differ in lightness as well, so that they survive a grey printer and colour-blind eyes.

use plotters::style::RGBColor;

use crate::observables::Hue;

pub(super) const INK: RGBColor = RGBColor(0x1c, 0x24, 0x30);
pub(super) const GREY: RGBColor = RGBColor(0x5f, 0x6b, 0x7a);
pub(super) const GRID: RGBColor = RGBColor(0xe3, 0xe7, 0xec);
pub(super) const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);

pub(super) const BLUE: RGBColor = RGBColor(0x1f, 0x5a, 0xa6);
pub(super) const RUST: RGBColor = RGBColor(0xb8, 0x47, 0x16);
pub(super) const TEAL: RGBColor = RGBColor(0x0b, 0x7a, 0x75);

/// The colour of a quantity.
pub(super) fn of(hue: Hue) -> RGBColor {
    match hue {
        Hue::Blue => BLUE,
        Hue::Rust => RUST,
        Hue::Teal => TEAL,
    }
}

/// Series in one chart, in turn.
pub(super) const SERIES: [RGBColor; 6] =
    [BLUE, RUST, TEAL, RGBColor(0x7a, 0x3f, 0x98), RGBColor(0x8a, 0x6d, 0x0b), RGBColor(0xb0, 0x2a, 0x5b)];

/// As many curves as can be told apart: the series, and four that differ from them more in lightness than in hue.
pub(super) const CURVES: [RGBColor; 10] = [
    SERIES[0],
    SERIES[1],
    SERIES[2],
    SERIES[3],
    SERIES[4],
    SERIES[5],
    INK,
    RGBColor(0x4f, 0xa8, 0xe0),
    RGBColor(0xe8, 0x8c, 0x30),
    RGBColor(0x5f, 0xa8, 0x3a),
];

/// Clusters stand out from the tokens around them.
pub(super) const CLUSTER: RGBColor = RGBColor(0xd9, 0x5f, 0x0e);

/// The near side of the sphere, from its limb to the point that faces the eye.
const NEAR: [RGBColor; 3] = [RGBColor(0x5f, 0xb3, 0xc4), RGBColor(0x2b, 0x7b, 0xb0), RGBColor(0x1b, 0x3a, 0x7a)];
/// The far side, from its limb to the point that is farthest away.
const FAR: [RGBColor; 2] = [RGBColor(0x8f, 0xa9, 0xb8), RGBColor(0xb4, 0xc0, 0xcc)];

/// The colour of a token at `depth`, from -1 (farthest from the eye) to 1 (nearest).
pub(super) fn depth(depth: f64) -> RGBColor {
    if depth < 0.0 {
        return mix(FAR[0], FAR[1], -depth);
    }
    if depth < 0.5 { mix(NEAR[0], NEAR[1], 2.0 * depth) } else { mix(NEAR[1], NEAR[2], 2.0 * depth - 1.0) }
}

/// A ramp from pale for the least to dark for the greatest, with shares at which its lightness (CIE L*) falls evenly.
const RAMP: [(f64, RGBColor); 5] = [
    (0.0, RGBColor(0xf7, 0xf4, 0xe3)),
    (0.14, RGBColor(0xb5, 0xdd, 0xc0)),
    (0.36, RGBColor(0x4f, 0xb0, 0xb9)),
    (0.65, RGBColor(0x22, 0x6b, 0xa6)),
    (1.0, RGBColor(0x1a, 0x1f, 0x5c)),
];

/// The colour of a share, from 0 to 1.
pub(super) fn ramp(share: f64) -> RGBColor {
    let share = share.clamp(0.0, 1.0);
    let above = RAMP.iter().position(|(place, _)| share < *place).unwrap_or(RAMP.len() - 1).max(1);
    let ((low, from), (high, to)) = (RAMP[above - 1], RAMP[above]);
    mix(from, to, (share - low) / (high - low))
}

fn mix(from: RGBColor, to: RGBColor, share: f64) -> RGBColor {
    let share = share.clamp(0.0, 1.0);
    let blend = |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
    RGBColor(blend(from.0, to.0), blend(from.1, to.1), blend(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lightness(colour: RGBColor) -> u32 {
        u32::from(colour.0) + u32::from(colour.1) + u32::from(colour.2)
    }

    #[test]
    fn more_is_darker() {
        let shades: Vec<u32> = (-10..=10).map(|step| lightness(depth(f64::from(step) / 10.0))).collect();
        assert!(shades.windows(2).all(|pair| pair[0] > pair[1]), "{shades:?}");
        let shades: Vec<u32> = (0..=20).map(|step| lightness(ramp(f64::from(step) / 20.0))).collect();
        assert!(shades.windows(2).all(|pair| pair[0] > pair[1]), "{shades:?}");
    }

    /// CIE L* of a colour in sRGB: 116 Y^{1/3} - 16 of its relative luminance Y.
    fn perceived(colour: RGBColor) -> f64 {
        let linear = |byte: u8| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = 0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2);
        116.0 * luminance.cbrt() - 16.0
    }

    #[test]
    fn lightness_falls_evenly_along_the_ramp() {
        let (pale, dark) = (perceived(ramp(0.0)), perceived(ramp(1.0)));
        assert!(pale > 95.0 && dark < 20.0, "{pale} {dark}");
        for share in (0..=40).map(|step| f64::from(step) / 40.0) {
            let (found, even) = (perceived(ramp(share)), pale + share * (dark - pale));
            assert!((found - even).abs() < 3.0, "{found} at {share}, not {even}");
        }
    }
}
