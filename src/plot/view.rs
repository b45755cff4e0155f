//! The final tokens of the first replica, as they are seen: on the circle, on the sphere, or along the two directions in which they
//! vary most.

use glam::DVec3;

use super::camera::Camera;
use super::canvas::Heading;
use super::clusters::{self, Cluster};
use super::dots::Dot;
use super::projection;
use super::replica_tokens::ReplicaTokens;

/// More dots than this say no more, and make an SVG that no browser likes.
const DRAWN: usize = 16_384;
/// How far from one the length of a token on the sphere may be.
const UNIT: f64 = 1e-2;
/// The width of the cubes in which clusters are looked for, for a picture that reaches from -1 to 1: a few dots.
const KNOT: f64 = 0.04;

pub(super) struct Tokens {
    pub(super) heading: Heading,
    pub(super) view: View,
    /// The tokens as the view sees them: right, up, and towards the eye.
    pub(super) places: Vec<DVec3>,
    pub(super) clusters: Vec<Cluster>,
}

pub(super) enum View {
    Circle,
    Sphere(Camera),
    /// Seen along two principal directions, with the shares of the variance that they explain.
    Plane([f64; 2]),
}

impl Tokens {
    /// Chooses the view that suits the dimension of the tokens.
    pub(super) fn new(heading: &Heading, tokens: &ReplicaTokens) -> Self {
        let (view, places) = view(tokens);
        let reach = match view {
            View::Plane(_) => places.iter().map(|place| place.abs().max_element()).fold(0.0, f64::max),
            View::Circle | View::Sphere(_) => 1.0,
        };
        // A cloud shrunk to one place still needs cubes of some width.
        let width = if reach > 0.0 { KNOT * reach } else { 1.0 };
        let clusters = clusters::find(&places, width);
        let mut drawn = Self { heading: heading.clone(), view, places, clusters };
        drawn.explain(tokens);
        drawn
    }

    /// Says in the caption what is not drawn, so that nobody takes a part for the whole.
    fn explain(&mut self, tokens: &ReplicaTokens) {
        let mut parts = vec![std::mem::take(&mut self.heading.caption)];
        parts.retain(|caption| !caption.is_empty());
        parts.push(if tokens.replicas == 1 {
            "final tokens".into()
        } else {
            "final tokens of replica 0".to_string()
        });
        if self.stride() > 1 {
            parts.push(format!("1 in {} drawn", self.stride()));
        }
        let lost = tokens.count() - self.places.len();
        if lost > 0 {
            parts.push(format!("{lost} not finite"));
        }
        self.heading.caption = parts.join(" · ");
    }

    fn stride(&self) -> usize {
        self.places.len().div_ceil(DRAWN).max(1)
    }

    /// The tokens that are drawn as dots.
    pub(super) fn drawn(&self) -> Vec<DVec3> {
        picked(&self.places, DRAWN)
    }

    pub(super) fn dot(&self) -> Dot {
        Dot::among(self.places.len().div_ceil(self.stride()))
    }
}

/// At most `most` of the places, the same ones of as many others.
pub(super) fn picked(places: &[DVec3], most: usize) -> Vec<DVec3> {
    // One token of each stretch, picked by a hash: every k-th token of a grid or a spiral would be a pattern of its own.
    let pick = |(stretch, places): (usize, &[DVec3])| places[scrambled(stretch) % places.len()];
    places.chunks(places.len().div_ceil(most).max(1)).enumerate().map(pick).collect()
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), which leaves no trace of the order of its arguments.
fn scrambled(index: usize) -> usize {
    let mut bits = (index as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) as usize
}

/// The view that suits the tokens, and where it sees those that are finite.
pub(super) fn view(tokens: &ReplicaTokens) -> (View, Vec<DVec3>) {
    let spherical = tokens.finite().all(|token| {
        let length = token.iter().map(|component| component * component).sum::<f64>().sqrt();
        (length - 1.0).abs() < UNIT
    });
    match tokens.dim {
        2 if spherical => (View::Circle, tokens.finite().map(|token| DVec3::new(token[0], token[1], 0.0)).collect()),
        3 if spherical => {
            let places: Vec<DVec3> = tokens.finite().map(DVec3::from_slice).collect();
            let camera = Camera::facing(places.iter().sum());
            let seen = places.into_iter().map(|place| camera.see(place)).collect();
            (View::Sphere(camera), seen)
        }
        _ => {
            let projection = projection::principal(tokens.finite(), tokens.dim);
            let places = projection.places.iter().map(|&[right, up]| DVec3::new(right, up, 0.0)).collect();
            (View::Plane(projection.shares), places)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tokens_drawn_of_many_follow_no_pattern() {
        let mut picked = [0; 3];
        let mut steps = [0; 5];
        for stretch in 0..3000 {
            let (here, next) = (scrambled(stretch) % 3, scrambled(stretch + 1) % 3);
            picked[here] += 1;
            steps[next + 2 - here] += 1;
        }
        // A third of 3000 each, and the nine pairs of neighbours a ninth each, within five standard deviations.
        assert!(picked.iter().all(|count: &i32| (count - 1000).abs() < 130), "{picked:?}");
        let expected = [333, 667, 1000, 667, 333];
        assert!(steps.iter().zip(expected).all(|(count, mean): (&i32, i32)| (count - mean).abs() < 130), "{steps:?}");
    }

    #[test]
    fn of_many_tokens_one_in_each_stretch_is_drawn() {
        let count = 3 * DRAWN;
        let heading = Heading { title: String::new(), caption: String::new() };
        let coordinates = (0..count).flat_map(|k| [k as f64, 0.0]).collect();
        let mut tokens = Tokens::new(&heading, &ReplicaTokens { dim: 2, replicas: 1, coordinates });
        tokens.places = (0..count).map(|k| DVec3::new(k as f64, 0.0, 0.0)).collect();
        let drawn: Vec<usize> = tokens.drawn().iter().map(|place| place.x as usize).collect();
        assert!(drawn.iter().enumerate().all(|(stretch, &token)| token / 3 == stretch), "one in each stretch");
        assert!((0..3).all(|rest| drawn.iter().any(|token| token % 3 == rest)), "not the same of each");
    }
}
