//! The loop: steps and observation times, once for every scheme and every backend; or by hand, as a [`Simulation`].
//!
//! ```
//! use tokenfield::{
//!     backend::{Backend, cpu},
//!     experiment::Experiment,
//!     simulate::{Event, simulate},
//! };
//!
//! let experiment = Experiment::parse("
//!     name = \"two-clusters\"
//!     [tokens]
//!     count = 64
//!     dim = 3
//!     seed = 7
//!     initial = { law = \"uniform\" }
//!     [attention]
//!     beta = 4.0
//!     normalization = \"softmax\"
//!     [time]
//!     scheme = \"heun\"
//!     step = 0.1
//!     end = 2.0
//!     [observe]
//!     every = 0.5
//!     quantities = [\"energy\"]
//! ")?;
//! let problem = experiment.resolve()?;
//! let mut backend = cpu::double(&problem)?;
//! let mut energies = Vec::new();
//! pollster::block_on(simulate(&problem, backend.as_mut(), |event| {
//!     if let Event::Sample(sample) = event {
//!         energies.push(sample.values[0]);
//!     }
//!     Ok(())
//! }))?;
//! assert!(energies.is_sorted(), "the energy never decreases");
//! let tokens = pollster::block_on(backend.tokens())?;
//! assert_eq!(tokens.len(), 64 * 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ascent;
mod control;
mod error;
mod integration;
mod kept;
mod measure;
mod simulation;
mod snapshot;
#[cfg(test)]
mod tests;

pub use self::{
    control::{StepControl, StepCounts, StepError},
    error::SimulateError,
    integration::{Integration, Listener},
    simulation::Simulation,
    snapshot::{Energies, LimitState, Snapshot},
};

use std::{collections::BTreeMap, error::Error};

use crate::{
    backend::Backend, expression::Expression, limit::Limit, observe::Sample, problem::Problem, warning::Warning,
};

/// What the loop reports while it runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// One replica was measured.
    Sample(&'a Sample),
    /// [`Quantity::Tokens`](crate::observables::Quantity) asks for tokens at this time, after the samples of it if there are any: one run of
    /// those that are kept after the other, in their order.
    Tokens {
        /// The layer-time.
        time: f64,
        /// The number of the first one in the run, counted over all that are kept of all replicas.
        first: usize,
        /// Ordered (token, component).
        coordinates: &'a [f64],
    },
    /// [`Quantity::AttentionMatrix`](crate::observables::Quantity::AttentionMatrix) asks for this matrix of one head, (row, source); after the samples, for one replica after the
    /// other and all its heads in turn.
    Attention {
        /// That of the tokens.
        replica: usize,
        /// a_ij, row-major.
        weights: &'a [f64],
    },
    /// This many steps are done (on a GPU: recorded, and at most a fraction of a second behind).
    Steps(u64),
    /// Something that the user must know, though the run goes on; each kind at most once for each replica.
    Warning(&'a Warning),
    /// The condition to stop at holds in all replicas at this layer-time, and no more steps are taken.
    Stopped {
        /// That of the last sample.
        time: f64,
        /// What holds.
        condition: &'a Expression,
    },
}

/// Why a simulation took no more steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// There were no more, and no condition could have ended it earlier.
    #[default]
    Scheduled,
    /// There were no more, and its condition has not held in all replicas.
    Unmet,
    /// Its condition held.
    Stopped,
}

/// What is known at the end of a simulation, beside its samples.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The layer-time of the last sample.
    pub time: f64,
    /// Whether that is the end of the schedule.
    pub ending: Ending,
    /// Pairs (i, j) that were summed over, by whichever algorithm.
    pub pairs: u64,
    /// Of steps of controlled error.
    pub steps: Option<StepCounts>,
    /// [`Backend::marginal_error`].
    pub marginal_error: Option<f64>,
    /// For each quantity that was compared with a limit by nodes, how many there were; by its first column.
    pub reference_nodes: BTreeMap<String, usize>,
}

/// Evolves the tokens of `problem`, held by `backend`, to the end of its schedule, or to the first sample at which its condition to
/// stop at holds in all replicas.
///
/// `on_event` is told of every sample (replica by replica, times ascending, time 0 and the end included) and of every
/// step; an error it returns stops the run, with tokens that may be some steps further on, because a backend may take
/// several at once.
pub async fn simulate(
    problem: &Problem,
    backend: &mut dyn Backend,
    on_event: impl FnMut(Event) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<Summary, SimulateError> {
    simulate_with_limit(problem, backend, None, on_event).await
}

/// The same as [`simulate`], and at each sample the tokens are compared with their coupled tokens in the limit, if there is one.
pub async fn simulate_with_limit(
    problem: &Problem,
    backend: &mut dyn Backend,
    limit: Option<&mut Limit>,
    mut on_event: impl FnMut(Event) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<Summary, SimulateError> {
    let mut integration = Integration::new(problem, backend, limit);
    while integration.advance(&mut on_event).await? {}
    Ok(integration.into_summary())
}
