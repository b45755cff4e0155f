//! One observation: what is recorded for the quantities that are asked for, and what of it is read.

use super::{
    Gpu,
    cloud::Cloud,
    harmonic::Moments,
    ledger::Ledger,
    lengths::{Lengths, weights_are_held},
    overlaps::{Overlaps, most_alike},
    recorder::Recorder,
    second_moment::{self, SecondMoments},
    shaders::Constants,
    sharpness::Sharpness,
    survey::{Asked, Flow, Survey},
    velocity::{Clouds, Purpose, View},
};
use crate::{
    backend::{BackendError, Point},
    model::{Field, Model},
    observables::{Attention, Modes, Need, NormMoments, OnDevice, OverlapHistogram, Quantity},
    observe::Statistics,
    problem::Problem,
};

/// What observations need beside the tokens. What not every run asks for is made when it is asked for first.
pub(super) struct Observables {
    pub survey: Survey,
    /// Present where the energy changes by dissipation.
    flow: Option<Flow>,
    second_moments: Option<SecondMoments>,
    /// The most tokens of a replica that have weight, if they have the same.
    pub most_alike: Option<usize>,
    pub overlaps: Option<Overlaps>,
    pub weights_are_held: bool,
    pub norm_moments: Option<Lengths>,
    pub separations: Option<Lengths>,
    pub modes: Option<Moments>,
    pub sharpness: Option<Sharpness>,
}

impl Observables {
    pub fn new(
        ledger: &Ledger,
        problem: &Problem,
        constants: &Constants,
        cloud: &Cloud,
        recorder: &Recorder,
    ) -> Result<Observables, BackendError> {
        Ok(Observables {
            survey: Survey::new(ledger, problem, constants, cloud, recorder)?,
            flow: Flow::of(problem),
            second_moments: None,
            most_alike: most_alike(&problem.tokens),
            overlaps: None,
            weights_are_held: weights_are_held(&problem.tokens),
            norm_moments: None,
            separations: None,
            modes: None,
            sharpness: None,
        })
    }

    /// Bytes of the reading that every observation takes.
    pub fn bytes(&self) -> u64 {
        self.survey.bytes()
    }

    /// Follows another model.
    pub fn write(&mut self, model: &Model) {
        self.survey.write(&model.attention);
    }
}

impl Gpu {
    /// What `quantities` need of every replica, and those that are measured here.
    pub(super) async fn statistics(&mut self, quantities: &[Quantity]) -> Result<Vec<Statistics>, BackendError> {
        let needs = |need| quantities.iter().any(|quantity| quantity.needs(need));
        let asked = Asked {
            spread: needs(Need::MeanDirection),
            energy: needs(Need::Energy),
            flow: self.observables.flow.filter(|_| quantities.contains(&Quantity::Dissipation)),
        };
        self.prepare(Point::State)?;
        self.check_harmonics().await?;
        self.survey(asked)?;
        let Gpu { recorder, readback, observables, .. } = self;
        let mut statistics = observables.survey.read(recorder, readback, asked).await?;
        if needs(Need::SecondMoment) {
            let moments = self.second_moments().await?;
            statistics.iter_mut().zip(moments).for_each(|(replica, moment)| replica.second_moment = moment);
        }
        for quantity in quantities {
            let Some(on_device) = quantity.on_device() else { continue };
            let measured = match on_device {
                OnDevice::OverlapHistogram(OverlapHistogram { bins, pairs, .. }) => {
                    self.overlap_histograms(bins, pairs).await?
                }
                OnDevice::NormMoments(NormMoments { order }) => self.norm_moments(order).await?,
                OnDevice::Attention(Attention { rows, seed }) => self.attention(rows, seed).await?,
                OnDevice::Modes(Modes { degree }) => self.modes(degree).await?,
                OnDevice::Separation => self.separations().await?,
                // Read with the survey.
                OnDevice::Dissipation => None,
            };
            for (replica, numbers) in statistics.iter_mut().zip(measured.into_iter().flatten()) {
                replica.measured.push((*quantity, numbers));
            }
        }
        Ok(statistics)
    }

    /// Records what is asked for.
    fn survey(&mut self, asked: Asked) -> Result<(), BackendError> {
        let Gpu { velocity, cloud, recorder, observables: Observables { survey, .. }, .. } = self;
        survey.means(recorder, cloud)?;
        if asked.spread {
            survey.spreads(recorder, cloud)?;
        }
        if asked.energy || asked.flow.is_some() {
            velocity.look(recorder, cloud, Point::State)?;
        }
        for segment in 0..cloud.tracts.len() {
            if let Some(flow) = asked.flow {
                // A flow is that of all pairs of one head, so that its partials are those of the energy.
                let (clouds, at) = (Clouds::same(cloud), (Point::State, segment));
                velocity.evaluate_segment(recorder, clouds, at, Field::Tangent, 0)?;
                survey.dissipation(recorder, cloud, (segment, flow.clock), velocity.stride(0))?;
                survey.energy(recorder, cloud, (segment, 0), velocity.stride(0))?;
            } else if asked.energy {
                for head in 0..velocity.heads() {
                    // The energy is that of all pairs, whatever the mask.
                    let view = View { point: Point::State, segment, head };
                    velocity.sum(recorder, Clouds::same(cloud), view, Purpose::Energy)?;
                    survey.energy(recorder, cloud, (segment, head), velocity.stride(head))?;
                }
            }
        }
        Ok(())
    }

    async fn second_moments(&mut self) -> Result<Vec<Vec<f64>>, BackendError> {
        let Gpu { device, shape, constants, cloud, recorder, readback, observables, .. } = self;
        if observables.second_moments.is_none() {
            let lay_out = |ledger: &Ledger| SecondMoments::new(ledger, *shape, constants, cloud, recorder);
            observables.second_moments = Ledger::afford(device, lay_out).await?;
        }
        let Some(moments) = &observables.second_moments else {
            return second_moment::of_tokens(*shape, constants, cloud, recorder, readback).await;
        };
        moments.record(recorder, cloud)?;
        moments.read(recorder, readback).await
    }
}
