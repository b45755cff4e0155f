//! Graphics adapters, through wgpu: the only room that sees it.
//!
//! A [`Device`] is an opened adapter, a [`Gpu`] is one problem on it. Tokens stay on the device in single precision;
//! verbs are recorded and handed over in submissions of about fifty milliseconds, and only observations and final
//! tokens come back. `shaders/` holds the kernels; each is compiled for one width of tokens.
//!
//! A token of up to four components takes 72 bytes on the device under a scheme of one stage: 16 each for state and
//! velocity, 8 for weights, and 32 for the sums of a query, these for one segment at a time; each further stage takes
//! 16 more, the point of a stage 16, and 16 each go to the queries and outputs of a segment where heads have general
//! matrices or replicas betas of their own. Slices of keys multiply the 32; harmonics have none, and add some megabytes. So 10^8 tokens on the
//! sphere take at most 7.2 GB, and 5.6 GB where a binding of 2 GiB makes two segments of them. Places that are added
//! to tokens take 32 more; rotary ones as much as the queries of a head, twice; decaying weights 16; the potentials
//! of a head 16; largest scores 16 for each slice; a histogram of overlaps 4; sliced distances up to 8 for the tokens of
//! one replica, or 256 MB in all; a row of attention 16 for every 4096 keys; modes of degree 16 on the sphere
//! 2.5 for large replicas, and 2.6 kB a replica for small ones; other sums over large replicas less than one.
//!
//! The files lie in storeys, and a file uses only what is in its own storey or in one below:
//!
//! | storey | what it answers |
//! |---|---|
//! | this file | How do the verbs of a [`Backend`] use all that? |
//! | `observe` | What is measured where the tokens are? |
//! | `field` | What moves tokens: attention, perceptron, noise, geometry, the points of the scheme? |
//! | `harmonic` | How are sums over keys taken in linear time? |
//! | `layout` | In which buffers does a problem lie, in pieces of which sizes, and do the kernels have its terms? |
//! | `engine` | How is a device opened, its memory taken, a kernel compiled and dispatched, a number read back? |
//! | [`kernels`] | What does each kernel consist of? Its text, its parameters, its bindings, its constants; no device |
//!
//! Files of one storey use each other without cycles, and nothing is imported from the `mod.rs` of a storey.
//!
//! ```no_run
//! use tokenfield::{
//!     backend::{
//!         Backend, BackendError, Precision,
//!         gpu::{Choice, Device, Gpu},
//!     },
//!     problem::Problem,
//! };
//!
//! async fn means(problem: &Problem) -> Result<Vec<Vec<f64>>, BackendError> {
//!     let device = Device::open(Choice::Best, Precision::Single).await?;
//!     let mut gpu = Gpu::new(&device, problem).await?;
//!     let replicas = gpu.observe(&[]).await?;
//!     Ok(replicas.into_iter().map(|statistics| statistics.mean).collect())
//! }
//! ```

mod engine;
mod field;
mod harmonic;
pub mod kernels;
mod layout;
mod observe;

pub use self::{
    engine::{
        adapter::{AdapterSummary, Choice, Kind, adapters},
        device::{Bounds, Device},
    },
    layout::tune,
};

use self::{
    engine::{allocation::AllocationScope, limits::unsupported, readback::Readback, recorder::Recorder},
    field::{
        advance::Advance,
        check::Check,
        heads::{self, HeadInputs, HeadLayout},
        motion::InputRows,
        noise::{Diffused, Noise},
        perceptron::Perceptron,
        scheme::Combination,
        velocity::{QueriesAndKeys, Velocity},
    },
    harmonic::harmonics::{self, Harmonics},
    kernels::constants::{Constants, Shift},
    layout::{
        half, terms,
        token_buffers::{Partials, TokenBuffers},
    },
    observe::{observables::Observables, observed::Observed, sliced_wasserstein::SortedProjections},
};
use super::{
    Answer, Backend, BackendError, Care, Identity, Method, Point, Precision, SlicedTargets, algorithm::held, longest,
    require_stages,
};
use crate::{
    diffusion::Diffusion,
    model::{Field, Model},
    observables::Quantity,
    observe::Statistics,
    problem::{Algorithm, Problem},
    scheme::Tableau,
    tokens::Shape,
};

const NAME: &str = "gpu";

/// One problem on a graphics device, in the precision that it was opened for.
pub struct Gpu {
    device: Device,
    shape: Shape,
    /// Stages of a step.
    slots: usize,
    /// Leading tokens of a replica that do not move.
    frozen: usize,
    constants: Constants,
    buffers: TokenBuffers,
    velocity: Velocity,
    /// Present as long as sums over keys are taken by harmonics.
    harmonics: Option<(Harmonics, Check)>,
    method: Method,
    combination: Combination,
    /// Present where the model has one.
    noise: Option<Noise>,
    /// Present where workgroups keep whole replicas.
    advance: Option<Advance>,
    observables: Observables,
    projections: SortedProjections,
    recorder: Recorder,
    readback: Readback,
}

impl Device {
    /// `problem` on this device; see [`Gpu::new`].
    pub async fn backend(&self, problem: &Problem) -> Result<Box<dyn Backend>, BackendError> {
        Ok(Box::new(Gpu::new(self, problem).await?))
    }
}

impl Gpu {
    /// Lays `problem` out on `device` and uploads its tokens.
    ///
    /// Fails with `Unsupported` if the kernels lack a term of its model, with `BelowLimit` if one token, one reading or the moments exceed a binding of the adapter, with `OutOfMemory`
    /// if the tokens do not fit its memory, and with `TooManyHarmonics` or `AboveTolerance` if the problem asks for
    /// harmonics that cannot meet its tolerance.
    pub async fn new(device: &Device, problem: &Problem) -> Result<Gpu, BackendError> {
        problem.check()?;
        require(device, problem)?;
        let shape = problem.tokens.shape;
        let attention = &problem.model.attention;
        let constants = tune::constants(shape, device.kind(), Shift::Running, heads::visibility(attention));
        let plan = harmonics::plan(device, problem)?;
        let partials = if plan.is_some() { Partials::Whole } else { Partials::OfSlices };
        let inputs = HeadInputs::on(device, problem);
        let layouts: Vec<_> = attention.heads.iter().map(|head| HeadLayout::of(&inputs, attention, head)).collect();
        let scratch = heads::scratch(&layouts, attention.normalization, partials);
        let lay_out = |scope: &AllocationScope| {
            let recorder = Recorder::new(scope);
            let buffers = TokenBuffers::new(scope, problem, &constants, scratch)?;
            let mut velocity = Velocity::new(scope, problem, constants, QueriesAndKeys::same(&buffers), &recorder);
            if let Some(perceptron) = &problem.model.perceptron {
                let perceptron =
                    Perceptron::new(scope, perceptron, &constants, &buffers, &recorder, InputRows::Normalized)?;
                velocity.perceptron = Some(perceptron);
            }
            let combination = Combination::new(scope, &problem.model, &constants, &buffers, &recorder);
            let noise = match &problem.model.noise {
                Some(noise) => Some(Noise::new(scope, problem, noise, &constants, &buffers, &recorder)?),
                None => None,
            };
            let observables = Observables::new(scope, problem, &constants, &buffers, &recorder)?;
            let state_bytes =
                buffers.segments.iter().map(|segment_buffers| segment_buffers.state.size()).max().unwrap_or(0);
            let readback = Readback::new(scope, state_bytes.max(observables.bytes()));
            Ok((recorder, buffers, velocity, combination, noise, observables, readback))
        };
        let (recorder, buffers, mut velocity, combination, noise, observables, readback) =
            AllocationScope::allocate(device, lay_out).await?;
        let (mut method, mut checked) = (Method::Direct, None);
        if let Some(plan) = plan
            && let Some(harmonics) = Harmonics::new(device, plan, &constants, &buffers, &recorder).await?
        {
            velocity.series = Some(harmonics.series(device, problem, &constants, &buffers, &recorder));
            method = Method::Harmonic { degree: harmonics.plan().degree, error: 0.0, care: Care::Usual };
            let check = AllocationScope::allocate(device, |scope| {
                Ok(Check::new(scope, problem, constants, scratch, &harmonics, &buffers, &recorder))
            });
            let check = check.await?;
            checked = Some((harmonics, check));
        }
        let advance = match checked {
            None if terms::fits_advance(problem) => {
                let lay_out = |scope: &AllocationScope| Ok(Advance::new(scope, problem, &buffers, &recorder));
                AllocationScope::allocate(device, lay_out).await?
            }
            _ => None,
        };
        device.failure.check()?;
        Ok(Gpu {
            device: device.clone(),
            shape,
            slots: problem.slots(),
            frozen: problem.model.frozen,
            constants,
            buffers,
            velocity,
            harmonics: checked,
            method,
            combination,
            noise,
            advance,
            observables,
            projections: SortedProjections::new(&problem.tokens),
            recorder,
            readback,
        })
    }

    /// Records the coefficients for the tokens at `point`, if sums are taken by harmonics.
    fn prepare(&mut self, point: Point) -> Result<(), BackendError> {
        match &self.harmonics {
            Some((harmonics, _)) => harmonics.prepare(&mut self.recorder, &self.buffers, point),
            None => Ok(()),
        }
    }

    /// Compares the velocities of a sample of tokens, for which the coefficients are recorded, with direct ones, and records
    /// the largest difference. Above the tolerance direct sums take over, unless harmonics were asked for.
    async fn check_harmonics(&mut self) -> Result<(), BackendError> {
        let Gpu { device, recorder, readback, buffers, harmonics, .. } = self;
        let (Some((harmonics, check)), Method::Harmonic { degree, error: before, care }) = (harmonics, self.method)
        else {
            return Ok(());
        };
        let sampled = check.error(device, recorder, readback, buffers).await?;
        let here = sampled.max(harmonics.lost(device, recorder, readback).await?);
        let (asked, tolerance, error) = (harmonics.plan().asked, harmonics.plan().tolerance, here.max(before));
        self.method = Method::Harmonic { degree, error, care };
        // Both sums of the sample are off by as much as direct ones hold.
        let allowed =
            if asked == Algorithm::Harmonic { tolerance } else { tolerance.max(2.0 * held(Precision::Single)) };
        if here <= allowed {
            return Ok(());
        }
        if asked == Algorithm::Harmonic {
            return Err(BackendError::AboveTolerance { error, tolerance });
        }
        self.method = Method::Abandoned { error };
        self.harmonics = None;
        self.velocity.series = None;
        Ok(())
    }
}

impl Backend for Gpu {
    fn identity(&self) -> Identity {
        let summary = self.device.summary();
        Identity {
            backend: NAME,
            adapter: format!("{} ({})", summary.name, summary.api),
            driver: summary.driver.clone(),
            precision: self.device.precision(),
        }
    }

    fn method(&self) -> Method {
        self.method
    }

    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError> {
        require_stages(NAME, stage.saturating_add(1), self.slots)?;
        self.prepare(point)?;
        self.velocity.evaluate(&mut self.recorder, QueriesAndKeys::same(&self.buffers), point, field, stage)
    }

    fn change(&mut self, model: &Model) -> Result<(), BackendError> {
        // What is recorded comes before what is written.
        self.recorder.submit()?;
        self.advance = None;
        self.combination.write(&self.device, &model.geometry);
        self.observables.write(model);
        let as_noisy = match (&self.noise, &model.noise) {
            (Some(own), Some(noise)) => own.is_of(noise),
            (own, noise) => own.is_none() && noise.is_none(),
        };
        let fits = as_noisy && self.harmonics.is_none() && self.velocity.write(&self.device, model);
        if fits { Ok(()) } else { Err(unsupported("models that change beyond their numbers")) }
    }

    fn fluctuate(&mut self, point: Point, step: u64, stage: usize) -> Result<(), BackendError> {
        require_stages(NAME, stage.saturating_add(1), self.slots)?;
        let Some(noise) = &mut self.noise else {
            let rows = self.buffers.segments.iter().map(|segment_buffers| segment_buffers.rows()).enumerate();
            let (recorder, motion) = (&mut self.recorder, &self.velocity.motion);
            let mut zero = |(segment, rows)| motion.zero_velocity(recorder, point, segment, rows, stage * rows);
            return rows.into_iter().try_for_each(&mut zero);
        };
        noise.record(&mut self.recorder, &self.buffers, point, step, stage)
    }

    fn diffuse(&mut self, diffusion: &Diffusion, first: u64) -> Result<(), BackendError> {
        let Some(noise) = &mut self.noise else {
            return Ok(());
        };
        match noise.diffuse(&mut self.recorder, &self.buffers, diffusion, first)? {
            Diffused::Moved => Ok(()),
            Diffused::Displaced => self.combine(&[1.0], Point::State, Field::Tangent),
        }
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, field: Field) -> Result<(), BackendError> {
        require_stages(NAME, coefficients.len(), self.slots)?;
        self.combination.record(&mut self.recorder, &self.buffers, coefficients, into, field)
    }

    fn difference<'a>(&'a mut self, coefficients: &'a [f64]) -> Answer<'a, f64> {
        Box::pin(async move {
            require_stages(NAME, coefficients.len(), self.slots)?;
            let (mut largest, padded) = (0.0, 4 * self.constants.width() as usize);
            for segment_buffers in &self.buffers.segments {
                let count = segment_buffers.rows() * padded;
                let mut sums = vec![0.0; count];
                for (stage, coefficient) in coefficients.iter().enumerate() {
                    let first = stage * count;
                    let velocities =
                        self.readback.numbers(&mut self.recorder, &segment_buffers.velocities, first, count).await?;
                    let terms = velocities.into_iter().map(|velocity| coefficient * f64::from(velocity));
                    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
                }
                let dim = self.shape.dim;
                largest = sums.chunks_exact(padded).fold(largest, |largest, sum| longest(largest, &sum[..dim]));
            }
            Ok(largest)
        })
    }

    fn advance(&mut self, tableau: &Tableau, h: f64, field: Field, most: u64) -> Result<u64, BackendError> {
        let Gpu { advance: Some(advance), recorder, buffers, .. } = self else { return Ok(0) };
        advance.record(recorder, buffers, tableau, h, field, most)
    }

    fn wait(&mut self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.recorder.submit()?;
            self.recorder.drain().await
        })
    }

    fn observe<'a>(&'a mut self, quantities: &'a [Quantity]) -> Answer<'a, Vec<Statistics>> {
        Box::pin(async move {
            self.prepare(Point::State)?;
            self.check_harmonics().await?;
            let Gpu { device, shape, constants, buffers, velocity, recorder, readback, observables, .. } = self;
            let shape = *shape;
            let mut observed = Observed { device, shape, constants, buffers, velocity, recorder, readback };
            observables.statistics(&mut observed, quantities).await
        })
    }

    fn sliced_costs<'a>(&'a mut self, targets: &'a SlicedTargets<'_>) -> Answer<'a, Option<Vec<f64>>> {
        Box::pin(async move {
            let Gpu { device, constants, buffers, recorder, readback, projections, .. } = self;
            projections.costs(device, constants, buffers, recorder, readback, targets).await
        })
    }

    fn marginal_error(&mut self) -> Answer<'_, Option<f64>> {
        Box::pin(async move { self.velocity.marginal_error(&mut self.recorder, &self.readback).await })
    }

    fn velocity(&mut self, stage: usize) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            require_stages(NAME, stage.saturating_add(1), self.slots)?;
            let padded = 4 * self.constants.width() as usize;
            let mut velocity = Vec::with_capacity(self.shape.coordinates());
            for segment_buffers in &self.buffers.segments {
                let (count, from) = (segment_buffers.rows() * padded, &segment_buffers.velocities);
                let rows = self.readback.numbers(&mut self.recorder, from, stage * count, count).await?;
                velocity.extend(unpadded(&rows, padded, self.shape.dim));
            }
            self.shape.clear_leading(&mut velocity, self.frozen);
            Ok(velocity)
        })
    }

    fn tokens(&mut self) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            let padded = 4 * self.constants.width() as usize;
            let mut tokens = Vec::with_capacity(self.shape.coordinates());
            for segment_buffers in &self.buffers.segments {
                let count = segment_buffers.rows() * padded;
                let rows = self.readback.numbers(&mut self.recorder, &segment_buffers.state, 0, count).await?;
                tokens.extend(unpadded(&rows, padded, self.shape.dim));
            }
            Ok(tokens)
        })
    }
}

/// Refuses what the kernels lack in the precision of the device.
fn require(device: &Device, problem: &Problem) -> Result<(), BackendError> {
    terms::check(problem)?;
    if device.half.is_some() { half::check(problem) } else { Ok(()) }
}

/// The first `dim` of every `padded` numbers.
fn unpadded(rows: &[f32], padded: usize, dim: usize) -> impl Iterator<Item = f64> {
    rows.chunks_exact(padded).flat_map(move |row| &row[..dim]).map(|component| f64::from(*component))
}
