//! One problem, laid out on a device.

use super::{
    engine::{allocation::AllocationScope, device::Device, readback::Readback, recorder::Recorder},
    field::{
        advance::Advance,
        check::Check,
        heads::{self, HeadInputs, HeadLayout},
        motion::InputRows,
        noise::Noise,
        perceptron::Perceptron,
        scheme::Combination,
        velocity::{QueriesAndKeys, Velocity},
    },
    harmonic::harmonics::{self, Harmonics},
    kernels::constants::{Constants, Shift},
    layout::{
        half, terms,
        token_buffers::{Partials, TokenBuffers},
        tune,
    },
    observe::{observables::Observables, sliced_wasserstein::SortedProjections},
};
use crate::{
    backend::{BackendError, Care, Method},
    problem::Problem,
    tokens::Shape,
};

/// One problem on a graphics device, in the precision that it was opened for.
pub struct Gpu {
    pub(super) device: Device,
    pub(super) shape: Shape,
    /// Stages of a step.
    pub(super) slots: usize,
    /// Leading tokens of a replica that do not move.
    pub(super) frozen: usize,
    pub(super) constants: Constants,
    pub(super) buffers: TokenBuffers,
    pub(super) velocity: Velocity,
    /// Present as long as sums over keys are taken by harmonics.
    pub(super) harmonics: Option<(Harmonics, Check)>,
    pub(super) method: Method,
    /// The error that cancellation may have left since the last check, as far as it was read.
    pub(super) lost: f64,
    pub(super) combination: Combination,
    /// Present where the model has one.
    pub(super) noise: Option<Noise>,
    /// Present where workgroups keep whole replicas.
    pub(super) advance: Option<Advance>,
    pub(super) observables: Observables,
    pub(super) projections: SortedProjections,
    pub(super) recorder: Recorder,
    pub(super) readback: Readback,
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
        let device = &device.for_problem();
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
            lost: 0.0,
            combination,
            noise,
            advance,
            observables,
            projections: SortedProjections::new(&problem.tokens),
            recorder,
            readback,
        })
    }
}

impl Gpu {
    /// The buffers that hold the tokens of the first replica, in their order, each with how many of them it begins with. A token is as many
    /// vectors of four single components as [`vectors`](Self::vectors) says; those beyond its width are zero. They are as the last verb
    /// left them once [`wait`](crate::backend::Backend::wait) has come back.
    pub fn first_replica(&self) -> impl Iterator<Item = (&wgpu::Buffer, usize)> {
        let segments = self.buffers.segments.iter().filter(|buffers| buffers.segment.first_replica == 0);
        segments.map(|buffers| (&buffers.state, buffers.segment.tokens))
    }

    /// Vectors of four components that a token has on the device.
    pub fn vectors(&self) -> u32 {
        self.constants.width()
    }
}

/// Refuses what the kernels lack in the precision of the device.
fn require(device: &Device, problem: &Problem) -> Result<(), BackendError> {
    terms::check(problem)?;
    if device.half.is_some() { half::check(problem) } else { Ok(()) }
}
