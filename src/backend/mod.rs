//! Who does the arithmetic: one trait, implemented on CPUs and on GPUs.
//!
//! A backend holds the tokens of one problem, a stage point and the stage velocities, in its own precision and layout.
//! It knows the equation and the tokens; it knows neither time, nor files, nor pictures.

pub mod adapter;
mod algorithm;
pub mod cpu;
#[cfg(feature = "gpu")]
pub mod gpu;
#[cfg(not(feature = "gpu"))]
#[path = "no_gpu.rs"]
mod gpu;
pub mod machine;
pub mod ranks;
pub mod reference;
mod stepper;

pub use self::stepper::advance;
pub use crate::{sums::Precision, transport::SortedProjection};

use std::{
    future::{Future, ready},
    ops::Range,
    pin::Pin,
};

use serde::{Deserialize, Serialize};

use crate::{
    budget::Shortage,
    cancel::Cancel,
    diffusion::Diffusion,
    exchange::ExchangeError,
    model::{Field, Model},
    observables::Quantity,
    observe::Statistics,
    problem::ProblemError,
    scheme::Tableau,
};

/// Where the velocity is evaluated, or where a combination of stages is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Point {
    /// The tokens at the start of the step.
    State,
    /// The intermediate point of a stage.
    Stage,
}

/// What a run folder records about the machine that did the work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// `cpu`, `gpu` or `reference`.
    pub backend: &'static str,
    /// The name of the processor or the graphics adapter, with what it is used for (instruction set, graphics API).
    pub adapter: String,
    /// The name and version of the graphics driver; empty on a CPU.
    pub driver: String,
    /// What of these the bytes of a result depend on: the instruction set, or the adapter and its driver, and not the number of threads.
    pub arithmetic: String,
    /// The precision of the arithmetic.
    pub precision: Precision,
}

impl Identity {
    /// What the bytes of a result depend on, in words.
    pub fn machine(&self) -> String {
        format!("{} ({})", self.backend, self.arithmetic)
    }
}

/// How a backend computed the sums over pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Method {
    /// Pair by pair.
    Direct,
    /// By harmonics up to `degree`; `error` is the largest |v - v_direct| found so far in samples of tokens that had moved, or
    /// will move, by these sums, in units of the largest velocity in the sample if that exceeds one.
    Harmonic {
        /// The largest degree.
        degree: usize,
        /// As above.
        error: f64,
        /// With how much care they are taken.
        care: Care,
    },
    /// By harmonics until a sample of tokens had an `error` above the tolerance, and pair by pair from then on.
    Abandoned {
        /// The largest |v - v_direct|, in the same units.
        error: f64,
    },
}

/// With how much care sums are taken by harmonics: with as little as the tolerance seems to ask for, until a look at a sample of
/// tokens has found that too little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Care {
    /// In the precision of the run.
    Usual,
    /// In double precision, in a run of single precision.
    Widened,
    /// In double precision, on finer tables on the circle, and with fewer bits left to cancellation.
    Refined,
}

impl Care {
    /// What a manifest says of it; nothing of what is usual.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Care::Usual => None,
            Care::Widened => Some("widened to double precision"),
            Care::Refined => Some("refined, in double precision"),
        }
    }
}

/// How sums over pairs are taken, and what decides how they will be: with it and the same tokens a backend goes on as another one would
/// have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SumsState {
    /// How they have been taken so far.
    pub method: Method,
    /// Whether harmonics of a run of single precision are those of double precision.
    pub is_widened: bool,
    /// How often harmonics have been refined.
    pub refinements: u32,
    /// Samples of tokens that have been compared with direct sums.
    pub checks: u32,
    /// The error that cancellation may have left in velocities since the last of these.
    pub lost: f64,
}

impl SumsState {
    /// Of sums that are taken by `method`, of which nothing else is known.
    pub fn of(method: Method) -> Self {
        Self { method, is_widened: false, refinements: 0, checks: 0, lost: 0.0 }
    }
}

/// A law as it is seen along directions.
pub struct SlicedTargets<'a> {
    /// Row-major (direction, component), each of length one.
    pub directions: &'a [f64],
    /// How many values it has along each.
    pub values: usize,
    /// What it is along the direction of that number; asked for when it is needed, since all may not fit the memory.
    pub law: &'a (dyn Fn(usize) -> SortedProjection + Sync),
}

/// What a backend will have read: a browser cannot block, so whoever asks awaits.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, BackendError>> + 'a>>;

/// The arithmetic of one problem.
///
/// The tokens given at construction are the state. `evaluate` fills stage `stage` (0, 1, ..., below the number of
/// stages of the scheme, and as many more of noise if it goes with them), `combine` moves a point, and the readers return what is
/// left. A stage that the scheme has not is [`BackendError::NoStage`]. A backend may record work and run it later; readers wait for
/// it.
pub trait Backend {
    /// Who does the work, for the record.
    fn identity(&self) -> Identity;

    /// How the sums over pairs have been computed so far.
    fn method(&self) -> Method;

    /// How the sums over pairs are taken, for whoever goes on from here later.
    fn sums(&mut self) -> Answer<'_, SumsState> {
        Box::pin(ready(Ok(SumsState::of(self.method()))))
    }

    /// Goes on with sums as another backend took them of the same problem, on the same machine and in the same precision.
    fn resume_sums(&mut self, _sums: &SumsState) {}

    /// From now on the equation is `model`: that of the problem with other numbers in the same places, and maybe another
    /// geometry of tokens without a length or with one.
    fn change(&mut self, model: &Model) -> Result<(), BackendError>;

    /// k_stage <- the chosen field of the model at `point`.
    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError>;

    /// k_stage <- intensity * G(x_i) xi_i at `point`, with the standard normal draws xi of step `step`; k_stage <- 0 where the model
    /// has no noise.
    fn fluctuate(&mut self, point: Point, step: u64, stage: usize) -> Result<(), BackendError>;

    /// Moves the state, of tokens of length one, by all parts of `diffusion`, the draws of the first part being number `first`. The
    /// stage velocities are lost.
    fn diffuse(&mut self, _diffusion: &Diffusion, _first: u64) -> Result<(), BackendError> {
        let backend = self.identity().backend;
        Err(BackendError::Unsupported { backend, term: "noise on the sphere", remedy: "leave out [noise]" })
    }

    /// `into` <- N(state + sum_s coefficients\[s\] k_s), with N as the geometry has it; a layer norm is that after `field`.
    fn combine(&mut self, coefficients: &[f64], into: Point, field: Field) -> Result<(), BackendError>;

    /// The largest |sum_s coefficients\[s\] k_s| of a token, of those of all replicas; not a number where one is not. Stage velocities
    /// stay as they are.
    fn difference<'a>(&'a mut self, _coefficients: &'a [f64]) -> Answer<'a, f64> {
        let backend = self.identity().backend;
        let remedy = "write one length, e.g. time.step = 0.05";
        Box::pin(ready(Err(BackendError::Unsupported { backend, term: "steps of controlled error", remedy })))
    }

    /// Takes whole steps of length `h` by itself, at most `most` of them, and returns how many.
    ///
    /// A backend that cannot do better than stage by stage returns zero, as all do unless they say otherwise, and
    /// nothing has happened; the loop then makes one step of the two verbs above. So the stages of a scheme stay in one
    /// place, and a backend that keeps tokens where they are for many steps is free to choose how many. `tableau` is
    /// that of the scheme of the problem. Stage point and stage velocities are lost.
    fn advance(&mut self, _tableau: &Tableau, _h: f64, _field: Field, _most: u64) -> Result<u64, BackendError> {
        Ok(0)
    }

    /// From now on work that is under way when `cancel` is requested ends soon, with [`BackendError::Cancelled`]; the tokens and velocities are
    /// worthless then. A backend whose work is always short by itself need not listen.
    fn end_with(&mut self, _cancel: &Cancel) {}

    /// Waits until everything asked for so far is done: for clocks and for progress.
    fn wait(&mut self) -> Answer<'_, ()>;

    /// One reduction of the state for each replica, as far as `quantities` need it, and those of them that the backend measures
    /// itself. Stage point and stage velocities may be lost.
    fn observe<'a>(&'a mut self, quantities: &'a [Quantity]) -> Answer<'a, Vec<Statistics>>;

    /// W_2^2 = int_0^1 |F^{-1}(s) - G^{-1}(s)|^2 ds on every line, F being that of the projections <theta, x_j> of the sources of a
    /// replica and G the law along theta: one number for each replica and direction, in this order.
    ///
    /// None where that is left to whoever reads the tokens, as it is unless a backend says otherwise.
    fn sliced_costs<'a>(&'a mut self, _targets: &'a SlicedTargets<'_>) -> Answer<'a, Option<Vec<f64>>> {
        Box::pin(ready(Ok(None)))
    }

    /// Where attention iterates to have stochastic rows and columns, the largest |ln sum_i w_i a_ij / w_j| of all fields that were
    /// evaluated, rows having sums of one; none elsewhere.
    fn marginal_error(&mut self) -> Answer<'_, Option<f64>> {
        Box::pin(ready(Ok(None)))
    }

    /// The field k_stage as it was evaluated last, ordered (replica, token, component).
    fn velocity(&mut self, stage: usize) -> Answer<'_, Vec<f64>>;

    /// The coordinates of a run of tokens of the state, counted over all replicas, ordered (token, component); tokens beyond the last
    /// are left out. Whoever takes one run after the other need not hold all tokens.
    fn tokens_of(&mut self, tokens: Range<usize>) -> Answer<'_, Vec<f64>>;

    /// The coordinates of the state, ordered (replica, token, component).
    fn tokens(&mut self) -> Answer<'_, Vec<f64>> {
        self.tokens_of(0..usize::MAX)
    }
}

/// Why a backend cannot do the work.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum BackendError {
    #[error(
        "no graphics adapter found{0}; install a Vulkan driver (on Debian: mesa-vulkan-drivers), or use --backend cpu"
    )]
    NoAdapter(String),
    #[error(
        "this build of tokenfield has no graphics adapters; build it with `--features gpu`, or use --backend cpu"
    )]
    BuiltWithoutGpu,
    #[error(
        "the adapter {adapter} is below what this problem needs: {limit} is {available}, needed {needed}; \
         use --backend cpu"
    )]
    BelowLimit { adapter: String, limit: &'static str, needed: u64, available: u64 },
    #[error(
        "the adapter {adapter} ran out of memory: {needed} bytes needed for this problem, {available}; \
         lower tokens.count or tokens.replicas, or use --backend cpu"
    )]
    OutOfMemory { adapter: String, needed: u64, available: String },
    #[error(
        "the harmonic algorithm leaves an error of {error:e} in the velocity of a token, above the tolerance {tolerance:e}; \
         write algorithm = \"auto\", or a larger tolerance"
    )]
    AboveTolerance { error: f64, tolerance: f64 },
    #[error(
        "the harmonic algorithm would need too many harmonics at this attention.beta and tolerance; \
         write algorithm = \"direct\""
    )]
    TooManyHarmonics,
    #[error(
        "--precision half: the adapter {adapter} does not multiply matrices of f16 that are summed in f32 \
         (on Vulkan: VK_KHR_cooperative_matrix and shaderFloat16); write --precision single, or try a newer driver"
    )]
    NoMatrices { adapter: String },
    #[error("the {backend} backend has no {term}; {remedy}")]
    Unsupported { backend: &'static str, term: &'static str, remedy: &'static str },
    #[error(
        "the {backend} backend sums pair by pair and has no harmonics; write algorithm = \"direct\", or use --backend cpu"
    )]
    NoHarmonics { backend: &'static str },
    #[error(
        "the {backend} backend was asked for {asked} stages of a scheme that has {stages}; ask for those of the problem"
    )]
    NoStage { backend: &'static str, asked: usize, stages: usize },
    #[error(
        "{ranks} processes are too many for so few tokens, which are shared out in runs of 4096 or more: start at most {most}"
    )]
    TooManyRanks { ranks: usize, most: usize },
    #[error("process {rank} cannot take part: {message}")]
    OtherRank { rank: usize, message: String },
    #[error(
        "the processes of this run differ in their problem, their precision, their instruction set or their version of tokenfield; \
         start all with the same file, options and build, on machines of one kind"
    )]
    UnlikeRanks,
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error("stopped before its end")]
    Cancelled,
    #[error(transparent)]
    Problem(Box<ProblemError>),
    #[error(transparent)]
    Shortage(#[from] Shortage),
    #[error("the device {adapter} was lost: {reason}; run again, or use --backend cpu")]
    DeviceLost { adapter: String, reason: String },
    #[error("the device {adapter} refused the work: {reason}")]
    Device { adapter: String, reason: String },
}

impl From<ProblemError> for BackendError {
    fn from(error: ProblemError) -> Self {
        Self::Problem(Box::new(error))
    }
}

/// The larger of a length and that of a vector; not a number from the first that is none on.
pub(crate) fn longest(largest: f64, vector: &[f64]) -> f64 {
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length.is_nan() || largest.is_nan() { f64::NAN } else { largest.max(length) }
}

/// Refuses more stages than the scheme of a problem has, those of the noise included.
pub(crate) fn require_stages(backend: &'static str, asked: usize, stages: usize) -> Result<(), BackendError> {
    if asked <= stages { Ok(()) } else { Err(BackendError::NoStage { backend, asked, stages }) }
}
