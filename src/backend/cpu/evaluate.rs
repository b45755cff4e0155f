//! The field of all tokens: replica by replica, or replicas side by side.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::{
    ensemble::{self, Ensemble, Pairs},
    field::HeadField,
    problem::Cpu,
    velocity::Run,
};
use crate::{
    backend::Method,
    model::Field,
    sums::{Real, columns::Columns},
    tokens::Weights,
};

impl<T: Real> Cpu<T> {
    pub(super) fn ensemble(&self, field: Field) -> Ensemble<'_, T> {
        let attention = &self.model.attention;
        let serves_two = |head: &HeadField<T>| head.is_symmetric() && head.constant_shift().is_some();
        let is_symmetric = attention.sees_all()
            && self.weights == Weights::Equal
            && self.decays.is_none()
            && self.heads.iter().all(serves_two);
        Ensemble {
            heads: &self.heads,
            mask: attention.mask,
            pairs: if is_symmetric { Pairs::Unordered } else { Pairs::Ordered },
            field,
            bias: &self.bias,
            decays: self.decays.as_ref(),
            count: self.shape.count,
            sources: self.shape.sources(),
            frozen: self.model.frozen,
        }
    }

    pub(super) fn evaluate_ensemble(&self, from: &Columns<T>, field: Field, velocities: &mut Columns<T>) {
        let ensemble = self.ensemble(field);
        let mut velocities: Vec<_> = velocities.replicas_mut().collect();
        velocities.par_chunks_mut(ensemble::REPLICAS).enumerate().for_each(|(group, velocities)| {
            if !self.cancel.is_requested() {
                ensemble.evaluate(self.instructions, group * ensemble::REPLICAS, from, velocities);
            }
        });
    }

    /// False if sums by harmonics are to be widened, and all of it is to be done again.
    pub(super) fn evaluate_replicas(&self, from: &Columns<T>, field: Field, velocities: &mut Columns<T>) -> bool {
        let are_found = AtomicBool::new(true);
        let velocities: Vec<_> = velocities.replicas_mut().collect();
        velocities.into_par_iter().enumerate().for_each(|(replica, velocity)| {
            let tokens = from.replica(replica);
            let sources = self.sources(replica, tokens, field);
            velocity.parts(self.block()).enumerate().for_each(|(index, mut velocity)| {
                let first = index * self.block();
                // The last one may be padding alone.
                if self.cancel.is_requested() || first >= self.shape.count {
                    return;
                }
                let queries = tokens.part(first, self.block());
                let visibility = || self.visibility(first, queries.len());
                if !self.velocity(&sources, field, Run { tokens: queries, first }, visibility, &mut velocity) {
                    are_found.store(false, Ordering::Relaxed);
                }
            });
        });
        are_found.into_inner()
    }

    /// From now on harmonics sum in double precision.
    pub(super) fn widen(&mut self) {
        if let (Some(harmonics), Method::Harmonic { error, .. }) = (&mut self.harmonics, self.method) {
            harmonics.widen();
            self.method = harmonics.method(error);
        }
    }
}
