//! One observation: the kernels that the requested quantities need are recorded, and their results are read.

use super::{
    attention_statistics::{AttentionStatistics, RowSample, attention},
    modes::modes,
    norm_moments::{NormSums, norm_moments, separations, weights_are_held},
    observed::Observed,
    overlaps::{Overlaps, most_alike, overlap_histograms},
    second_moment::{SecondMoments, second_moments},
    statistics::{Asked, ChunkStatistics, Flow},
};
use crate::backend::gpu::{
    engine::{allocation::AllocationScope, recorder::Recorder},
    field::velocity::{Purpose, QueriesAndKeys},
    harmonic::moments::Moments,
    kernels::constants::Constants,
    layout::{points::View, token_buffers::TokenBuffers},
};
use crate::{
    backend::{BackendError, Point},
    model::{Field, Model},
    observables::{Need, OnDevice, Quantity},
    observe::Statistics,
    problem::Problem,
};

/// What observations need beside the tokens. Buffers that not every run needs are made when they are needed first.
pub struct Observables {
    statistics: ChunkStatistics,
    /// Present where the energy changes by dissipation.
    flow: Option<Flow>,
    second_moments: Option<SecondMoments>,
    /// The most tokens of a replica that have weight, if they have the same.
    most_alike: Option<usize>,
    overlaps: Option<Overlaps>,
    weights_are_held: bool,
    norm_moments: Option<NormSums>,
    separations: Option<NormSums>,
    modes: Option<Moments>,
    attention_statistics: Option<AttentionStatistics>,
}

impl Observables {
    pub fn new(
        scope: &AllocationScope,
        problem: &Problem,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
    ) -> Result<Observables, BackendError> {
        Ok(Observables {
            statistics: ChunkStatistics::new(scope, problem, constants, buffers, recorder)?,
            flow: Flow::of(problem),
            second_moments: None,
            most_alike: most_alike(&problem.tokens),
            overlaps: None,
            weights_are_held: weights_are_held(&problem.tokens),
            norm_moments: None,
            separations: None,
            modes: None,
            attention_statistics: None,
        })
    }

    /// Bytes of the reading that every observation takes.
    pub fn bytes(&self) -> u64 {
        self.statistics.bytes()
    }

    /// Follows another model.
    pub fn write(&mut self, model: &Model) {
        self.statistics.write(&model.attention);
    }

    /// What `quantities` need of every replica, and those that are measured here.
    pub async fn statistics(
        &mut self,
        observed: &mut Observed<'_>,
        quantities: &[Quantity],
    ) -> Result<Vec<Statistics>, BackendError> {
        let needs = |need| quantities.iter().any(|quantity| quantity.needs(need));
        let asked = Asked {
            spread: needs(Need::MeanDirection),
            energy: needs(Need::Energy),
            flow: self.flow.filter(|_| quantities.contains(&Quantity::Dissipation)),
        };
        self.record(observed, asked)?;
        let mut statistics = self.statistics.read(observed.recorder, observed.readback, asked).await?;
        if needs(Need::SecondMoment) {
            let moments = second_moments(&mut self.second_moments, observed).await?;
            statistics.iter_mut().zip(moments).for_each(|(replica, moment)| replica.second_moment = moment);
        }
        for quantity in quantities {
            let measured = self.measure(observed, *quantity).await?;
            for (replica, numbers) in statistics.iter_mut().zip(measured.into_iter().flatten()) {
                replica.measured.push((quantity.key(), numbers));
            }
        }
        Ok(statistics)
    }

    /// Records the statistics of chunks.
    fn record(&self, observed: &mut Observed<'_>, asked: Asked) -> Result<(), BackendError> {
        let Observed { velocity, buffers, ref mut recorder, .. } = *observed;
        let statistics = &self.statistics;
        statistics.means(recorder, buffers)?;
        if asked.spread {
            statistics.spreads(recorder, buffers)?;
        }
        if asked.energy || asked.flow.is_some() {
            velocity.normalize_inputs(recorder, buffers, Point::State)?;
        }
        for segment in 0..buffers.segments.len() {
            if let Some(flow) = asked.flow {
                // A flow is that of all pairs of one head, so that its partials are those of the energy.
                let pair = QueriesAndKeys::same(buffers);
                velocity.evaluate_segment(recorder, pair, Point::State, segment, Field::Tangent, 0)?;
                statistics.dissipation(recorder, buffers, segment, flow.normalizer, velocity.stride(0))?;
                statistics.energy(recorder, buffers, segment, 0, velocity.stride(0))?;
            } else if asked.energy {
                for head in 0..velocity.heads() {
                    // The energy is that of all pairs, whatever the mask.
                    let view = View { point: Point::State, segment, head };
                    velocity.sum(recorder, QueriesAndKeys::same(buffers), view, Purpose::Energy)?;
                    statistics.energy(recorder, buffers, segment, head, velocity.stride(head))?;
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
        let Some(on_device) = quantity.on_device() else { return Ok(None) };
        match on_device {
            OnDevice::OverlapHistogram { bins, pairs } if self.counts_all(pairs) => {
                overlap_histograms(&mut self.overlaps, observed, bins).await
            }
            OnDevice::NormMoments { order } if self.weights_are_held => {
                norm_moments(&mut self.norm_moments, observed, &self.statistics, order).await
            }
            OnDevice::Separation if self.weights_are_held => {
                separations(&mut self.separations, observed, &self.statistics).await
            }
            OnDevice::Attention { rows, of, seed } => {
                attention(&mut self.attention_statistics, observed, RowSample { rows, of, seed }).await
            }
            OnDevice::Modes { degree } => modes(&mut self.modes, observed, self.statistics.unit(), degree).await,
            // The rate of the energy is read with the statistics; the others are left to the host.
            OnDevice::Dissipation
            | OnDevice::OverlapHistogram { .. }
            | OnDevice::NormMoments { .. }
            | OnDevice::Separation => Ok(None),
        }
    }

    /// Whether weights are the same, and all pairs of tokens that have one at most so many.
    fn counts_all(&self, pairs: usize) -> bool {
        self.most_alike.is_some_and(|count| count.saturating_mul(count.saturating_sub(1)) / 2 <= pairs)
    }
}
