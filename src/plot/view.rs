//! The final tokens of the first replica, as they are seen: on the circle, on the sphere, or along the two directions in which they
//! vary most.

use std::f64::consts::TAU;

use glam::DVec3;
use rayon::prelude::*;

use super::camera::Camera;
use super::canvas::Heading;
use super::clusters::{Cluster, Cubes};
use super::dots::Dot;
use super::error::PlotError;
use super::projection;
use super::replica_tokens::{ReplicaTokens, is_finite};
use super::token_file::TokenFile;

/// Arcs in which tokens on the circle are counted.
pub(super) const ARCS: usize = 120;
/// Tokens that one task looks at.
const PART: usize = 1 << 14;
/// More dots than this say no more, and make an SVG that no browser likes.
const DRAWN: usize = 16_384;
/// How far from one the length of a token on the sphere may be.
const UNIT: f64 = 1e-2;
/// The width of the cubes in which clusters are looked for, for a picture that reaches from -1 to 1: a few dots.
const KNOT: f64 = 0.04;

pub(super) struct Tokens {
    pub(super) heading: Heading,
    pub(super) view: View,
    /// How many tokens are finite.
    pub(super) count: usize,
    /// Those that are drawn as dots, as the view sees them: right, up, and towards the eye.
    pub(super) drawn: Vec<DVec3>,
    /// The corners of a box around all.
    pub(super) bounds: Option<(DVec3, DVec3)>,
    /// How many there are in each of [`ARCS`] arcs of the circle, counter-clockwise from the first axis.
    pub(super) arcs: [usize; ARCS],
    pub(super) clusters: Vec<Cluster>,
}

pub(super) enum View {
    Circle,
    Sphere(Camera),
    /// Seen along two principal directions, with the shares of the variance that they explain.
    Plane([f64; 2]),
}

impl Tokens {
    /// Chooses the view that suits the tokens of a file, which are read run by run unless they have many components.
    pub(super) fn read(heading: &Heading, file: &mut TokenFile) -> Result<Self, PlotError> {
        let dim = file.dim;
        let mut survey = Survey::default();
        file.each_run(|run| survey.add(run, dim))?;
        let (view, tally) = match survey.view(dim) {
            Some(view) => {
                let mut tally = Tally::new(survey.finite, 1.0, matches!(view, View::Circle));
                file.each_run(|run| tally.add(&view.places(run, dim)))?;
                (view, tally)
            }
            None => {
                let mut tokens = ReplicaTokens { dim, replicas: file.replicas, coordinates: Vec::new() };
                tokens.coordinates.reserve_exact(file.count * dim);
                file.each_run(|run| tokens.coordinates.extend_from_slice(run))?;
                let (view, places) = planar(&tokens);
                let reach = places.iter().map(|place| place.abs().max_element()).fold(0.0, f64::max);
                let mut tally = Tally::new(survey.finite, reach, false);
                tally.add(&places);
                (view, tally)
            }
        };
        let Tally { cubes, arcs, bounds, drawn, .. } = tally;
        let clusters = cubes.clusters();
        let mut tokens = Self { heading: heading.clone(), view, count: survey.finite, drawn, bounds, arcs, clusters };
        tokens.explain(file);
        Ok(tokens)
    }

    /// Says in the caption what is not drawn, so that nobody takes a part for the whole.
    fn explain(&mut self, file: &TokenFile) {
        let mut parts = vec![std::mem::take(&mut self.heading.caption)];
        parts.retain(|caption| !caption.is_empty());
        parts.push(if file.replicas == 1 { "final tokens".into() } else { "final tokens of replica 0".to_string() });
        if self.stride() > 1 {
            parts.push(format!("1 in {} drawn", self.stride()));
        }
        let lost = file.count - self.count;
        if lost > 0 {
            parts.push(format!("{lost} not finite"));
        }
        self.heading.caption = parts.join(" · ");
    }

    fn stride(&self) -> usize {
        self.count.div_ceil(DRAWN).max(1)
    }

    pub(super) fn dot(&self) -> Dot {
        Dot::among(self.count.div_ceil(self.stride()))
    }
}

/// What has to be known of all tokens before any is seen.
#[derive(Default)]
struct Survey {
    finite: usize,
    /// Those of length one.
    unit: usize,
    sum: DVec3,
}

impl Survey {
    fn add(&mut self, tokens: &[f64], dim: usize) {
        let part = |tokens: &[f64]| {
            let mut part = Self::default();
            for token in tokens.chunks_exact(dim).filter(|token| is_finite(token)) {
                let length = token.iter().map(|component| component * component).sum::<f64>().sqrt();
                part.finite += 1;
                part.unit += usize::from((length - 1.0).abs() < UNIT);
                if let [x, y, z] = *token {
                    part.sum += DVec3::new(x, y, z);
                }
            }
            part
        };
        let parts: Vec<Self> = tokens.par_chunks(PART * dim).map(part).collect();
        for part in parts {
            (self.finite, self.unit, self.sum) =
                (self.finite + part.finite, self.unit + part.unit, self.sum + part.sum);
        }
    }

    /// The view of tokens on the circle and on the sphere; none of others.
    fn view(&self, dim: usize) -> Option<View> {
        match dim {
            2 if self.unit == self.finite => Some(View::Circle),
            3 if self.unit == self.finite => Some(View::Sphere(Camera::facing(self.sum))),
            _ => None,
        }
    }
}

impl View {
    /// Where tokens on the circle or on the sphere are seen, those that are finite.
    fn places(&self, tokens: &[f64], dim: usize) -> Vec<DVec3> {
        let see = |token: &[f64]| match self {
            View::Sphere(camera) => camera.see(DVec3::from_slice(token)),
            View::Circle | View::Plane(_) => DVec3::new(token[0], token[1], 0.0),
        };
        tokens.par_chunks_exact(dim).with_min_len(PART).filter(|token| is_finite(token)).map(see).collect()
    }
}

/// What a picture needs of all places, as they come.
struct Tally {
    cubes: Cubes,
    has_arcs: bool,
    arcs: [usize; ARCS],
    bounds: Option<(DVec3, DVec3)>,
    drawn: Vec<DVec3>,
    /// Places in a stretch of which one is drawn.
    stretch: usize,
    count: usize,
    seen: usize,
}

impl Tally {
    /// Of so many places in a picture that reaches so far, on the circle perhaps.
    fn new(count: usize, reach: f64, has_arcs: bool) -> Self {
        // A cloud shrunk to one place still needs cubes of some width.
        let cubes = Cubes::new(if reach > 0.0 { KNOT * reach } else { 1.0 });
        let stretch = count.div_ceil(DRAWN).max(1);
        Self { cubes, has_arcs, arcs: [0; ARCS], bounds: None, drawn: Vec::new(), stretch, count, seen: 0 }
    }

    fn add(&mut self, places: &[DVec3]) {
        self.cubes.add(places);
        let own = places.iter().map(|place| (*place, *place));
        self.bounds = self.bounds.into_iter().chain(own).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
        if self.has_arcs {
            for place in places {
                let turn = (place.y.atan2(place.x) / TAU).rem_euclid(1.0);
                self.arcs[(turn * ARCS as f64) as usize % ARCS] += 1;
            }
        }
        while let Some(place) = places.get(chosen(self.drawn.len(), self.stretch, self.count) - self.seen) {
            self.drawn.push(*place);
            if self.drawn.len() * self.stretch >= self.count {
                break;
            }
        }
        self.seen += places.len();
    }
}

/// The place that is drawn of a stretch of them, by a hash: every k-th token of a grid or a spiral would be a pattern of its own.
fn chosen(index: usize, stretch: usize, count: usize) -> usize {
    let first = index * stretch;
    first + scrambled(index) % stretch.min(count.saturating_sub(first)).max(1)
}

/// The numbers of at most `most` of `count` tokens, ascending, the same ones of as many others.
pub(super) fn picks(count: usize, most: usize) -> Vec<usize> {
    let stretch = count.div_ceil(most).max(1);
    (0..count.div_ceil(stretch)).map(|index| chosen(index, stretch, count)).collect()
}

/// At most `most` of the places, the same ones of as many others.
pub(super) fn picked(places: &[DVec3], most: usize) -> Vec<DVec3> {
    picks(places.len(), most).into_iter().map(|number| places[number]).collect()
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
    let mut survey = Survey::default();
    survey.add(&tokens.coordinates, tokens.dim);
    match survey.view(tokens.dim) {
        Some(view) => {
            let places = view.places(&tokens.coordinates, tokens.dim);
            (view, places)
        }
        None => planar(tokens),
    }
}

/// The same of tokens in many dimensions.
fn planar(tokens: &ReplicaTokens) -> (View, Vec<DVec3>) {
    let projection = projection::principal(tokens.finite(), tokens.dim);
    let places = projection.places.iter().map(|&[right, up]| DVec3::new(right, up, 0.0)).collect();
    (View::Plane(projection.shares), places)
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
        for count in [3 * DRAWN, 3 * DRAWN - 1, DRAWN + 1, DRAWN, 5, 1, 0] {
            let places: Vec<DVec3> = (0..count).map(|k| DVec3::new(k as f64, 0.0, 0.0)).collect();
            let mut tally = Tally::new(count, count as f64, false);
            places.chunks(1000).for_each(|run| tally.add(run));
            let drawn: Vec<usize> = tally.drawn.iter().map(|place| place.x as usize).collect();
            let stretch = count.div_ceil(DRAWN).max(1);
            assert_eq!(drawn.len(), count.div_ceil(stretch), "{count}");
            assert!(drawn.iter().enumerate().all(|(index, token)| token / stretch == index), "one in each stretch");
            assert_eq!(drawn, picks(count, DRAWN), "whole or run by run");
            assert_eq!(tally.drawn, picked(&places, DRAWN));
            if stretch == 3 {
                assert!((0..3).all(|rest| drawn.iter().any(|token| token % 3 == rest)), "not the same of each");
            }
        }
    }

    #[test]
    fn every_token_is_counted_in_its_arc() {
        let angles = [0.001, 0.02, TAU / 4.0 + 0.001, TAU - 0.001];
        let places = angles.map(|angle| DVec3::new(f64::cos(angle), f64::sin(angle), 0.0));
        let mut tally = Tally::new(4, 1.0, true);
        places.chunks(3).for_each(|run| tally.add(run));
        assert_eq!((tally.arcs[0], tally.arcs[ARCS / 4], tally.arcs[ARCS - 1]), (2, 1, 1));
        assert_eq!(tally.arcs.iter().sum::<usize>(), places.len());
        assert_eq!(
            tally.bounds.map(|(low, high)| [low.x, high.x, low.y, high.y].map(f64::round)),
            Some([0.0, 1.0, 0.0, 1.0])
        );
    }
}
