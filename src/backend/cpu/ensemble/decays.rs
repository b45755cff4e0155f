//! Weights that decay with distance, of the replicas of one vector.

use super::replicas::Ensemble;
use crate::{
    backend::cpu::decay::Decay,
    sums::{columns::Numbers, exp2::Exp2, real::Real},
};

/// What one head makes of the places of tokens, a replica a lane.
pub(super) struct LaneDecay<V> {
    /// log2 of the weight of each source.
    pub(super) bias: Vec<V>,
    /// What sums of each token are multiplied by where weights are not normalized; empty elsewhere.
    pub(super) divisors: Vec<V>,
}

impl<V: Copy> LaneDecay<V> {
    /// One for each head, of the `present` replicas from `first` on, lanes beyond repeating the last; none where weights do not decay.
    pub(super) fn of_heads<S: Exp2, T: Real<Vector<S> = V>>(
        ensemble: &Ensemble<'_, T>,
        first: usize,
        present: usize,
    ) -> Vec<Self> {
        let Some(decays) = ensemble.decays else { return Vec::new() };
        let head = |head| {
            let decay = decays.of(head);
            let bias = |replica| decay.bias.replica(replica)[..ensemble.sources].to_vec();
            let divisors = |replica| divisors(decay, replica, ensemble.count);
            Self {
                bias: in_lanes::<S, T>(first, present, bias),
                divisors: in_lanes::<S, T>(first, present, divisors),
            }
        };
        (0..ensemble.heads.len()).map(head).collect()
    }
}

/// One over the sum of weights of each token, and zero where it sees nothing.
fn divisors<T: Real>(decay: &Decay<T>, replica: usize, count: usize) -> Vec<T> {
    let inverse = |log2: &f64| if *log2 > f64::NEG_INFINITY { (-log2).exp2() } else { 0.0 };
    let log2_divisors = decay.log2_divisors(replica, 0).unwrap_or(&[]);
    log2_divisors.iter().take(count).map(|log2| T::from_f64(inverse(log2))).collect()
}

/// The numbers of each replica, which are as many in all of them, side by side.
fn in_lanes<S: Exp2, T: Real>(first: usize, present: usize, numbers: impl Fn(usize) -> Vec<T>) -> Vec<T::Vector<S>> {
    let lanes = T::lanes::<S>();
    let replicas: Vec<_> = (0..lanes).map(|lane| numbers(first + lane.min(present - 1))).collect();
    let mut vectors = Numbers::<T>::zeros(replicas[0].len() * lanes);
    for (index, number) in vectors.all_mut().iter_mut().enumerate() {
        *number = replicas[index % lanes][index / lanes];
    }
    T::vectors::<S>(vectors.all_mut()).to_vec()
}
