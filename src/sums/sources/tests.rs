//! Sums taken one by one, by pairs and by harmonics.

use super::{lengths::Lengths, series::Plan, *};

/// More queries than a block, fewer points than a vector and more than a tile, scores far beyond the exponents of f64.
#[test]
fn log_sums_are_sums_taken_one_by_one() {
    let scale = 3e3;
    for (dim, count) in [(1, 3), (3, 700), (17, 41)] {
        let points: Vec<f64> = (0..count * dim).map(|k| (0.7 * k as f64).sin()).collect();
        let queries: Vec<f64> = (0..150 * dim).map(|k| (1.3 * k as f64).cos()).collect();
        let bias: Vec<f64> = (0..count).map(|j| (0.3 * j as f64).sin() - 5.0).collect();
        let found = Sources::new(&points, dim).log_sums(&queries, scale, &bias, 1e-12);
        assert_eq!(found.len(), 150);
        let (sums, means) = Sources::new(&points, dim).log_sums_and_means(&queries, scale, &bias);
        assert_eq!(sums, found);
        let mut means = means.into_iter();
        for (x, found) in queries.chunks_exact(dim).zip(found) {
            let scores = points
                .chunks_exact(dim)
                .zip(&bias)
                .map(|(y, bias)| scale * x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>() + bias);
            let scores: Vec<f64> = scores.collect();
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let expected = largest + scores.iter().map(|score| (score - largest).exp()).sum::<f64>().ln();
            let mean = |c: usize| {
                let share = |(y, score): (&[f64], &f64)| (score - expected).exp() * y[c];
                points.chunks_exact(dim).zip(&scores).map(share).sum::<f64>()
            };
            for (c, found) in means.by_ref().take(dim).enumerate() {
                assert!((found - mean(c)).abs() < 5e-11, "dim {dim}: mean {found} instead of {}", mean(c));
            }
            // Scores up to 5e4 are rounded to 1e-11.
            assert!((found - expected).abs() < 5e-11, "dim {dim}: {found} instead of {expected}");
        }
    }
}

/// Unit vectors all over, or near one point; numbers from a multiplicative congruential generator (Knuth's MMIX constants).
fn unit_vectors(count: usize, dim: usize, is_clustered: bool, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut number = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    let mut vectors = Vec::with_capacity(count * dim);
    for _ in 0..count {
        let mut x: Vec<f64> = (0..dim).map(|_| if is_clustered { 0.07 * number() } else { number() }).collect();
        if is_clustered {
            x[0] += 0.6;
            x[1] -= 0.8;
        }
        let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        vectors.extend(x.iter().map(|x| x / length));
    }
    vectors
}

/// Spread and clustered points, a bias of large span, and queries near and far from where the weight is: of one length and of
/// many: within the accuracy, whether a query loses too much to cancellation or not.
#[test]
fn harmonics_and_pairs_make_the_same_sums() {
    const ACCURACY: f64 = 1e-11;
    for dim in [2, 3] {
        for kappa in [1.0, 10.0, 20.0, 100.0] {
            for is_clustered in [false, true] {
                let points = unit_vectors(6000, dim, is_clustered, 3);
                let mut queries = unit_vectors(4000, dim, false, 5);
                queries.extend(unit_vectors(2000, dim, true, 7));
                let bias: Vec<f64> = (0..6000).map(|j| 9.0 * (0.3 * j as f64).sin() - 5.0).collect();
                let sources = Sources::new(&points, dim);
                let longer: Vec<f64> = (0..queries.len()).map(|k| queries[k] * (k / dim) as f64 / 3000.0).collect();
                for (queries, kappa) in [(&queries, kappa), (&longer, 0.5 * kappa)] {
                    let lengths = Lengths::of(queries, dim, kappa);
                    let plan = Plan::new(dim, lengths, ACCURACY).expect("harmonics are exact enough");
                    let found = sources.expanded(&plan, queries, kappa, &bias);
                    let expected = sources.pair_by_pair(queries, kappa, &bias);
                    let errors = found.iter().zip(&expected).map(|(found, expected)| (found - expected).abs());
                    let known = errors.map(|error| if error.is_nan() { f64::INFINITY } else { error });
                    let worst = known.fold(0.0, f64::max);
                    assert!(worst < ACCURACY, "dim {dim}, kappa {kappa}, clustered {is_clustered}: {worst:e}");
                }
            }
        }
    }
}

#[test]
fn harmonics_are_for_many_unit_vectors_of_the_plane_or_space() {
    let goes = |dim, kappa, count| by_harmonics(dim, kappa, count, count, 1e-11);
    assert!(!goes(3, 20.0, 100) && goes(3, 20.0, 100_000));
    assert!(goes(2, 100.0, 300) && goes(3, 10.0, 600) && !goes(3, 100.0, 600));
    assert!(!goes(4, 20.0, 100_000) && !goes(3, 1e5, 100_000));
    let mut points = unit_vectors(10, 3, false, 3);
    assert!(Sources::new(&points, 3).are_unit);
    points[4] += 1e-9;
    assert!(!Sources::new(&points, 3).are_unit);
}
