//! What an experiment means: files are read, keys compared with each other, and every question answered.

use super::{Experiment, error::ExperimentError, typed::HeadTyped};
use crate::{
    initial::{Cloud, Law, LawError, draw},
    model::{Attention, Course, Head, Mask, Model},
    observe::Quantity,
    problem::{Algorithm, Problem},
    tokens::{Shape, Tokens},
};

impl Experiment {
    /// Answers every question the experiment leaves open, and draws the initial tokens.
    pub fn resolve(&self) -> Result<Problem, ExperimentError> {
        let cloud = self.cloud()?;
        let shape = self.shape(cloud.as_ref())?;
        let model = self.model(shape.dim)?;
        let schedule = self.schedule()?;
        let quantities = self.quantities()?;
        let weights = self.weights(shape)?;
        let coordinates = match cloud {
            Some(cloud) => cloud.place(shape),
            None => draw(&self.typed.tokens.initial, shape, self.seed()),
        };
        let coordinates = coordinates.map_err(|error| self.law_error(error))?;
        let tokens = Tokens { shape, coordinates, weights };
        self.require_harmonics(shape.dim, model.attention.mask)?;
        let (scheme, algorithm, tolerance) = (self.typed.time.scheme.meaning, self.algorithm(), self.typed.tolerance);
        Ok(Problem { tokens, model, course: Course::Constant, scheme, schedule, quantities, algorithm, tolerance })
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
    pub(super) fn cloud(&self) -> Result<Option<Cloud>, ExperimentError> {
        match &self.typed.tokens.initial {
            Law::File { path } => Cloud::read(path).map(Some).map_err(|error| self.law_error(error)),
            _ => Ok(None),
        }
    }

    /// How many tokens there are: as typed, else as in the file they come from.
    pub(super) fn shape(&self, cloud: Option<&Cloud>) -> Result<Shape, ExperimentError> {
        let typed = &self.typed.tokens;
        let (mut replicas, mut count, mut dim) = (typed.replicas.unwrap_or(1), typed.count, typed.dim);
        if let Some(cloud) = cloud {
            replicas = typed.replicas.unwrap_or(cloud.replicas.unwrap_or(1) as u64);
            count = count.or(Some(cloud.count as u64));
            dim = dim.or(Some(cloud.dim as u64));
        }
        let (Some(count), Some(dim)) = (count, dim) else {
            return Err(self.source.error("tokens.count", "", "missing", "write tokens.count and tokens.dim"));
        };
        if dim < 2 {
            return Err(self.source.error(
                "tokens.dim",
                dim,
                "must be at least 2",
                "save tokens of two or more components",
            ));
        }
        // Vectors hold at most isize::MAX bytes.
        let bytes = u128::from(replicas) * u128::from(count) * u128::from(dim) * 8;
        if bytes > isize::MAX as u128 {
            let problem = format!("{replicas} replicas of {count} tokens of {dim} components do not fit into memory");
            return Err(self.source.error(
                "tokens.count",
                count,
                problem,
                "take fewer tokens, replicas or components",
            ));
        }
        let passive = typed.passive.unwrap_or(0);
        if passive >= count {
            let problem = format!("of {count} tokens at least one must carry weight");
            let remedy = format!("write tokens.passive = {} or less", count - 1);
            return Err(self.source.error("tokens.passive", passive, problem, remedy));
        }
        let [replicas, count, dim, passive] = [replicas, count, dim, passive].map(|size| size as usize);
        Ok(Shape { replicas, count, dim, passive })
    }

    fn law_error(&self, LawError { key, problem, remedy }: LawError) -> ExperimentError {
        let value = toml::Value::try_from(&self.typed.tokens.initial).ok();
        let value = value.as_ref().and_then(|law| law.get(key)).map_or(String::new(), toml::Value::to_string);
        self.source.error(format!("tokens.initial.{key}"), value, problem, remedy)
    }

    fn model(&self, dim: usize) -> Result<Model, ExperimentError> {
        let typed = &self.typed.attention;
        let mut heads = Vec::new();
        for (index, HeadTyped { query_key, value }) in typed.head.iter().enumerate() {
            let dotted = |key: &str| format!("attention.head.{index}.{key}");
            let query_key = query_key.resolve(&dotted("query-key"), dim, &self.source)?;
            let value = value.resolve(&dotted("value"), dim, &self.source)?;
            heads.push(Head { query_key, value, ..Head::default() });
        }
        if heads.is_empty() {
            heads.push(Head::default());
        }
        let mask = typed.mask.map_or(Mask::None, |mask| mask.meaning);
        let (beta, normalization) = (typed.beta, typed.normalization.meaning);
        Ok(Attention { beta, normalization, mask, heads, ..Attention::default() }.into())
    }

    /// What is measured: as typed, else moments, energy (unless beta = 0 leaves it undefined) and w2_dirac.
    pub(super) fn quantities(&self) -> Result<Vec<Quantity>, ExperimentError> {
        let has_energy = self.typed.attention.beta > 0.0;
        let Some(typed) = &self.typed.observe.quantities else {
            let mut quantities = vec![Quantity::Moments, Quantity::Energy, Quantity::W2Dirac];
            quantities.retain(|quantity| has_energy || *quantity != Quantity::Energy);
            return Ok(quantities);
        };
        let quantities: Vec<Quantity> = typed.iter().map(|word| word.meaning).collect();
        if !has_energy && quantities.contains(&Quantity::Energy) {
            let quoted = toml::Value::try_from(typed).map_or(String::new(), |value| value.to_string());
            let problem = "the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0";
            let remedy = "leave \"energy\" out, or write attention.beta = 1e-3";
            return Err(self.source.error("observe.quantities", quoted, problem, remedy));
        }
        Ok(quantities)
    }
}
