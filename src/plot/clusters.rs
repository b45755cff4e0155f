//! Finds tokens that sit on one another, which a scatter of dots cannot show.
//!
//! This is for the eye only: a knot of tokens, closer together than dots can tell apart and with nothing around it. It
//! measures nothing that a paper calls a cluster. Space is cut into cubes a few dots wide; a cluster is a
//! crowded cube whose neighbours hold nearly all tokens that its wider surroundings hold.

use std::collections::HashMap;

use glam::{DVec3, I64Vec3};
use rayon::prelude::*;

/// The share of the tokens within three cubes that must lie within one: smooth densities fail it, knots pass.
const ISOLATED: f64 = 0.8;

/// Places that one task counts.
const PART: usize = 1 << 16;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cluster {
    pub(super) centre: DVec3,
    pub(super) count: usize,
}

/// How many places there are in each cube, and their sum.
pub(super) struct Cubes {
    width: f64,
    places: usize,
    cubes: HashMap<I64Vec3, (usize, DVec3)>,
}

impl Cubes {
    /// Cubes of this width, which are empty.
    pub(super) fn new(width: f64) -> Self {
        Self { width, places: 0, cubes: HashMap::new() }
    }

    pub(super) fn add(&mut self, places: &[DVec3]) {
        let width = self.width;
        let part = |places: &[DVec3]| {
            let mut cubes: HashMap<I64Vec3, (usize, DVec3)> = HashMap::new();
            for place in places {
                let (count, sum) = cubes.entry((place / width).floor().as_i64vec3()).or_default();
                *count += 1;
                *sum += *place;
            }
            cubes
        };
        let parts: Vec<_> = places.par_chunks(PART).map(part).collect();
        for (cube, (count, sum)) in parts.into_iter().flatten() {
            let own = self.cubes.entry(cube).or_default();
            *own = (own.0 + count, own.1 + sum);
        }
        self.places += places.len();
    }

    /// The clusters among all places, largest first.
    pub(super) fn clusters(self) -> Vec<Cluster> {
        find(self.cubes, self.places)
    }
}

fn find(mut cubes: HashMap<I64Vec3, (usize, DVec3)>, places: usize) -> Vec<Cluster> {
    // Counts of n tokens fluctuate by sqrt(n): a smaller knot is no news.
    let least = (places as f64).sqrt().max(2.0);
    let within = |cubes: &HashMap<I64Vec3, (usize, DVec3)>, centre: I64Vec3, reach: i64| {
        let found = neighbourhood(centre, reach).filter_map(|cube| cubes.get(&cube));
        found.fold((0, DVec3::ZERO), |(count, sum), cube| (count + cube.0, sum + cube.1))
    };
    // The fullest of the 27 cubes around a cluster holds at least this part of it.
    let crowded = cubes.iter().filter(|(_, cube)| cube.0 as f64 * 27.0 >= least);
    let mut cores: Vec<(usize, I64Vec3)> = crowded.map(|(&core, _)| (within(&cubes, core, 1).0, core)).collect();
    cores.sort_by_key(|&(count, core)| (std::cmp::Reverse(count), core.to_array()));

    let mut clusters = Vec::new();
    for (_, core) in cores {
        let (near, _) = within(&cubes, core, 1);
        let (count, sum) = within(&cubes, core, 3);
        if near as f64 >= least && near as f64 >= ISOLATED * count as f64 {
            clusters.push(Cluster { centre: sum / count as f64, count });
            for cube in neighbourhood(core, 3) {
                cubes.remove(&cube);
            }
        }
    }
    clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.count));
    clusters
}

fn neighbourhood(centre: I64Vec3, reach: i64) -> impl Iterator<Item = I64Vec3> {
    let steps = move || -reach..=reach;
    steps().flat_map(move |x| steps().flat_map(move |y| steps().map(move |z| centre + I64Vec3::new(x, y, z))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In two parts, as they come from a file.
    fn find(places: &[DVec3], width: f64) -> Vec<Cluster> {
        let mut cubes = Cubes::new(width);
        let (first, second) = places.split_at(places.len() / 3);
        cubes.add(first);
        cubes.add(second);
        cubes.clusters()
    }

    /// `count` places around `centre` in a golden-angle spiral of radius `spread`.
    fn knot(centre: DVec3, spread: f64, count: usize) -> Vec<DVec3> {
        let spiral = |k: usize| {
            let (angle, radius) = (2.399_963 * k as f64, spread * ((k as f64 + 0.5) / count as f64).sqrt());
            centre + radius * DVec3::new(angle.cos(), angle.sin(), 0.0)
        };
        (0..count).map(spiral).collect()
    }

    #[test]
    fn knots_are_found_with_their_counts_and_centres() {
        let centres = [DVec3::X, DVec3::Y, DVec3::new(0.0, 0.6, -0.8)];
        let mut places: Vec<DVec3> =
            centres.iter().zip([60, 30, 12]).flat_map(|(&centre, count)| knot(centre, 0.004, count)).collect();
        places.push(DVec3::NEG_X);
        let clusters = find(&places, 0.015);
        assert_eq!(clusters.iter().map(|cluster| cluster.count).collect::<Vec<_>>(), [60, 30, 12]);
        for (cluster, centre) in clusters.iter().zip(centres) {
            assert!((cluster.centre - centre).length() < 1e-3, "{cluster:?}");
        }
    }

    #[test]
    fn an_even_disc_and_a_smooth_crowd_have_none() {
        assert_eq!(find(&knot(DVec3::ZERO, 1.0, 4096), 0.015), []);
        // Density falls off like 1 / radius: crowded in the middle, yet not apart from its surroundings.
        let crowd: Vec<DVec3> = knot(DVec3::ZERO, 1.0, 4096).iter().map(|place| place * place.length()).collect();
        assert_eq!(find(&crowd, 0.015), []);
    }

    #[test]
    fn two_coincident_tokens_of_two_are_a_cluster() {
        assert_eq!(find(&[DVec3::Z; 2], 0.015), [Cluster { centre: DVec3::Z, count: 2 }]);
        assert_eq!(find(&[DVec3::Z, DVec3::X], 0.015), []);
    }
}
