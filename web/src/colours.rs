//! What tokens are coloured by.

/// Largest angle between neighbours of one cluster: its cosine.
const THRESHOLD: f64 = 0.99;

/// Red, green, blue and opacity of a token.
pub type Rgba = [u8; 4];

/// A property that tokens are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Where it started.
    Start,
    /// Which cluster it is in.
    Cluster,
    /// How fast it moves.
    Speed,
    /// Which one it is in the text.
    Place,
}

impl By {
    /// What a page calls it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "start" => Some(Self::Start),
            "cluster" => Some(Self::Cluster),
            "speed" => Some(Self::Speed),
            "place" => Some(Self::Place),
            _ => None,
        }
    }
}

/// By where tokens start: the hue is the angle in the plane of the first two directions, the lightness the height along the third.
pub fn by_start(tokens: &[f64], dim: usize, axes: &[f64]) -> Vec<Rgba> {
    let along = |token: &[f64], axis: usize| -> f64 {
        token.iter().zip(&axes[axis * dim..][..dim]).map(|(x, direction)| x * direction).sum()
    };
    let colour = |token: &[f64]| {
        let [x, y, z] = [0, 1, 2].map(|axis| along(token, axis));
        let length = (x * x + y * y + z * z).sqrt().max(f64::MIN_POSITIVE);
        lch(0.68 + 0.16 * z / length, 0.15, y.atan2(x))
    };
    tokens.chunks_exact(dim).map(colour).collect()
}

/// By cluster: components of tokens whose neighbours are within an angle of cosine 0.99; the larger ones have the clearest colours.
pub fn by_cluster(tokens: &[f64], dim: usize) -> Vec<Rgba> {
    let labels = tokenfield::observables::cluster_labels(&directions(tokens, dim), dim, THRESHOLD);
    let mut sizes = vec![0_u32; labels.len()];
    labels.iter().for_each(|label| sizes[*label as usize] += 1);
    let mut order: Vec<usize> = (0..sizes.len()).filter(|label| sizes[*label] > 0).collect();
    order.sort_by_key(|label| std::cmp::Reverse(sizes[*label]));
    let mut colours = vec![[128, 128, 128, 255]; sizes.len()];
    for (rank, label) in order.into_iter().enumerate() {
        // Successive hues lie a golden section of the circle apart.
        let hue = std::f64::consts::TAU * (0.12 + rank as f64 * 0.618_033_988_749_895);
        colours[label] = lch(0.70, 0.15, hue);
    }
    labels.into_iter().map(|label| colours[label as usize]).collect()
}

/// Tokens of length one, but for those at the origin.
fn directions(tokens: &[f64], dim: usize) -> Vec<f64> {
    let mut directions = tokens.to_vec();
    for token in directions.chunks_exact_mut(dim) {
        let length = token.iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 {
            token.iter_mut().for_each(|x| *x /= length);
        }
    }
    directions
}

/// By speed: from dark blue, at rest, to yellow, the fastest.
pub fn by_speed(velocities: &[f64], dim: usize) -> Vec<Rgba> {
    let speeds: Vec<f64> =
        velocities.chunks_exact(dim).map(|velocity| velocity.iter().map(|v| v * v).sum::<f64>().sqrt()).collect();
    let largest = speeds.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    speeds.into_iter().map(|speed| ramp(speed / largest)).collect()
}

/// By place: from the first token, dark blue, to the last, yellow.
pub fn by_place(count: usize) -> Vec<Rgba> {
    (0..count).map(|place| ramp(place as f64 / (count.max(2) - 1) as f64)).collect()
}

/// Colours of evenly growing lightness.
fn ramp(share: f64) -> Rgba {
    lch(0.35 + 0.52 * share, 0.13, 4.9 - 3.1 * share)
}

/// The colour of this lightness, chroma and hue in Oklab (B. Ottosson, 2020), within what screens show.
fn lch(lightness: f64, chroma: f64, hue: f64) -> Rgba {
    let (a, b) = (chroma * hue.cos(), chroma * hue.sin());
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
    ];
    let [red, green, blue] = linear.map(|x| {
        let x = x.clamp(0.0, 1.0);
        let encoded = if x <= 0.003_130_8 { 12.92 * x } else { 1.055 * x.powf(1.0 / 2.4) - 0.055 };
        (encoded * 255.0).round() as u8
    });
    [red, green, blue, 255]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of Ottosson's page: white is lightness one without chroma, and red is (0.628, 0.2577, 0.5102 radians).
    #[test]
    fn colours_are_those_of_oklab() {
        assert_eq!(lch(1.0, 0.0, 0.0), [255, 255, 255, 255]);
        assert_eq!(lch(0.0, 0.0, 0.0), [0, 0, 0, 255]);
        let [red, green, blue, _] = lch(0.627_96, 0.257_68, 0.510_2);
        assert!(red >= 254 && green <= 2 && blue <= 2, "{red} {green} {blue}");
    }

    #[test]
    fn tokens_of_one_cluster_have_one_colour() {
        let tokens = [1.0, 0.0, 0.0, 1.0, 5.0, 1e-3, -1.0, 0.0];
        let colours = by_cluster(&tokens, 2);
        assert_eq!(colours[0], colours[2]);
        assert!(colours[0] != colours[1] && colours[1] != colours[3] && colours[0] != colours[3]);
    }

    #[test]
    fn the_fastest_token_and_the_last_one_are_the_lightest() {
        let sum = |colour: &Rgba| colour.iter().map(|x| u32::from(*x)).sum::<u32>();
        let colours = by_speed(&[0.0, 0.0, 3.0, 4.0, 1.0, 0.0], 2);
        assert!(sum(&colours[1]) > sum(&colours[2]) && sum(&colours[2]) > sum(&colours[0]));
        let colours = by_place(5);
        assert!(colours.windows(2).all(|pair| sum(&pair[1]) > sum(&pair[0])), "{colours:?}");
    }
}
