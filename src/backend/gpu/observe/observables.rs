//! One observation: what is recorded for the quantities that are asked for, and what of it is read.

use super::{
    attention_statistics::{Sharpness, attention},
    modes::modes,
    norm_moments::{Lengths, norm_moments, separations, weights_are_held},
    observed::Observed,
    overlaps::{Overlaps, most_alike, overlap_histograms},
    second_moment::{SecondMoments, second_moments},
    statistics::{Asked, Flow, Survey},
};
use crate::backend::gpu::{
    engine::{allocation::Ledger, recorder::Recorder},
    field::velocity::{Clouds, Purpose},
    harmonic::moments::Moments,
    kernels::constants::Constants,
    layout::{points::View, token_buffers::Cloud},
};
use crate::{
    backend::{BackendError, Point},
    model::{Field, Model},
    observe::{Quantity, Statistics},
    problem::Problem,
};

/// What observations need beside the tokens. What not every run asks for is made when it is asked for first.
pub struct Observables {
    survey: Survey,
    /// Present where the energy changes by dissipation.
    flow: Option<Flow>,
    second_moments: Option<SecondMoments>,
    /// The most tokens of a replica that have weight, if they have the same.
    most_alike: Option<usize>,
    overlaps: Option<Overlaps>,
    weights_are_held: bool,
    norm_moments: Option<Lengths>,
    separations: Option<Lengths>,
    modes: Option<Moments>,
    sharpness: Option<Sharpness>,
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

    /// What `quantities` need of every replica, and those that are measured here.
    pub async fn statistics(
        &mut self,
        observed: &mut Observed<'_>,
        quantities: &[Quantity],
    ) -> Result<Vec<Statistics>, BackendError> {
        let asks = |quantity| quantities.contains(&quantity);
        let asked = Asked {
            spread: asks(Quantity::W2Dirac) || asks(Quantity::Overlap),
            energy: asks(Quantity::Energy),
            flow: self.flow.filter(|_| asks(Quantity::Dissipation)),
        };
        self.record(observed, asked)?;
        let mut statistics = self.survey.read(observed.recorder, observed.readback, asked).await?;
        if quantities.iter().any(|quantity| quantity.needs_second_moment()) {
            let moments = second_moments(&mut self.second_moments, observed).await?;
            statistics.iter_mut().zip(moments).for_each(|(replica, moment)| replica.second_moment = moment);
        }
        for quantity in quantities {
            let measured = self.measure(observed, *quantity).await?;
            for (replica, numbers) in statistics.iter_mut().zip(measured.into_iter().flatten()) {
                replica.measured.push((*quantity, numbers));
            }
        }
        Ok(statistics)
    }

    /// Records what is asked for.
    fn record(&self, observed: &mut Observed<'_>, asked: Asked) -> Result<(), BackendError> {
        let Observed { velocity, cloud, ref mut recorder, .. } = *observed;
        let survey = &self.survey;
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

    /// A quantity of every replica; nothing where it is left to the host.
    async fn measure(
        &mut self,
        observed: &mut Observed<'_>,
        quantity: Quantity,
    ) -> Result<Option<Vec<Vec<f64>>>, BackendError> {
        match quantity {
            Quantity::OverlapHistogram { bins, pairs, .. } if self.counts_all(pairs) => {
                overlap_histograms(&mut self.overlaps, observed, bins).await
            }
            Quantity::NormMoments { order } if self.weights_are_held => {
                norm_moments(&mut self.norm_moments, observed, &self.survey, order).await
            }
            Quantity::Lyapunov if self.weights_are_held => {
                separations(&mut self.separations, observed, &self.survey).await
            }
            Quantity::Attention { rows, seed } => attention(&mut self.sharpness, observed, (rows, seed)).await,
            Quantity::Modes { degree } => modes(&mut self.modes, observed, self.survey.unit(), degree).await,
            _ => Ok(None),
        }
    }

    /// Whether weights are the same, and all pairs of tokens that have one at most so many.
    fn counts_all(&self, pairs: usize) -> bool {
        self.most_alike.is_some_and(|count| count.saturating_mul(count.saturating_sub(1)) / 2 <= pairs)
    }
}
