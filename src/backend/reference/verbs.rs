//! The reference as a backend: what the loop asks for, one literal sum after the other.

use std::ops::Range;

use super::{
    attention::ReplicaAttention,
    diffusion::{self, Parts},
    field::{field, held, moved},
    noise::fluctuation,
    observe::{log_energy, moments},
};
use crate::{
    backend::{Answer, Backend, BackendError, Identity, Method, Point, Precision, require_stages},
    diffusion::Diffusion,
    model::{Field, Model},
    observables::{Need, Quantity},
    observe::Statistics,
    problem::{Algorithm, Problem},
    tokens::Tokens,
};

const NAME: &str = "reference";

/// The tokens of one problem, and the equation that moves them.
pub struct Reference {
    state: Tokens,
    /// The point of the current stage.
    stage: Tokens,
    model: Model,
    /// k_s, one a stage, and after them those of the noise.
    velocities: Vec<Vec<f64>>,
    /// The largest error of a marginal so far.
    marginal_error: f64,
}

impl Reference {
    /// Takes a copy of the tokens of `problem` at time zero.
    ///
    /// Fails with `Problem` where it is none, with `Shortage` where tokens or the matrix of all weights do not fit, and with
    /// `NoHarmonics` where the problem insists on harmonics.
    pub fn new(problem: &Problem) -> Result<Self, BackendError> {
        problem.check()?;
        if problem.algorithm == Algorithm::Harmonic {
            return Err(BackendError::NoHarmonics { backend: NAME });
        }
        problem.sizes().require_reference()?;
        Ok(Self {
            state: problem.tokens.clone(),
            stage: problem.tokens.clone(),
            model: problem.model.clone(),
            velocities: vec![vec![0.0; problem.tokens.coordinates.len()]; problem.slots()],
            marginal_error: 0.0,
        })
    }

    fn at(&self, point: Point) -> &Tokens {
        match point {
            Point::State => &self.state,
            Point::Stage => &self.stage,
        }
    }

    fn statistics(&self, replica: usize, quantities: &[Quantity]) -> Statistics {
        let needs = |need| quantities.iter().any(|quantity| quantity.needs(need));
        let mut statistics = moments(&self.state, replica);
        if !needs(Need::SecondMoment) {
            statistics.second_moment.clear();
        }
        if !needs(Need::MeanDirection) {
            (statistics.square_distance, statistics.overlap_min) = (0.0, 0.0);
        }
        if needs(Need::Energy) {
            statistics.log_energy = log_energy(&self.state, &self.model, replica);
        }
        statistics
    }
}

impl Backend for Reference {
    fn identity(&self) -> Identity {
        Identity {
            backend: NAME,
            adapter: format!("{}, double loops, 1 thread", std::env::consts::ARCH),
            driver: String::new(),
            arithmetic: std::env::consts::ARCH.into(),
            precision: Precision::Double,
        }
    }

    fn method(&self) -> Method {
        Method::Direct
    }

    fn change(&mut self, model: &Model) -> Result<(), BackendError> {
        self.model = model.clone();
        Ok(())
    }

    fn evaluate(&mut self, point: Point, which: Field, stage: usize) -> Result<(), BackendError> {
        require_stages(NAME, stage.saturating_add(1), self.velocities.len())?;
        let tokens = self.at(point);
        let velocity = field(tokens, &self.model, which);
        if self.model.attention.is_balanced() && which != Field::Perceptron {
            let of = |replica| ReplicaAttention::new(tokens, &self.model, replica).marginal_error();
            self.marginal_error = (0..tokens.shape.replicas).map(of).fold(self.marginal_error, f64::max);
        }
        self.velocities[stage] = velocity;
        Ok(())
    }

    fn fluctuate(&mut self, point: Point, step: u64, stage: usize) -> Result<(), BackendError> {
        require_stages(NAME, stage.saturating_add(1), self.velocities.len())?;
        let tokens = self.at(point);
        self.velocities[stage] = match &self.model.noise {
            Some(noise) => fluctuation(tokens, noise, step),
            None => vec![0.0; tokens.coordinates.len()],
        };
        Ok(())
    }

    /// Of `diffusion` it takes how many parts there are and how long each is; how tokens move in one is worked out anew.
    fn diffuse(&mut self, diffusion: &Diffusion, first: u64) -> Result<(), BackendError> {
        let Some(noise) = &self.model.noise else { return Ok(()) };
        let time = diffusion.reach / (self.state.shape.dim - 1) as f64;
        let moved = diffusion::diffuse(&self.state, noise, Parts { count: diffusion.parts, time }, first);
        self.state.coordinates = held(self.state.shape, self.model.frozen, &self.state.coordinates, moved);
        Ok(())
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, which: Field) -> Result<(), BackendError> {
        require_stages(NAME, coefficients.len(), self.velocities.len())?;
        let terms = coefficients.iter().copied().zip(self.velocities.iter().map(Vec::as_slice));
        let terms: Vec<(f64, &[f64])> = terms.collect();
        let moved = moved(&self.model, self.state.shape, &self.state.coordinates, &terms, which);
        match into {
            Point::State => self.state.coordinates = moved,
            Point::Stage => self.stage.coordinates = moved,
        }
        Ok(())
    }

    fn difference<'a>(&'a mut self, coefficients: &'a [f64]) -> Answer<'a, f64> {
        Box::pin(async move {
            require_stages(NAME, coefficients.len(), self.velocities.len())?;
            let dim = self.state.shape.dim;
            let mut largest: f64 = 0.0;
            for token in 0..self.state.coordinates.len() / dim {
                let mut square = 0.0;
                for k in token * dim..(token + 1) * dim {
                    let mut sum = 0.0;
                    for (factor, velocity) in coefficients.iter().zip(&self.velocities) {
                        sum += factor * velocity[k];
                    }
                    square += sum * sum;
                }
                if square.is_nan() {
                    return Ok(f64::NAN);
                }
                largest = largest.max(square.sqrt());
            }
            Ok(largest)
        })
    }

    fn wait(&mut self) -> Answer<'_, ()> {
        Box::pin(async move { Ok(()) })
    }

    fn observe<'a>(&'a mut self, quantities: &'a [Quantity]) -> Answer<'a, Vec<Statistics>> {
        Box::pin(async move {
            let replicas = 0..self.state.shape.replicas;
            Ok(replicas.map(|replica| self.statistics(replica, quantities)).collect())
        })
    }

    fn marginal_error(&mut self) -> Answer<'_, Option<f64>> {
        Box::pin(async move { Ok(self.model.attention.is_balanced().then_some(self.marginal_error)) })
    }

    fn velocity(&mut self, stage: usize) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            require_stages(NAME, stage.saturating_add(1), self.velocities.len())?;
            Ok(self.velocities[stage].clone())
        })
    }

    fn tokens_of(&mut self, tokens: Range<usize>) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            let (dim, coordinates) = (self.state.shape.dim, &self.state.coordinates);
            let rows = coordinates.chunks_exact(dim).skip(tokens.start).take(tokens.len());
            Ok(rows.flatten().copied().collect())
        })
    }
}
