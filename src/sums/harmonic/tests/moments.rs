//! The moments of clouds that take many tasks: against literal sums, and the same bits on any number of threads.

use rayon::ThreadPoolBuilder;

use super::{
    super::super::{instructions::Instructions, real::Real},
    direct::{Arrangement, cloud, moments, uneven},
};
use crate::tokens::{Tokens, Weights};

/// The bits of the moments, from a pool of so many threads.
fn bits<T: Real>(threads: usize, tokens: &Tokens) -> Vec<u64> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    let moments = pool.install(|| moments::<T>(Instructions::detect(), tokens, 9));
    moments.values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn moments_do_not_depend_on_the_number_of_threads() {
    for dim in [2, 3] {
        // More than one chunk in a span, and a last span that is shorter.
        let tokens = cloud(Arrangement::Spread, 300_001, dim, uneven(300_001));
        assert_eq!(bits::<f32>(1, &tokens), bits::<f32>(3, &tokens));
        assert_eq!(bits::<f64>(1, &tokens), bits::<f64>(3, &tokens));
    }
}

#[test]
fn spans_of_different_scales_add_up() {
    // The weight halves from one span to the next.
    let count = 5 * 4096 + 3;
    let weights: Vec<f64> = (0..count).map(|i| (-((i / 4096) as f64)).exp2()).collect();
    let tokens = cloud(Arrangement::Spread, count, 2, Weights::Each(weights.clone()));
    let moments = moments::<f64>(Instructions::detect(), &tokens, 2);
    let mut expected = [0.0; 6];
    for (x, w) in tokens.coordinates.chunks(2).zip(&weights) {
        let terms = [1.0, 0.0, x[0], x[1], x[0] * x[0] - x[1] * x[1], 2.0 * x[0] * x[1]];
        expected.iter_mut().zip(terms).for_each(|(sum, term)| *sum += w * term);
    }
    for (found, expected) in moments.values.iter().zip(expected) {
        // Sums of some ten thousand terms of order one, each rounded.
        let found = found * moments.log2_scale.exp2();
        assert!((found - expected).abs() < 1e-9, "{found} {expected}");
    }
}
