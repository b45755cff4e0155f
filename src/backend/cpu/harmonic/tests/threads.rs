//! The same bits on any number of threads.

use rayon::ThreadPoolBuilder;

use super::{
    super::{
        super::{instructions::Instructions, real::Real},
        Moments,
    },
    direct::{Cloud, cloud, packed, uneven},
};
use crate::tokens::Tokens;

/// The bits of the moments, from a pool of so many threads.
fn moments<T: Real>(threads: usize, tokens: &Tokens) -> Vec<u64> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    let packed = packed::<T>(tokens);
    let moments = pool.install(|| Moments::new(Instructions::detect(), packed.replica(0), 9));
    moments.values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn moments_do_not_depend_on_the_number_of_threads() {
    for dim in [2, 3] {
        // More than one chunk in a span, and a last span that is shorter.
        let tokens = cloud(Cloud::Spread, 300_001, dim, uneven(300_001));
        assert_eq!(moments::<f32>(1, &tokens), moments::<f32>(3, &tokens));
        assert_eq!(moments::<f64>(1, &tokens), moments::<f64>(3, &tokens));
    }
}
