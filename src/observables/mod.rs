//! What is measured: each observable in a file of its own, and the one list of them.
//!
//! The file of an observable says all that is known of it (see `Observable` in `definition`): how it is typed and documented, its columns and
//! parameters, what it needs, where it is refused, and how it is measured in f64, whichever backend moved the tokens. What a backend
//! has measured where its tokens are is taken as it is, and a test holds the two against each other. When a sample is taken is not
//! decided here.
//!
//! To add an observable, write its file, add its two lines below and its paragraph in `assets/reference.toml`.

mod among;
mod centres;
mod coupled;
mod definition;
mod directions;
mod distances;
mod equation;
mod equiangular_tokens;
mod law;
mod limit;
mod limit_state;
mod limit_values;
mod objection;
mod on_device;
mod pairs;
mod quantity;
mod reference;
mod resolution;
mod tree;
mod unresolved;
mod view;
mod wasserstein;

pub(crate) mod attention;
mod attention_matrix;
mod attention_spectrum;
mod clusters;
mod coupling_error;
pub(crate) mod dissipation;
mod effective_rank;
mod energy;
mod energy_drift;
mod gap_counts;
mod head_energies;
mod limit_attention;
mod limit_energy;
mod limit_modes;
mod limit_moments;
mod limit_pair_overlap;
mod lyapunov;
mod mmd_reference;
mod modes;
mod moments;
mod moments_reference;
mod norm_moments;
mod overlap;
mod overlap_histogram;
mod overlap_reference;
mod overlap_share;
mod pair_overlap;
mod potential_energy;
mod renyi_centres;
mod sinkhorn_reference;
mod sliced_w2_reference;
mod start_overlap;
mod tagged_error;
mod tokens;
mod velocity;
mod w1_copies;
mod w1_reference;
mod w2_dirac;
mod w2_reference;

pub use self::{
    among::Among,
    attention_matrix::{attention_matrix, attention_rows},
    centres::Centres,
    clusters::labels as cluster_labels,
    definition::Need,
    equation::Equation,
    equiangular_tokens::EquiangularTokens,
    limit::Limit,
    limit_state::{LimitState, Nodes},
    quantity::{columns, replicas_a_sample},
    reference::Reference,
    tokens::TokensFormat,
    unresolved::{Unresolved, unresolved},
    view::View,
};
pub(crate) use self::{
    definition::{Curve, Definition, Hue, Parameter, Range, Value},
    dissipation::value_over_query_key,
    limit_modes::amplitudes,
    objection::{Objection, Setup},
    on_device::OnDevice,
    resolution::Resolution,
    sliced_w2_reference::roots,
};
use self::{
    definition::{Numbers, Observable, Parametrized},
    directions::Directions,
};
use crate::{observe::Statistics, transport::TransportError};

/// Makes [`Quantity`] of the list of observables: of each its file and its type, and the type once more where it has parameters, which a
/// `Quantity` then holds.
macro_rules! observables {
    ($($file:ident::$name:ident $(($parameters:ident))?,)+) => {
        $(pub use self::$file::$name;)+

        /// An observable that an experiment can ask for: a functional of mu = sum_j w_j delta_{x_j} of one replica, or of two.
        ///
        /// Some are about directions theta_j = x_j / |x_j| of tokens of positive weight, on the sphere the tokens themselves.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Quantity {
            $(
                #[doc = concat!("`", stringify!($file), "`: see [`", stringify!($name), "`](struct@", stringify!($name), ").")]
                $name $(($parameters))?,
            )+
        }

        impl Quantity {
            /// All observables, with the parameters that stand where none are typed, in the order in which they are listed.
            pub const ALL: &[Quantity] = &[$(Quantity::$name $(($parameters::DEFAULT))?),+];

            pub(crate) fn observable(&self) -> &dyn Observable {
                match self {
                    $(Quantity::$name $((first!(own $parameters)))? => last!(&$name $(, first!(own $parameters))?),)+
                }
            }

            fn parametrized(&mut self) -> Option<&mut dyn Parametrized> {
                match self {
                    $(Quantity::$name $((first!(own $parameters)))? => last!(None $(, Some(first!(own $parameters)))?),)+
                }
            }
        }
    };
}

/// A name that stands as often as there are parameters.
macro_rules! first {
    ($first:ident $second:ident) => {
        $first
    };
}

macro_rules! last {
    ($last:expr) => {
        $last
    };
    ($first:expr, $last:expr) => {
        $last
    };
}

observables! {
    moments::Moments,
    energy::Energy,
    head_energies::HeadEnergies(HeadEnergies),
    energy_drift::EnergyDrift,
    potential_energy::PotentialEnergy,
    w2_dirac::W2Dirac,
    overlap::Overlap,
    pair_overlap::PairOverlap,
    coupling_error::CouplingError,
    tagged_error::TaggedError,
    tokens::Tokens(Tokens),
    clusters::Clusters(Clusters),
    overlap_histogram::OverlapHistogram(OverlapHistogram),
    overlap_share::OverlapShare(OverlapShare),
    modes::Modes(Modes),
    effective_rank::EffectiveRank,
    norm_moments::NormMoments(NormMoments),
    attention::Attention(Attention),
    gap_counts::GapCounts(GapCounts),
    attention_matrix::AttentionMatrix,
    attention_spectrum::AttentionSpectrum(AttentionSpectrum),
    renyi_centres::RenyiCentres(RenyiCentres),
    start_overlap::StartOverlap(StartOverlap),
    dissipation::Dissipation,
    velocity::Velocity(Velocity),
    lyapunov::Lyapunov,
    w1_reference::W1Reference,
    w2_reference::W2Reference,
    sliced_w2_reference::SlicedW2Reference(SlicedW2Reference),
    sinkhorn_reference::SinkhornReference(SinkhornReference),
    mmd_reference::MmdReference(MmdReference),
    moments_reference::MomentsReference,
    overlap_reference::OverlapReference,
    limit_moments::LimitMoments,
    limit_pair_overlap::LimitPairOverlap,
    limit_energy::LimitEnergy,
    limit_attention::LimitAttention,
    limit_modes::LimitModes(LimitModes),
    w1_copies::W1Copies,
}

/// The Renyi centres of all replicas at time zero, for each separation that is asked for.
pub fn centres(quantities: &[Quantity], equation: &Equation) -> Vec<Centres> {
    let separation = |quantity: &Quantity| match quantity {
        Quantity::RenyiCentres(RenyiCentres { separation }) => Some(*separation),
        _ => None,
    };
    Centres::of(quantities.iter().filter_map(separation), equation)
}

/// The numbers of one sample of `replica`, in the order of [`columns`].
pub fn values(
    quantities: &[Quantity],
    view: &View,
    replica: usize,
    statistics: &Statistics,
) -> Result<Vec<f64>, TransportError> {
    let mut values = Vec::new();
    for quantity in quantities {
        let observable = quantity.observable();
        values.extend(match statistics.measured(&quantity.key()) {
            Some(measured) => observable.complete(view, replica, measured),
            None => observable.measure(view, replica, statistics)?,
        });
    }
    Ok(values)
}

/// Adds what is measured of all replicas at once, where it has not been measured.
pub fn measure_together(
    quantities: &[Quantity],
    view: &View,
    statistics: &mut [Statistics],
) -> Result<(), TransportError> {
    for quantity in quantities {
        if statistics.iter().all(|statistics| statistics.measured(&quantity.key()).is_some()) {
            continue;
        }
        if let Some(numbers) = quantity.observable().measure_together(view)? {
            add(*quantity, numbers, statistics);
        }
    }
    Ok(())
}

/// Adds the numbers of a quantity, those of each replica.
pub(crate) fn add(quantity: Quantity, numbers: Vec<Vec<f64>>, statistics: &mut [Statistics]) {
    for (replica, numbers) in statistics.iter_mut().zip(numbers) {
        replica.measured.push((quantity.key(), numbers));
    }
}

#[cfg(test)]
mod tests;
