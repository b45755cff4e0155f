//! What an experiment means: files are read, keys compared with each other, and every question answered.

mod geometry;
mod observe;
mod reference;
mod results;
mod trained;

use super::{Experiment, error::ExperimentError, geometry::GeometryWord, rules::Facts, shared::Shared};
use crate::{
    initial::{FromFile, Law, LawError, Lengths, TokenFile, draw, normalise, perturb},
    model::{Draws, Mask, MatrixSchedule, Model, ModelSchedule, Part},
    observables::columns,
    problem::{Algorithm, Problem, Schedule},
    tokens::{Shape, Tokens, Weights},
};

impl Experiment {
    /// What its terms need of the rest of it.
    pub(super) fn shared(&self) -> Shared<'_> {
        let replicas = self.typed.tokens.replicas.unwrap_or(1) as usize;
        Shared { source: &self.source, seed: self.seed(), replicas, step: self.typed.time.step.first() }
    }

    /// Answers every question the experiment leaves open, and draws the initial tokens.
    pub fn resolve(&self) -> Result<Problem, ExperimentError> {
        let file = self.token_file()?;
        let shape = self.shape(file.as_ref())?;
        self.require_starts(file.as_ref())?;
        let mut schedule = self.schedule()?;
        self.require_overlap()?;
        let quantities = self.quantities()?;
        self.require_kept(shape)?;
        self.require_memory(shape, &quantities)?;
        let columns = columns(&quantities, shape.dim);
        schedule.stop = self.stop_of(&columns)?;
        let (model, model_schedule) = self.equation(shape, &schedule)?;
        let weights = self.weights(shape)?;
        let coordinates = match file {
            Some(file) => file.place(shape),
            None => draw(&self.typed.tokens.initial, shape, self.seed()),
        };
        let mut coordinates = coordinates.map_err(|error| self.law_error(error))?;
        if matches!(self.typed.tokens.initial, Law::Points(_)) && self.geometry().starts_on_sphere() {
            // Typed with as many digits as its author liked.
            normalise(&mut coordinates, shape.dim);
        }
        if let Some(size) = self.typed.tokens.perturbation {
            self.require_pairs(shape, &weights)?;
            perturb(&mut coordinates, shape, size, self.seed());
            if self.geometry().starts_on_sphere() {
                normalise(&mut coordinates, shape.dim);
            }
        }
        let tokens = Tokens { shape, coordinates, weights };
        self.require_distances(&quantities, &tokens)?;
        self.require_reference_steps()?;
        self.require_harmonics(shape.dim, model.attention.mask)?;
        let (scheme, algorithm, tolerance) = (self.typed.time.scheme.meaning, self.algorithm(), self.typed.tolerance);
        let problem = Problem { tokens, model, model_schedule, scheme, schedule, quantities, algorithm, tolerance };
        self.require_control(&problem)?;
        self.require_even_steps(&problem)?;
        self.require_measurable(&problem)?;
        self.results_of(&columns)?;
        Ok(problem)
    }

    /// Of the replicas of a file every second would give way to the one before it perturbed.
    fn require_starts(&self, file: Option<&TokenFile>) -> Result<(), ExperimentError> {
        let Some(replicas) = file.and_then(|file| file.replicas).filter(|_| self.typed.tokens.perturbation.is_some())
        else {
            return Ok(());
        };
        let problem = format!(
            "every second replica is the one before it perturbed, and tokens.initial.path holds {replicas} replicas of its \
             own, of which every second would be dropped"
        );
        let remedy = "save an array of shape (count, dim), or leave tokens.perturbation out";
        Err(self.source.error("tokens.perturbation", self.quoted("tokens.perturbation"), problem, remedy))
    }

    /// Of two replicas the second is the first one perturbed, with the same weights.
    fn require_pairs(&self, shape: Shape, weights: &Weights) -> Result<(), ExperimentError> {
        let replicas = shape.replicas;
        if !replicas.is_multiple_of(2) {
            let problem = "every second replica is the one before it perturbed, and their number is odd";
            let remedy = format!("write tokens.replicas = {}", replicas + 1);
            return Err(self.source.error("tokens.replicas", replicas, problem, remedy));
        }
        let Weights::Each(weights) = weights else { return Ok(()) };
        let differ = |pair: &[f64]| pair[..shape.count] != pair[shape.count..];
        if weights.chunks_exact(2 * shape.count).any(differ) {
            let problem = "every second replica is the one before it perturbed, and here has other weights";
            let remedy = "save weights of shape (count,), or leave tokens.perturbation out";
            return Err(self.source.error("tokens.weights", self.quoted("tokens.weights"), problem, remedy));
        }
        Ok(())
    }

    /// Of two replicas that differ in their start alone, both have the same random matrices.
    fn require_draws_of_pairs(&self, parts: &[Part]) -> Result<(), ExperimentError> {
        let draws_of = |schedule: &MatrixSchedule| match schedule {
            MatrixSchedule::Random(random) => random.draws,
            MatrixSchedule::OrnsteinUhlenbeck(process) => process.draws,
            MatrixSchedule::Layers(_) | MatrixSchedule::Oscillating { .. } | MatrixSchedule::OfQueryKey(_) => {
                Draws::Shared
            }
        };
        let are_apart = |part: &Part| match part {
            Part::Matrix { schedule, .. } => matches!(draws_of(schedule), Draws::Replicas(_)),
            Part::Beta(_)
            | Part::Weight { .. }
            | Part::Perceptron(_)
            | Part::Alpha(_)
            | Part::Geometry { .. }
            | Part::Rescaled { .. } => false,
        };
        if self.typed.tokens.perturbation.is_none() || !parts.iter().any(are_apart) {
            return Ok(());
        }
        let problem =
            "every second replica is the one before it perturbed, and draws = \"replicas\" gives it other matrices";
        let remedy = "write draws = \"pairs\"";
        Err(self.source.error("tokens.perturbation", self.quoted("tokens.perturbation"), problem, remedy))
    }

    /// A tolerance is one of the harmonic algorithm, which is one for the circle and the sphere, where every token sees every source.
    fn require_harmonics(&self, dim: usize, mask: Mask) -> Result<(), ExperimentError> {
        if let (Algorithm::Direct, Some(tolerance)) = (self.algorithm(), self.typed.tolerance) {
            let problem = "has no meaning for algorithm = \"direct\"";
            return Err(self.source.error("tolerance", format!("{tolerance:e}"), problem, "leave it out"));
        }
        if self.algorithm() != Algorithm::Harmonic || ((dim == 2 || dim == 3) && mask == Mask::None) {
            return Ok(());
        }
        let problem = "needs tokens.dim = 2 or 3 and no mask";
        Err(self.source.error("algorithm", "\"harmonic\"", problem, "write algorithm = \"auto\""))
    }

    /// The tokens that a file holds.
    pub(super) fn token_file(&self) -> Result<Option<TokenFile>, ExperimentError> {
        let Law::File(FromFile { path }) = &self.typed.tokens.initial else { return Ok(None) };
        TokenFile::of(self.source.arrays.read(path), self.lengths()).map(Some).map_err(|error| self.law_error(error))
    }

    /// How many tokens there are: as typed, else as in the file they come from.
    pub(super) fn shape(&self, file: Option<&TokenFile>) -> Result<Shape, ExperimentError> {
        let typed = &self.typed.tokens;
        let (mut replicas, mut count, mut dim) = (typed.replicas.unwrap_or(1), typed.count, typed.dim);
        if let Some(file) = file {
            replicas = typed.replicas.unwrap_or(file.replicas.unwrap_or(1) as u64);
            count = count.or(Some(file.count as u64));
            dim = dim.or(Some(file.dim as u64));
        }
        let (Some(count), Some(dim)) = (count, dim) else {
            return Err(self.source.error("tokens.count", "", "missing", "write tokens.count and tokens.dim"));
        };
        if dim < 2 && !self.geometry().suits_a_line() {
            let problem = "must be at least 2, because tokens of one component have no directions, which this tokens.geometry needs";
            let remedy = "take tokens of two or more components, or write tokens.geometry = \"euclidean\"";
            return Err(self.source.error("tokens.dim", dim, problem, remedy));
        }
        let passive = typed.passive.unwrap_or(0);
        if passive >= count {
            let problem = format!("of {count} tokens at least one must carry weight");
            let remedy = format!("write tokens.passive = {} or less", count - 1);
            return Err(self.source.error("tokens.passive", passive, problem, remedy));
        }
        if self.frozen() as u64 > count {
            let problem = format!("there are only {count} tokens");
            let remedy = format!("write tokens.frozen = {count} or less");
            return Err(self.source.error("tokens.frozen", self.frozen(), problem, remedy));
        }
        let [replicas, count, dim, passive] = [replicas, count, dim, passive].map(|size| size as usize);
        Ok(Shape { replicas, count, dim, passive })
    }

    /// How many leading tokens of each replica stay where they are.
    pub(super) fn frozen(&self) -> usize {
        self.typed.tokens.frozen.unwrap_or(0) as usize
    }

    fn law_error(&self, LawError { key, problem, remedy }: LawError) -> ExperimentError {
        let key = format!("tokens.initial.{key}");
        self.source.error(key.as_str(), self.quoted(&key), problem, remedy)
    }

    /// The lengths that tokens may start with.
    fn lengths(&self) -> Lengths {
        match self.geometry() {
            geometry if geometry.starts_on_sphere() => Lengths::One,
            GeometryWord::PreNorm | GeometryWord::PeriNorm => Lengths::Positive,
            _ => Lengths::Any,
        }
    }

    /// The equation at time zero, and how it changes.
    fn equation(&self, shape: Shape, schedule: &Schedule) -> Result<(Model, ModelSchedule), ExperimentError> {
        if let Some(typed) = &self.typed.attention.trained {
            let (model, model_schedule) = self.trained(typed, shape)?;
            self.require_sense(&self.facts(&model, &[], shape.dim))?;
            return Ok((model, model_schedule));
        }
        let mut parts = Vec::new();
        // Of tokens from a file there may be as many replicas as it has.
        let shared = Shared { replicas: shape.replicas, ..self.shared() };
        let attention = self.typed.attention.resolve(shape, schedule, &shared, &mut parts)?;
        self.require_draws_of_pairs(&parts)?;
        let geometry = self.resolved_geometry(shape.dim, schedule, &mut parts)?;
        let perceptron = self.typed.perceptron.as_ref();
        let perceptron =
            perceptron.map(|typed| typed.resolve(shape.dim, schedule, &shared, &mut parts)).transpose()?;
        let noise = self.typed.noise.as_ref().map(|typed| typed.resolve(&self.shared()));
        let model = Model { geometry, attention, perceptron, noise, frozen: self.frozen() };
        self.require_sense(&self.facts(&model, &parts, shape.dim))?;
        let moves = parts.iter().any(Part::moves);
        let model_schedule = if parts.is_empty() { ModelSchedule::Constant } else { ModelSchedule::Parts(parts) };
        let model = model_schedule.at(&model, 0, 0.0).into_owned();
        Ok((model, if moves { model_schedule } else { ModelSchedule::Constant }))
    }

    fn facts<'a>(&'a self, model: &'a Model, parts: &'a [Part], dim: usize) -> Facts<'a> {
        let (geometry, law) = (self.geometry(), &self.typed.tokens.initial);
        Facts { geometry, law, model, parts, scheme: self.typed.time.scheme.meaning, dim }
    }
}
