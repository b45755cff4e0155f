//! Numbers of configurations whose answer is known, and of random ones by another way.

mod definitions;
mod distances;

use super::{
    Directions, Observable, OverlapHistogram, Quantity, View, centres, clusters, dissipation, effective_rank, modes,
    overlap_histogram, overlap_share, pairs,
};
use crate::{
    initial::{Law, Uniform, draw},
    model::{Attention, Head, Matrix, ModelSchedule, Normalization},
    problem::{Algorithm, Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

fn histogram(directions: &Directions, bins: usize, most: usize, seed: u64, replica: usize) -> (Vec<f64>, f64) {
    overlap_histogram::histogram(directions, bins, pairs::Sample { most, seed, replica })
}

fn uniform(count: usize, dim: usize, seed: u64) -> Directions {
    let shape = Shape { replicas: 1, count, dim, passive: 0 };
    weighted(draw(&Law::Uniform(Uniform), shape, seed).expect("tokens"), dim)
}

/// Weights 1 : 2 : .. : n.
fn weighted(points: Vec<f64>, dim: usize) -> Directions {
    let count = points.len() / dim;
    let total = (count * (count + 1)) as f64 / 2.0;
    Directions { dim, points, weights: (0..count).map(|j| (j + 1) as f64 / total).collect() }
}

/// By painting: from each token without a colour on, all that can be reached.
fn painted(directions: &Directions, threshold: f64) -> Vec<f64> {
    let (count, dim) = (directions.count(), directions.dim);
    let row = |j: usize| &directions.points[j * dim..][..dim];
    let overlap = |i: usize, j: usize| row(i).iter().zip(row(j)).map(|(x, y)| x * y).sum::<f64>();
    let mut is_painted = vec![false; count];
    let mut weights = Vec::new();
    for start in 0..count {
        let (mut waiting, mut weight) = (vec![start], 0.0);
        while let Some(i) = waiting.pop() {
            if !std::mem::replace(&mut is_painted[i], true) {
                weight += directions.weights[i];
                waiting.extend((0..count).filter(|j| overlap(i, *j) >= threshold));
            }
        }
        if weight > 0.0 {
            weights.push(weight);
        }
    }
    weights.sort_by(|a, b| b.total_cmp(a));
    weights
}

#[track_caller]
fn assert_clusters(directions: &Directions, threshold: f64) {
    let (found, expected) = (clusters::weights(directions, threshold), painted(directions, threshold));
    assert_eq!(found.len(), expected.len(), "d = {}, threshold {threshold}", directions.dim);
    for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!((found - expected).abs() < 1e-12, "weight {k} is {found}, not {expected}");
    }
}

/// Thresholds from where all hang together to where hardly two do, near the one where the last component forms.
#[test]
fn clusters_of_random_clouds_are_those_that_painting_finds() {
    for (dim, count, angles) in [
        (2, 300, [0.02, 0.05, 0.11].as_slice()),
        (3, 700, &[0.02, 0.08, 0.12, 0.16, 3.0]),
        (8, 400, &[0.5, 0.7, 0.8]),
        (20, 60, &[1.0, 1.2]),
    ] {
        for angle in angles {
            assert_clusters(&uniform(count, dim, 3), f64::cos(*angle));
        }
    }
}

/// Knots around the points of a grid, whose distance is above or below the threshold.
#[test]
fn knots_on_the_circle_are_counted() {
    let knots = |spread: f64| {
        let angle = |k: usize| std::f64::consts::TAU * (k % 12) as f64 / 12.0 + spread * (k / 12) as f64 / 49.0;
        weighted((0..600).flat_map(|k| [angle(k).cos(), angle(k).sin()]).collect(), 2)
    };
    assert_eq!(clusters::weights(&knots(0.05), 0.99).len(), 12);
    // Knots of 0.4 leave gaps of 2 pi / 12 - 0.4 = 0.124 < arccos(0.99) = 0.1415, and knots of 0.38 gaps of 0.1436.
    assert_eq!(clusters::weights(&knots(0.4), 0.99).len(), 1);
    assert_eq!(clusters::weights(&knots(0.38), 0.99).len(), 12);
    // All tokens of a knot in one place, and all knots in one.
    assert_eq!(clusters::weights(&knots(0.0), 0.999_999).len(), 12);
    assert_eq!(clusters::weights(&weighted([1.0, 0.0].repeat(500), 2), 0.99).len(), 1);
}

/// Two dense lines near the south pole, side by side: tokens on one are at most 0.08 sqrt 2 = 0.113 apart and those of two at least
/// 0.09 sqrt 2 = 0.127, though the boxes around them are nearer than a link of 0.12.
#[test]
fn boxes_that_are_near_do_not_link_their_tokens() {
    let token = |k: usize| {
        let (along, across) = (0.08 * (k / 2) as f64 / 99.0, 0.09 * (k % 2) as f64);
        let (x, y) = (-0.1 + along + across, -0.02 - along + across);
        [x, y, -(1.0 - x * x - y * y).sqrt()]
    };
    let lines = weighted((0..200).flat_map(token).collect(), 3);
    assert_clusters(&lines, 1.0 - 0.12 * 0.12 / 2.0);
    assert_eq!(clusters::weights(&lines, 1.0 - 0.12 * 0.12 / 2.0).len(), 2);
    assert_eq!(clusters::weights(&lines, 1.0 - 0.13 * 0.13 / 2.0).len(), 1);
}

/// Two dense knots, of radius 0.001 and further apart than a link by 1e-4, are 10^11 pairs, and no work.
#[test]
fn a_million_tokens_on_the_sphere_take_seconds() {
    let mut cloud = uniform(1_000_000, 3, 1);
    let centres = [[1.0, 0.0, 0.0], [f64::cos(0.1437), f64::sin(0.1437), 0.0]];
    for (j, x) in cloud.points.chunks_exact_mut(3).enumerate() {
        let square: f64 = x.iter().zip(centres[j % 2]).map(|(x, c)| (c + 1e-3 * x) * (c + 1e-3 * x)).sum();
        x.iter_mut().zip(centres[j % 2]).for_each(|(x, c)| *x = (c + 1e-3 * *x) / square.sqrt());
    }
    let weights = clusters::weights(&cloud, 0.99);
    assert_eq!(weights.len(), 2);
    assert!(weights.iter().all(|weight| (weight - 0.5).abs() < 1e-5), "{weights:?}");
}

/// Archimedes: overlaps of uniform tokens on S^2 are uniform. Five standard deviations of what is drawn.
#[test]
fn sampled_pairs_have_the_shares_of_all() {
    let cloud = uniform(4000, 3, 5);
    let ((all, exact), most) = (histogram(&cloud, 10, usize::MAX, 1, 0), 200_000);
    assert_eq!(exact, 0.0, "nothing was drawn");
    for seed in [1, 2] {
        let (drawn, error) = histogram(&cloud, 10, most, seed, 0);
        assert_eq!(drawn, histogram(&cloud, 10, most, seed, 0).0, "the same pairs every time");
        assert_ne!(drawn, histogram(&cloud, 10, most, seed, 1).0, "other pairs in another replica");
        let deviation = (0.1 * 0.9 / most as f64).sqrt();
        assert!((error / deviation - 1.0).abs() < 0.05, "{error}, expected {deviation}");
        for (drawn, all) in drawn.iter().zip(&all) {
            assert!((drawn - all).abs() < 5.0 * deviation, "{drawn} of those drawn and {all} of all");
            assert!((all - 0.1).abs() < 0.01, "{all}");
        }
    }
}

/// Where the last bin begins at the level, all overlaps above it are in that bin: of all pairs, and of those that are drawn.
#[test]
fn the_share_above_a_level_is_that_of_the_bins_there() {
    let cloud = uniform(300, 3, 5);
    for most in [usize::MAX, 3000] {
        let sample = pairs::Sample { most, seed: 1, replica: 2 };
        let (bins, _) = overlap_histogram::histogram(&cloud, 8, sample);
        let (share, error) = overlap_share::share(&cloud, 0.75, sample);
        assert!((share - bins[7]).abs() < 1e-15 && share > 0.1, "{share}, in the bin {}", bins[7]);
        let deviation = if most == 3000 { (share * (1.0 - share) / 3000.0).sqrt() } else { 0.0 };
        assert!((error - deviation).abs() < 1e-15, "{error}, expected {deviation}");
    }
}

/// Two tokens of three tenths each, one of which has nearly all, zero to twelve decimals for another: pairs are drawn by the products of
/// their weights, and the spread of shares over seeds is the error that is told.
#[test]
fn pairs_of_unequal_weights_are_drawn_by_their_products() {
    let heavy = |head: &[f64], count: usize| {
        let rest = (1.0 - head.iter().sum::<f64>()) / (count - head.len()) as f64;
        head.iter().copied().chain(vec![rest; count - head.len()]).collect::<Vec<f64>>()
    };
    let last = || heavy(&[0.3, 0.3], 300).into_iter().rev().collect::<Vec<f64>>();
    let rising: Vec<f64> = (1..=300).map(|k| f64::from(k) / 45_150.0).collect();
    for weights in [heavy(&[0.3, 0.3], 300), last(), heavy(&[1.0 - 1e-9, 1e-12], 300), rising] {
        let cloud = Directions { weights, ..uniform(300, 3, 5) };
        let (all, _) = histogram(&cloud, 8, usize::MAX, 0, 0);
        let (most, seeds) = (2_000, 200);
        let drawn: Vec<_> = (0..seeds).map(|seed| histogram(&cloud, 8, most, seed, 0)).collect();
        let mut largest: f64 = 0.0;
        for bin in 0..8 {
            let deviation = (all[bin] * (1.0 - all[bin]) / most as f64).sqrt();
            let mean = drawn.iter().map(|(shares, _)| shares[bin]).sum::<f64>() / seeds as f64;
            let off = (mean - all[bin]).abs();
            assert!(
                off < 5.0 * deviation / (seeds as f64).sqrt() + 1e-15,
                "bin {bin}: {mean}, expected {}",
                all[bin]
            );
            let spread = drawn.iter().map(|(shares, _)| (shares[bin] - all[bin]).powi(2)).sum::<f64>() / seeds as f64;
            largest = largest.max(spread.sqrt());
        }
        let told = drawn.iter().map(|(_, error)| error).sum::<f64>() / seeds as f64;
        // The largest of eight estimates, each of 200 draws: to a quarter.
        assert!((told / largest - 1.0).abs() < 0.25, "told {told}, found {largest}");
    }
}

/// No pair fell into the other bin, which does not mean that there is none.
#[test]
fn drawn_pairs_that_agree_leave_an_error_of_one_draw() {
    let cloud = Directions { points: [1.0, 0.0].repeat(60), ..uniform(60, 2, 5) };
    let (shares, error) = histogram(&cloud, 2, 1000, 0, 0);
    assert_eq!((shares, error), (vec![0.0, 1.0], 1e-3));
}

#[test]
fn overlaps_at_the_ends_are_counted() {
    let poles = weighted(vec![0.0, 1.0, 0.0, -1.0, 0.0, 1.0], 2);
    // Weights 1, 2, 3 of 6: pairs (0, 1) and (1, 2) are opposite, 2 + 6, and (0, 2) agrees, 3.
    let (shares, error) = histogram(&poles, 4, 10, 0, 0);
    assert_eq!(error, 0.0);
    for (share, expected) in shares.iter().zip([8.0 / 11.0, 0.0, 0.0, 3.0 / 11.0]) {
        assert!((share - expected).abs() < 1e-15, "{shares:?}");
    }
    let (lone, error) = histogram(&weighted(vec![1.0, 0.0], 2), 2, 10, 0, 0);
    assert!(error.is_nan() && lone.iter().all(|share| share.is_nan()), "one token makes no pair");
}

/// Every replica needs a pair, whatever the others have.
#[test]
fn a_replica_with_one_token_of_positive_weight_has_no_pairs() {
    let objects = |weights: [f64; 4]| {
        let head = Attention { heads: vec![Head::default()], ..Attention::default() };
        let problem = Problem {
            tokens: Tokens {
                shape: Shape { replicas: 2, count: 2, dim: 2, passive: 0 },
                coordinates: [1.0, 0.0, 0.0, 1.0].repeat(2),
                weights: Weights::Each(weights.to_vec()),
            },
            model: head.into(),
            model_schedule: ModelSchedule::Constant,
            scheme: Scheme::Heun,
            schedule: Schedule::even(1, 0.1, 1),
            quantities: Vec::new(),
            algorithm: Algorithm::Direct,
            tolerance: None,
        };
        let histogram = OverlapHistogram { bins: 4, pairs: 10, seed: 0 };
        histogram.objection_to_problem(&problem.equation()).is_some()
    };
    assert!(!objects([0.5, 0.5, 0.9, 0.1]));
    assert!(objects([0.5, 0.5, 1.0, 0.0]) && objects([0.0, 1.0, 0.5, 0.5]));
}

/// Of all pairs and of drawn ones: a token that is nowhere is in no bin, and takes the histogram with it.
#[test]
fn overlaps_of_what_is_not_a_number_are_not_numbers() {
    for nowhere in [f64::NAN, f64::INFINITY] {
        let mut cloud = uniform(50, 3, 4);
        cloud.points[3 * 20 + 1] = nowhere;
        for most in [usize::MAX, 100] {
            let (shares, error) = histogram(&cloud, 8, most, 1, 0);
            assert_eq!(shares.len(), 8);
            assert!(
                error.is_nan() && shares.iter().all(|share| share.is_nan()),
                "{nowhere}, {most} pairs: {shares:?}"
            );
        }
    }
}

/// A Dirac has amplitude one at any degree; k tokens in a regular polygon have it at multiples of k only.
#[test]
fn modes_of_known_measures() {
    for dirac in [vec![0.6, -0.8], vec![0.0, 0.6, -0.8], vec![0.0, 0.0, 1.0]] {
        let dim = dirac.len();
        let amplitudes = modes::amplitudes(&weighted(dirac, dim), 200);
        assert!(amplitudes.iter().all(|amplitude| (amplitude - 1.0).abs() < 1e-12), "{amplitudes:?}");
    }
    let corner = |k: usize| (std::f64::consts::TAU * k as f64 / 5.0).sin_cos();
    let polygon = Directions {
        dim: 2,
        points: (0..5).flat_map(|k| [corner(k).1, corner(k).0]).collect(),
        weights: vec![0.2; 5],
    };
    for (k, amplitude) in (1..).zip(modes::amplitudes(&polygon, 12)) {
        let expected = if k % 5 == 0 { 1.0 } else { 0.0 };
        assert!((amplitude - expected).abs() < 1e-14, "mode {k}: {amplitude}");
    }
}

#[test]
fn effective_ranks_of_known_spectra() {
    let rank = |diagonal: [f64; 3]| {
        let mut matrix = [0.0; 9];
        (0..3).for_each(|k| matrix[4 * k] = diagonal[k]);
        effective_rank::effective_rank(&matrix, 3)
    };
    assert!((rank([0.2; 3]) - 3.0).abs() < 1e-14);
    assert!((rank([0.0, 1.0, 0.0]) - 1.0).abs() < 1e-14);
    // Shares 1/2, 1/4, 1/4 have an entropy of 3/2 ln 2.
    assert!((rank([0.5, 1.0, 0.5]) - 8f64.sqrt()).abs() < 1e-14);
}

/// Taken in blocks and side by side, centres are those that one loop over all tokens finds, in its order.
#[test]
fn centres_are_those_of_one_loop() {
    for (dim, separation, count) in [(2, 0.01f64, 700), (3, 0.2, 1000), (8, 0.6, 513), (3, 0.2, 1), (3, 0.2, 0)] {
        let cloud = uniform(count, dim, 6);
        let point = |k: usize| &cloud.points[dim * k..][..dim];
        let overlap = |k: usize, j: usize| point(k).iter().zip(point(j)).map(|(x, y)| x * y).sum::<f64>();
        let is_far = |k: usize, j: usize| overlap(k, j) < separation.cos();
        let (mut parked, mut strong) = (Vec::new(), Vec::new());
        for k in 0..count {
            if parked.iter().all(|j| is_far(k, *j)) {
                parked.push(k);
            }
            if (0..k).all(|j| is_far(k, j)) {
                strong.push(k);
            }
        }
        assert!(count < 2 || parked.len() > strong.len() && strong.len() > 10, "no test: d = {dim}");
        assert_eq!(centres::parked(&cloud, separation.cos()), parked);
        assert_eq!(centres::strong(&cloud, separation.cos()), strong);
    }
}

/// On the circle: strong centres are pi / separation on average (arXiv:2411.04990), and cars of length `separation` park at
/// Renyi's density, 0.7476 of the circle.
#[test]
fn centres_are_as_many_as_papers_say() {
    const REPLICAS: u64 = 100;
    let separation = 0.3f64;
    let (mut parked, mut strong) = (0.0, 0.0);
    for seed in 0..REPLICAS {
        let cloud = uniform(10_000, 2, seed);
        parked += centres::parked(&cloud, separation.cos()).len() as f64 / REPLICAS as f64;
        strong += centres::strong(&cloud, separation.cos()).len() as f64 / REPLICAS as f64;
    }
    let pi = std::f64::consts::PI;
    // Standard deviations of the means are below 0.3 and 0.1.
    assert!((strong - pi / separation).abs() < 1.2, "{strong}");
    assert!((parked - 0.747_6 * 2.0 * pi / separation).abs() < 0.4, "{parked}");
}

/// Two tokens on the circle under unnormalized attention and V = c I, at an angle a: d ln E / dt = c beta sin^2 a e^{2 beta cos a} /
/// (e^beta + e^{beta cos a}), where Z^2 overflows and the rate does not.
#[test]
fn a_rate_overflows_only_where_it_must() {
    let (beta, angle) = (800.0, 0.05f64);
    for c in [1e-200f64, -1e-200, 1e-100] {
        let head = Head { value: Matrix::Scale(c), ..Head::default() };
        let attention =
            Attention { beta, normalization: Normalization::Unnormalized, heads: vec![head], ..Attention::default() };
        let problem = Problem {
            tokens: Tokens {
                shape: Shape { replicas: 1, count: 2, dim: 2, passive: 0 },
                coordinates: vec![1.0, 0.0, angle.cos(), angle.sin()],
                weights: Weights::Equal,
            },
            model: attention.into(),
            model_schedule: ModelSchedule::Constant,
            scheme: Scheme::Heun,
            schedule: Schedule::even(1, 0.1, 1),
            quantities: vec![Quantity::Dissipation],
            algorithm: Algorithm::Direct,
            tolerance: None,
        };
        let (model, tokens) = (&problem.model, &problem.tokens.coordinates);
        let view = View {
            equation: problem.equation(),
            model,
            time: 0.0,
            tokens,
            velocities: &[],
            limit: None,
            centres: &[],
        };
        let rate = dissipation::log_energy_rate(&view, 0);
        let log = beta * (2.0 * angle.cos() - 1.0) - (beta * (angle.cos() - 1.0)).exp().ln_1p();
        let expected = c.signum() * beta * angle.sin().powi(2) * (c.abs().ln() + log).exp();
        assert!((rate / expected - 1.0).abs() < 1e-11, "c = {c}: {rate}, expected {expected}");
    }
    assert_eq!(dissipation::times_exponential(0.0, 900.0), 0.0);
    let product = dissipation::times_exponential(-1e-300, 900.0) / (900.0 - 300.0 * 10f64.ln()).exp();
    assert!((product + 1.0).abs() < 1e-12, "{product}");
}

/// The ratio of two matrices is one of all entries, and A is symmetric, or there is no energy whose gradient the field is.
#[test]
fn a_ratio_of_matrices_is_that_of_all_entries() {
    let ratio = |query_key: [f64; 4], value: [f64; 4]| {
        let [query_key, value] = [query_key, value].map(|rows| Matrix::Dense(rows.to_vec()));
        dissipation::value_over_query_key(&Head { query_key, value, ..Head::default() }, 2)
    };
    let symmetric = [2.0, 0.5, 0.5, -1.0];
    assert_eq!(ratio(symmetric, [-1.0, -0.25, -0.25, 0.5]), Some(-0.5));
    for other in [[-1.0, 0.25, -0.25, 0.5], [-1.0, -0.25, -0.125, 0.5], [-1.0, -0.25, -0.25, 1.0]] {
        assert_eq!(ratio(symmetric, other), None, "{other:?}");
    }
    for skewed in [[2.0, 0.5, -0.5, -1.0], [2.0, 0.5, 0.25, -1.0]] {
        assert_eq!(ratio(skewed, skewed), None, "{skewed:?}");
    }
}
