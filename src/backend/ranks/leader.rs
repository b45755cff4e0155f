//! The first of several processes: a backend that has all of them do what it is asked.

use std::{ops::Range, sync::Arc};

use super::verb::{Verb, bits};
use crate::{
    backend::{Answer, Backend, BackendError, Identity, Method, Point, SumsState},
    cancel::Cancel,
    exchange::Exchange,
    model::{Field, Model},
    observables::Quantity,
    observe::Statistics,
};

pub(super) struct Leader {
    pub(super) share: Box<dyn Backend>,
    pub(super) exchange: Arc<dyn Exchange>,
    /// Those of the problem, which all processes know.
    pub(super) quantities: Vec<Quantity>,
}

impl Leader {
    fn say(&self, verb: &Verb) -> Result<(), BackendError> {
        Ok(verb.say(&*self.exchange)?)
    }

    fn unsupported<T>(&self, term: &'static str, remedy: &'static str) -> Result<T, BackendError> {
        Err(BackendError::Unsupported { backend: self.share.identity().backend, term, remedy })
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        // Whoever cannot be reached waits no more.
        let _ = self.say(&Verb::Close);
    }
}

impl Backend for Leader {
    fn identity(&self) -> Identity {
        self.share.identity()
    }

    fn method(&self) -> Method {
        self.share.method()
    }

    fn sums(&mut self) -> Answer<'_, SumsState> {
        self.share.sums()
    }

    fn resume_sums(&mut self, sums: &SumsState) {
        // Whoever does not hear it does not hear the next verb either, which says so.
        let _ = self.say(&Verb::ResumeSums(*sums));
        self.share.resume_sums(sums);
    }

    fn change(&mut self, _model: &Model) -> Result<(), BackendError> {
        self.unsupported("equation that changes among several processes", "run it in one process")
    }

    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError> {
        self.say(&Verb::Evaluate { point, field, stage })?;
        self.share.evaluate(point, field, stage)
    }

    fn fluctuate(&mut self, _point: Point, _step: u64, _stage: usize) -> Result<(), BackendError> {
        self.unsupported("noise among several processes", "leave out [noise], or run in one process")
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, field: Field) -> Result<(), BackendError> {
        self.say(&Verb::Combine { coefficients: bits(coefficients), into, field })?;
        self.share.combine(coefficients, into, field)
    }

    fn difference<'a>(&'a mut self, coefficients: &'a [f64]) -> Answer<'a, f64> {
        Box::pin(async move {
            self.say(&Verb::Difference { coefficients: bits(coefficients) })?;
            self.share.difference(coefficients).await
        })
    }

    fn end_with(&mut self, cancel: &Cancel) {
        self.share.end_with(cancel);
    }

    fn wait(&mut self) -> Answer<'_, ()> {
        self.share.wait()
    }

    fn observe<'a>(&'a mut self, quantities: &'a [Quantity]) -> Answer<'a, Vec<Statistics>> {
        Box::pin(async move {
            if quantities != self.quantities {
                return self.unsupported("other quantities than those of its problem", "open it for these");
            }
            self.say(&Verb::Observe)?;
            self.share.observe(quantities).await
        })
    }

    fn velocity(&mut self, stage: usize) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            self.say(&Verb::Velocity { stage })?;
            self.share.velocity(stage).await
        })
    }

    fn tokens_of(&mut self, tokens: Range<usize>) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            self.say(&Verb::Tokens { start: tokens.start, end: tokens.end })?;
            self.share.tokens_of(tokens).await
        })
    }
}
