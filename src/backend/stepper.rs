//! The stages of a step, once for every scheme and every backend.

use super::{Backend, BackendError, Point};
use crate::{
    model::{Field, Model},
    problem::Problem,
    scheme::Tableau,
};

/// Takes steps of `problem` after the first `done`, at least one and at most `most`, and returns how many: as many as
/// `backend` takes by itself, or one, stage by stage.
pub fn advance(problem: &Problem, backend: &mut dyn Backend, done: u64, most: u64) -> Result<u64, BackendError> {
    if problem.schedule.control.is_some() {
        let (backend, term) = (backend.identity().backend, "steps of controlled error that go uncontrolled");
        return Err(BackendError::Unsupported { backend, term, remedy: "take them with simulate" });
    }
    let tableau = problem.scheme.tableau();
    let (h, field) = (problem.schedule.step(done), problem.scheme.field());
    if repeats_one_step(problem) {
        let taken = backend.advance(tableau, h, field, problem.schedule.alike(done, most))?;
        if taken > 0 {
            return Ok(taken);
        }
    }
    let step = Step { problem, done, h };
    let diffusion = problem.diffusion();
    if let Some(diffusion) = &diffusion {
        backend.diffuse(diffusion, diffusion.draw(done, 0))?;
    }
    match field {
        Field::Tangent => step.of_stages(backend, tableau)?,
        Field::Ambient | Field::Perceptron => step.of_sublayers(backend)?,
    }
    if let Some(diffusion) = &diffusion {
        backend.diffuse(diffusion, diffusion.draw(done, 1))?;
    }
    Ok(1)
}

/// Whether every step is the same map, of which a backend may take many at once.
fn repeats_one_step(problem: &Problem) -> bool {
    let Problem {
        tokens: _,
        model,
        model_schedule,
        scheme: _,
        schedule: _,
        quantities: _,
        algorithm: _,
        tolerance: _,
    } = problem;
    let Model { geometry: _, attention: _, perceptron: _, noise, frozen: _ } = model;
    model_schedule.is_constant() && noise.is_none()
}

/// One step, of length `h`, after `done` others.
struct Step<'a> {
    problem: &'a Problem,
    done: u64,
    h: f64,
}

impl Step<'_> {
    /// Stage by stage; stages of noise in R^d follow those of the scheme, with the same coefficients but for sqrt(h).
    fn of_stages(&self, backend: &mut dyn Backend, tableau: &Tableau) -> Result<(), BackendError> {
        let (stages, noisy) = (tableau.stages(), self.problem.fluctuates());
        for (stage, row) in tableau.a.iter().enumerate() {
            let point = if stage == 0 { Point::State } else { Point::Stage };
            if stage > 0 {
                backend.combine(&self.coefficients(row, stages), Point::Stage, Field::Tangent)?;
            }
            self.change(backend, tableau.node(stage))?;
            backend.evaluate(point, Field::Tangent, stage)?;
            if noisy {
                backend.fluctuate(point, self.done, stages + stage)?;
            }
        }
        backend.combine(&self.coefficients(tableau.b, stages), Point::State, Field::Tangent)
    }

    /// What stages are multiplied by, and those of the noise if there is any.
    fn coefficients(&self, row: &[f64], stages: usize) -> Vec<f64> {
        let mut coefficients: Vec<f64> = row.iter().map(|entry| self.h * entry).collect();
        if self.problem.fluctuates() {
            coefficients.resize(stages, 0.0);
            coefficients.extend(row.iter().map(|entry| self.h.sqrt() * entry));
        }
        coefficients
    }

    /// Attention, then the perceptron if there is one, each added to the tokens and followed by the normalization.
    fn of_sublayers(&self, backend: &mut dyn Backend) -> Result<(), BackendError> {
        backend.evaluate(Point::State, Field::Ambient, 0)?;
        backend.combine(&[self.h], Point::State, Field::Ambient)?;
        if self.problem.model.perceptron.is_some() {
            backend.evaluate(Point::State, Field::Perceptron, 0)?;
            backend.combine(&[self.h], Point::State, Field::Perceptron)?;
        }
        Ok(())
    }

    /// The equation at the fraction `node` of the step.
    fn change(&self, backend: &mut dyn Backend, node: f64) -> Result<(), BackendError> {
        let problem = self.problem;
        if problem.model_schedule.is_constant() || node == 0.0 {
            return Ok(());
        }
        let time = problem.schedule.time(self.done) + node * self.h;
        backend.change(&problem.model_schedule.at(&problem.model, self.done, time))
    }
}
