//! Observables of tokens, on every backend, against formulas written out pair by pair: of tokens that are read back, in f64, and
//! as a device measures them.

mod attention;
mod dissipation;
mod energy_drift;
mod potential_energy;
mod velocity;

use libtest_mimic::Trial;
use tokenfield::{
    model::{Attention, Geometry, Head, Mask, Matrix, Model},
    observables::{
        Clusters, Modes, NormMoments, OverlapHistogram, OverlapShare, Quantity, RenyiCentres, StartOverlap, columns,
    },
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

use crate::{
    backends::{Kind, Outcome, laws, trials},
    clouds::{assert_close, cloud, dot, problem, uneven},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        laws("observe::overlaps_are_those_of_all_pairs", overlaps),
        laws("observe::a_share_of_pairs_is_above_the_level", share_of_pairs),
        laws("observe::the_mean_overlap_is_that_of_all_pairs", pair_overlaps),
        laws("observe::the_last_token_is_compared_with_places_at_the_start", start_overlaps),
        laws("observe::a_mean_that_vanishes_has_no_direction", vanishing),
        laws("observe::clusters_are_what_links_connect", clusters),
        laws("observe::modes_are_sums_over_pairs", mode_amplitudes),
        laws("observe::lengths_and_ranks", lengths),
        trials("observe::attention_is_as_sharp_as_its_rows", attention::rows),
        trials("observe::gaps_are_counted_from_the_largest_score", attention::gaps),
        laws("observe::gaps_of_equiangular_tokens_are_alike", attention::equiangular_gaps),
        trials("observe::singular_values_have_the_traces_of_attention", attention::spectra),
        laws("observe::rows_of_orthonormal_tokens_are_alike", attention::orthonormal),
        laws("observe::centres_are_counted_from_the_start", centres),
        laws("observe::the_energy_changes_at_the_rate_of_dissipation", dissipation::along_the_flow),
        laws("observe::the_energy_drifts_as_the_equation_changes", energy_drift::at_fixed_tokens),
        laws("observe::the_energy_changes_along_the_flow_and_with_the_equation", energy_drift::along_the_flow),
        laws("observe::the_total_energy_of_a_perceptron_rises", potential_energy::total),
        laws("observe::two_tokens_are_as_fast_as_their_weights", velocity::two_tokens),
        trials("observe::velocities_are_those_of_the_field", velocity::of_the_field),
        laws("observe::replicas_part_as_the_linear_law_says", lyapunov),
    ];
    suites.into_iter().flatten().collect()
}

/// Uneven weights, one token in front without any, and passive ones at the end.
fn weighted(dim: usize, quantity: Quantity) -> Problem {
    let mut tokens = cloud(2, 45, dim, 17);
    tokens.shape.passive = 4;
    let Weights::Each(mut weights) = uneven(tokens.shape, 5) else { unreachable!("weights for each token") };
    for replica in weights.chunks_mut(45) {
        replica[1] += std::mem::take(&mut replica[0]);
    }
    tokens.weights = Weights::Each(weights);
    Problem { quantities: vec![quantity], ..problem(tokens, 3.0) }
}

/// The values of the last sample of a replica; the columns are called `names`.
#[track_caller]
fn ends(problem: &Problem, outcome: &Outcome, replica: usize, names: &[&str]) -> Vec<f64> {
    assert_eq!(columns(&problem.quantities, problem.tokens.shape.dim), names);
    let mut samples = outcome.samples.iter().rev();
    samples.find(|sample| sample.replica == replica).expect("a sample").values.clone()
}

/// (w_i w_j, <x_i, x_j>) for all i and j of one replica with positive weights, x_i / |x_i| in place of x_i.
fn pairs(problem: &Problem, tokens: &[f64], replica: usize) -> Vec<Vec<(f64, f64)>> {
    let Shape { count, dim, .. } = problem.tokens.shape;
    let weight = |i: usize| problem.tokens.weight(replica, i);
    let x = |i: usize| &tokens[(replica * count + i) * dim..][..dim];
    let overlap = |i: usize, j: usize| dot(x(i), x(j)) / (dot(x(i), x(i)) * dot(x(j), x(j))).sqrt();
    let heavy: Vec<usize> = (0..count).filter(|i| weight(*i) > 0.0).collect();
    heavy.iter().map(|i| heavy.iter().map(|j| (weight(*i) * weight(*j), overlap(*i, *j))).collect()).collect()
}

fn overlaps(kind: Kind) {
    for dim in [2, 3, 7] {
        let problem = weighted(dim, Quantity::OverlapHistogram(OverlapHistogram { bins: 4, pairs: 1000, seed: 0 }));
        let outcome = kind.evolve(&problem);
        for replica in 0..2 {
            let mut expected = [0.0; 4];
            for (i, row) in pairs(&problem, &outcome.tokens, replica).iter().enumerate() {
                for (weight, overlap) in &row[..i] {
                    let bin = [-0.5, 0.0, 0.5].iter().filter(|edge| overlap >= *edge).count();
                    expected[bin] += weight;
                }
            }
            let total: f64 = expected.iter().sum();
            let names = ["0", "1", "2", "3", "error"].map(|k| format!("overlap_histogram_{k}"));
            let found = ends(&problem, &outcome, replica, &names.each_ref().map(String::as_str));
            assert_close("shares", &found[..4], &expected.map(|share| share / total), 1e-13);
            assert_eq!(found[4], 0.0, "all pairs are counted");
        }
    }
}

/// Of all pairs, and of a hundred that are drawn: of those the error is that of a share of a hundred.
fn share_of_pairs(kind: Kind) {
    for (dim, above) in [(2, 0.9), (3, 0.5), (7, 0.25)] {
        for most in [1000, 100] {
            let problem = weighted(dim, Quantity::OverlapShare(OverlapShare { above, pairs: most, seed: 3 }));
            let outcome = kind.evolve(&problem);
            for replica in 0..2 {
                let rows = pairs(&problem, &outcome.tokens, replica);
                let below = || rows.iter().enumerate().flat_map(|(i, row)| &row[..i]);
                let total: f64 = below().map(|(weight, _)| weight).sum();
                let expected =
                    below().filter(|(_, overlap)| *overlap > above).map(|(weight, _)| weight).sum::<f64>() / total;
                assert!(expected > 0.05 && expected < 0.95, "no test: a share of {expected}");
                let found = ends(&problem, &outcome, replica, &["overlap_share", "overlap_share_error"]);
                if most == 1000 {
                    assert_close("share", &found, &[expected, 0.0], 1e-13);
                } else {
                    assert_close("share", &found[..1], &[expected], 5.0 * found[1]);
                    assert_close("error", &found[1..], &[(found[0] * (1.0 - found[0]) / 100.0).sqrt()], 1e-14);
                }
            }
        }
    }
}

/// One pair after the other, of tokens of length one and of others; a single token of weight makes no pair.
fn pair_overlaps(kind: Kind) {
    for geometry in [Geometry::Sphere, Geometry::Euclidean] {
        let mut problem = weighted(3, Quantity::PairOverlap);
        problem.model.geometry = geometry;
        let outcome = kind.evolve(&problem);
        for replica in 0..2 {
            let x = |i: usize| &outcome.tokens[3 * (45 * replica + i)..][..3];
            let weight = |i: usize| problem.tokens.weight(replica, i);
            let (mut overlaps, mut weights) = (0.0, 0.0);
            for (i, j) in (0..41).flat_map(|j| (0..j).map(move |i| (i, j))) {
                overlaps += weight(i) * weight(j) * dot(x(i), x(j));
                weights += weight(i) * weight(j);
            }
            let expected = overlaps / weights;
            let found = ends(&problem, &outcome, replica, &["pair_overlap"]);
            assert_close("overlap", &found, &[expected], 1e-13 * expected.abs().max(1.0));
        }
        let lone = (0..90).map(|i| f64::from(u8::from(i % 45 == 7))).collect();
        problem.tokens.weights = Weights::Each(lone);
        assert!(ends(&problem, &kind.evolve(&problem), 1, &["pair_overlap"])[0].is_nan());
    }
}

/// Of 41 tokens that are not passive, those of number 0, 13 and 27 at the start.
fn start_overlaps(kind: Kind) {
    let problem = weighted(3, Quantity::StartOverlap(StartOverlap { places: 3 }));
    let outcome = kind.evolve(&problem);
    for replica in 0..2 {
        let token = |tokens: &[f64], i: usize| tokens[3 * (45 * replica + i)..][..3].to_vec();
        let last = token(&outcome.tokens, 40);
        let expected = [0, 13, 27].map(|i| dot(&last, &token(&problem.tokens.coordinates, i)));
        let names = ["start_overlap_0", "start_overlap_1", "start_overlap_2"];
        assert_close("overlaps", &ends(&problem, &outcome, replica, &names), &expected, 1e-13);
    }
}

/// Regular polygons and pairs of opposite tokens, whose mean is rounding, and the same with one token turned by more than that.
fn vanishing(kind: Kind) {
    let turn = kind.tolerance(0.03, 1e-4);
    for count in [2usize, 3, 8, 1000, 9000] {
        for opposite in [false, true] {
            let angle = |k: usize| match opposite {
                true => 1.0 + std::f64::consts::PI * (2 * k / count) as f64,
                false => std::f64::consts::TAU * k as f64 / count as f64,
            };
            let (even, angles) = (count.is_multiple_of(2), (0..count).map(angle).collect::<Vec<f64>>());
            if opposite && !even {
                continue;
            }
            for off in [0.0, turn] {
                let mut angles = angles.clone();
                // Turned about the origin by so much of a token that the mean is about `off`, and its direction known.
                angles.iter_mut().take(count.div_ceil(3)).for_each(|angle| *angle += off);
                let points: Vec<f64> = angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]).collect();
                let shape = Shape { replicas: 1, count, dim: 2, passive: 0 };
                let tokens = Tokens { shape, coordinates: points.clone(), weights: Weights::Equal };
                let schedule = Schedule::even(0, 0.0, 1);
                let quantities = vec![Quantity::W2Dirac, Quantity::Overlap];
                let problem = Problem { quantities, schedule, ..problem(tokens, 1.0) };
                let found = ends(&problem, &kind.evolve(&problem), 0, &["w2_dirac", "overlap_min", "overlap_mean"]);
                let what = format!("{count} tokens, opposite: {opposite}, turned by {off}: {found:?}");
                if off == 0.0 {
                    assert!(
                        found[0].is_nan() && found[1].is_nan() && found[2] < kind.tolerance(1e-6, 1e-14),
                        "{what}"
                    );
                    continue;
                }
                let mean: Vec<f64> =
                    (0..2).map(|k| points.iter().skip(k).step_by(2).sum::<f64>() / count as f64).collect();
                let length = dot(&mean, &mean).sqrt();
                let least = points.chunks(2).map(|x| dot(x, &mean) / length).fold(f64::INFINITY, f64::min);
                // W_2^2 is the mean of |x - e|^2 = 2 - 2 <x, e>.
                let expected = [(2.0 - 2.0 * length).sqrt(), least, length];
                assert_close(&what, &found, &expected, kind.tolerance(1e-3, 1e-7));
            }
        }
    }
}

fn clusters(kind: Kind) {
    for (dim, threshold) in [(2, 0.999), (3, 0.95), (7, 0.7)] {
        let problem = weighted(dim, Quantity::Clusters(Clusters { threshold, largest: 2 }));
        let outcome = kind.evolve(&problem);
        for replica in 0..2 {
            let rows = pairs(&problem, &outcome.tokens, replica);
            // The smallest number that travels along links, until no number changes.
            let mut labels: Vec<usize> = (0..rows.len()).collect();
            loop {
                let mut next = labels.clone();
                for (i, row) in rows.iter().enumerate() {
                    let linked = labels.iter().zip(row).filter(|(_, (_, overlap))| *overlap >= threshold);
                    next[i] = linked.map(|(label, _)| *label).min().expect("every token is linked to itself");
                }
                if next == labels {
                    break;
                }
                labels = next;
            }
            let weight = |i: usize| rows[i].iter().map(|(weight, _)| weight).sum::<f64>();
            let mut weights = vec![0.0; rows.len()];
            labels.iter().enumerate().for_each(|(i, label)| weights[*label] += weight(i));
            weights.sort_by(|a, b| b.total_cmp(a));
            let count = weights.iter().filter(|weight| **weight > 0.0).count();
            assert!(count > 2 && count < rows.len(), "no test: {count} clusters");
            let found = ends(&problem, &outcome, replica, &["clusters", "cluster_weight_0", "cluster_weight_1"]);
            // Weights in single precision sum to one within 1e-6.
            assert_close("clusters", &found, &[count as f64, weights[0], weights[1]], 1e-12);
        }
    }
}

fn mode_amplitudes(kind: Kind) {
    for dim in [2, 3] {
        let problem = weighted(dim, Quantity::Modes(Modes { degree: 4 }));
        let outcome = kind.evolve(&problem);
        let polynomials: [fn(f64) -> f64; 4] = match dim {
            2 => {
                [|u| u, |u| 2.0 * u * u - 1.0, |u| 4.0 * u.powi(3) - 3.0 * u, |u| 8.0 * u.powi(4) - 8.0 * u * u + 1.0]
            }
            _ => [
                |u| u,
                |u| (3.0 * u * u - 1.0) / 2.0,
                |u| (5.0 * u.powi(3) - 3.0 * u) / 2.0,
                |u| (35.0 * u.powi(4) - 30.0 * u * u + 3.0) / 8.0,
            ],
        };
        for replica in 0..2 {
            let rows = pairs(&problem, &outcome.tokens, replica).concat();
            let amplitude = |p: fn(f64) -> f64| rows.iter().map(|(w, u)| w * p(*u)).sum::<f64>().sqrt();
            let found = ends(&problem, &outcome, replica, &["mode_1", "mode_2", "mode_3", "mode_4"]);
            assert_close("modes", &found, &polynomials.map(amplitude), kind.measured(1e-6, 1e-12));
        }
    }
}

fn lengths(kind: Kind) {
    let mut problem = weighted(2, Quantity::NormMoments(NormMoments { order: 3 }));
    problem.quantities.push(Quantity::EffectiveRank);
    problem.model.geometry = Geometry::Euclidean;
    let outcome = kind.evolve(&problem);
    for replica in 0..2 {
        let (mut moments, mut second) = ([0.0; 3], [0.0; 3]);
        for i in 0..45 {
            let (weight, x) = (problem.tokens.weight(replica, i), &outcome.tokens[2 * (45 * replica + i)..][..2]);
            (0..3).for_each(|p| moments[p] += weight * x[0].hypot(x[1]).powi(p as i32 + 1));
            (0..3).for_each(|k| second[k] += weight * x[k.min(1)] * x[k.max(1) - 1]);
        }
        // Eigenvalues of [[a, b], [b, c]] with second = (a, b, c): x0 x0, x1 x0, x1 x1.
        let [a, b, c] = second;
        let root = ((a - c) * (a - c) + 4.0 * b * b).sqrt();
        let shares = [0.5 * (1.0 + root / (a + c)), 0.5 * (1.0 - root / (a + c))];
        let rank = (-shares.iter().map(|p| p * p.ln()).sum::<f64>()).exp();
        let names = ["norm_moment_1", "norm_moment_2", "norm_moment_3", "effective_rank"];
        let found = ends(&problem, &outcome, replica, &names);
        assert_close("lengths", &found[..3], &moments, kind.measured(1e-6, 1e-12));
        // A second moment of single precision.
        assert_close("rank", &found[3..], &[rank], kind.tolerance(1e-5, 1e-12));
    }
}

fn centres(kind: Kind) {
    let separation = 0.6;
    let mut problem = weighted(3, Quantity::RenyiCentres(RenyiCentres { separation }));
    problem.model.attention.mask = Mask::Causal;
    problem.model.attention.beta = 40.0;
    problem.schedule = Schedule::even(30, 6.0, 30);
    let outcome = kind.evolve(&problem);
    let names = ["renyi_centres", "strong_renyi_centres", "renyi_absorbed", "renyi_drift"];
    for replica in 0..2 {
        let token = |tokens: &[f64], i: usize| tokens[3 * (45 * replica + i)..][..3].to_vec();
        let angle = |x: &[f64], y: &[f64]| (dot(x, y) / (dot(x, x) * dot(y, y)).sqrt()).clamp(-1.0, 1.0).acos();
        let start = |i: usize| token(&problem.tokens.coordinates, i);
        let heavy: Vec<usize> = (0..45).filter(|i| problem.tokens.weight(replica, *i) > 0.0).collect();
        let (mut parked, mut strong) = (Vec::new(), Vec::new());
        for (before, i) in heavy.iter().enumerate() {
            let is_far = |j: &usize| angle(&start(*i), &start(*j)) > separation;
            if heavy[..before].iter().all(is_far) {
                strong.push(*i);
            }
            if parked.iter().all(is_far) {
                parked.push(*i);
            }
        }
        let end = |i: usize| token(&outcome.tokens, i);
        let is_near = |i: &usize| strong.iter().any(|centre| angle(&end(*i), &end(*centre)) <= 0.15);
        let absorbed: f64 = heavy.iter().filter(|i| is_near(i)).map(|i| problem.tokens.weight(replica, *i)).sum();
        let drift = strong.iter().map(|i| angle(&start(*i), &end(*i))).sum::<f64>() / strong.len() as f64;
        assert!(parked.len() > strong.len() && strong.len() > 2 && absorbed < 0.95, "no test");
        let expected = [parked.len() as f64, strong.len() as f64, absorbed, drift];
        // Arc cosines of angles near zero keep half of the digits.
        assert_close("centres", &ends(&problem, &outcome, replica, &names), &expected, 1e-6);
    }
}

/// A lone token in R^d follows x' = V x, so that y - x = e^{tV} (y_0 - x_0).
fn lyapunov(kind: Kind) {
    let coordinates = vec![1.0, 2.0, 1.1, 1.7, 0.5, 0.5, 0.5, 0.7];
    let tokens =
        Tokens { shape: Shape { replicas: 4, count: 1, dim: 2, passive: 0 }, coordinates, weights: Weights::Equal };
    let head = Head { value: Matrix::Diagonal(vec![0.8, -0.5]), ..Head::default() };
    let attention = Attention { heads: vec![head], ..Attention::default() };
    let problem = Problem {
        model: Model { geometry: Geometry::Euclidean, attention, ..Default::default() },
        quantities: vec![Quantity::Lyapunov],
        scheme: Scheme::Rk4,
        schedule: Schedule::even(40, 2.0, 40),
        ..problem(tokens, 1.0)
    };
    let outcome = kind.evolve(&problem);
    let mixed = (0.5 * ((0.01 * 3.2f64.exp() + 0.09 * (-2f64).exp()) / 0.1).ln(), -1.0);
    for (replica, growth) in [mixed.0, mixed.0, mixed.1, mixed.1].into_iter().enumerate() {
        let found = ends(&problem, &outcome, replica, &["log_growth", "lyapunov"]);
        assert_close("growth", &found, &[growth, growth / 2.0], kind.tolerance(2e-6, 1e-6));
        let start = &outcome.samples[replica].values;
        assert!(start[0].abs() < 1e-6 && start[1].is_nan(), "at t = 0: {start:?}");
    }
}
