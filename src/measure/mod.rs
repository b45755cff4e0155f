//! How much is it? The numbers of a sample, from what a backend reduced and from tokens that were read back.
//!
//! `observe` defines the quantities. What here reads tokens does so in f64, whichever backend moved them. What a backend has
//! measured where its tokens are is taken as it is, and a test holds the two against each other.

mod attention;
mod clusters;
mod directions;
mod dissipation;
mod distances;
mod lyapunov;
mod modes;
mod moments;
mod overlaps;
mod renyi;
mod spread;
mod tree;
mod twins;

pub(crate) use self::attention::{Row, drawn_rows};
use self::directions::Directions;
pub(crate) use self::{
    dissipation::{flow_slope, times_exponential, value_over_query_key},
    distances::root,
};
pub use self::{
    distances::{Limit, Unresolved, copies, slice, unresolved},
    renyi::Centres,
};
use crate::{
    model::Model,
    observe::{Quantity, Statistics, eigenvalues, norm},
    problem::Problem,
    transport::{Order, TransportError},
};

/// Tokens that were read back at `time`, and the limit beside them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub problem: &'a Problem,
    /// The equation at `time`.
    pub model: &'a Model,
    pub time: f64,
    /// Those of all replicas, ordered (replica, token, component); empty unless they were read.
    pub tokens: &'a [f64],
    pub limit: Option<&'a Limit<'a>>,
    /// [`copies`], one number for each two replicas.
    pub copies: &'a [f64],
    /// [`Centres::of`] the problem.
    pub centres: &'a [Centres],
}

impl<'a> View<'a> {
    /// The tokens of one replica, ordered (token, component).
    fn replica(&self, replica: usize) -> &'a [f64] {
        let length = self.problem.tokens.shape.count * self.problem.tokens.shape.dim;
        &self.tokens[replica * length..][..length]
    }

    /// Their twins; none without a limit.
    fn twins(&self, replica: usize) -> Option<&'a [f64]> {
        let length = self.problem.tokens.shape.count * self.problem.tokens.shape.dim;
        let twins = |limit: &Limit<'a>| &limit.tokens[limit.tokens.len() - self.tokens.len()..];
        self.limit.map(|limit| &twins(limit)[replica * length..][..length])
    }
}

/// The numbers of one sample of `replica`, in the order of [`columns`](crate::observe::columns).
pub fn values(view: &View, replica: usize, statistics: &Statistics) -> Result<Vec<f64>, TransportError> {
    let mean_norm = norm(&statistics.mean);
    let mut values = Vec::new();
    for quantity in &view.problem.quantities {
        if let Some(measured) = statistics.measured(*quantity) {
            match (*quantity, measured) {
                (Quantity::Lyapunov, [distance]) => values.extend(lyapunov::exponent(view, replica, *distance)),
                // A backend counts all pairs or leaves them to the host, so that its shares have no error.
                (Quantity::OverlapHistogram { .. }, shares) => {
                    values.extend(shares);
                    values.push(0.0 * shares.iter().sum::<f64>());
                }
                _ => values.extend(measured),
            }
            continue;
        }
        match *quantity {
            Quantity::Moments => {
                values.extend(&statistics.mean);
                values.push(mean_norm);
                values.extend(eigenvalues(&statistics.second_moment, statistics.mean.len()));
            }
            Quantity::Energy => values.push(statistics.log_energy),
            Quantity::W2Dirac => values.push(statistics.square_distance.sqrt()),
            // The mean of <x_j, e> is <mean, e> = |mean|.
            Quantity::Overlap => values.extend([statistics.overlap_min, mean_norm]),
            Quantity::CouplingError => values.push(twins::coupling_error(view, replica)),
            Quantity::TaggedError => values.push(twins::tagged_error(view, replica)),
            Quantity::Tokens => {}
            Quantity::Clusters { threshold, largest } => {
                let weights = clusters::weights(&Directions::of(view, replica), threshold);
                values.push(weights.len() as f64);
                values.extend((0..largest).map(|k| weights.get(k).copied().unwrap_or(0.0)));
            }
            Quantity::OverlapHistogram { bins, pairs, seed } => {
                let directions = Directions::of(view, replica);
                let (shares, error) = overlaps::histogram(&directions, bins, pairs, (seed, replica));
                values.extend(shares);
                values.push(error);
            }
            Quantity::Modes { degree } => values.extend(modes::amplitudes(&Directions::of(view, replica), degree)),
            Quantity::EffectiveRank => {
                values.push(spread::effective_rank(&statistics.second_moment, statistics.mean.len()));
            }
            Quantity::NormMoments { order } => values.extend(spread::norm_moments(view, replica, order)),
            Quantity::Attention { rows, seed } => values.extend(attention::statistics(view, replica, rows, seed)),
            Quantity::RenyiCentres { separation } => values.extend(renyi::centres(view, replica, separation)),
            Quantity::Dissipation => values.push(dissipation::log_energy_rate(view, replica)),
            Quantity::Lyapunov => {
                values.extend(lyapunov::exponent(view, replica, lyapunov::distance(view, view.tokens, replica)));
            }
            Quantity::W1Reference => values.push(distances::wasserstein(view, replica, Order::One)?),
            Quantity::W2Reference => values.push(distances::wasserstein(view, replica, Order::Two)?),
            // Measured beforehand, but for tokens without a limit.
            Quantity::SlicedW2Reference { .. } => values.extend([f64::NAN; 2]),
            Quantity::SinkhornReference { epsilon } => values.push(distances::sinkhorn(view, replica, epsilon)?),
            Quantity::MmdReference { beta } => values.push(distances::mmd(view, replica, beta)?),
            Quantity::MomentsReference => values.extend(moments::errors(view, replica)),
            Quantity::OverlapReference => values.push(moments::overlap_error(view, replica)),
            Quantity::W1Copies => values.push(view.copies[replica / 2]),
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
