//! The experiment as resolved, written down: every default explicit, every path absolute.

use std::path::{Path, PathBuf};

use super::{
    Experiment,
    error::ExperimentError,
    matrix::MatrixTyped,
    section::word,
    typed::{ALGORITHMS, GEOMETRIES, HeadTyped, MASKS, QUANTITIES, Sphere, Typed},
};
use crate::{initial::Law, model::Mask};

impl Experiment {
    /// The experiment as resolved: a TOML file with every default written out and every path absolute, which means the
    /// same [`Problem`](crate::problem::Problem) from any folder.
    pub fn to_toml(&self) -> Result<String, ExperimentError> {
        let explicit = self.explicit()?;
        toml::to_string(&explicit).map_err(|error| {
            self.source.error("", "", format!("cannot be written as TOML: {error}"), "use paths in UTF-8")
        })
    }

    fn explicit(&self) -> Result<Typed, ExperimentError> {
        let mut typed = self.typed.clone();
        let shape = self.shape(self.cloud()?.as_ref())?;
        let schedule = self.schedule()?;
        typed.name = Some(self.name().to_owned());
        typed.algorithm = Some(word(ALGORITHMS, self.algorithm()));
        typed.tokens.count = Some(shape.count as u64);
        typed.tokens.dim = Some(shape.dim as u64);
        typed.tokens.replicas = Some(shape.replicas as u64);
        typed.tokens.passive = Some(shape.passive as u64);
        typed.tokens.seed = Some(self.seed());
        typed.tokens.geometry = Some(word(GEOMETRIES, Sphere));
        typed.attention.mask.get_or_insert(word(MASKS, Mask::None));
        if typed.attention.head.is_empty() {
            let identity = MatrixTyped::Identity;
            typed.attention.head.push(HeadTyped { query_key: identity.clone(), value: identity });
        }
        // Without steps there is no end to observe at, and one step is as good.
        let default = if schedule.steps == 0 { typed.time.step } else { typed.time.end };
        typed.observe.every.get_or_insert(default);
        let quantities = self.quantities()?;
        typed.observe.quantities = Some(quantities.into_iter().map(|quantity| word(QUANTITIES, quantity)).collect());
        for path in paths(&mut typed) {
            *path = std::path::absolute(&*path).map_err(|error| self.no_folder(path, &error))?;
        }
        Ok(typed)
    }

    fn no_folder(&self, path: &Path, error: &std::io::Error) -> ExperimentError {
        let problem = format!("{} cannot be made absolute: {error}", path.display());
        self.source.error("", "", problem, "run in a folder that exists")
    }
}

fn paths(typed: &mut Typed) -> Vec<&mut PathBuf> {
    let mut paths = Vec::new();
    if let Law::File { path } = &mut typed.tokens.initial {
        paths.push(path);
    }
    if let Some(weights) = &mut typed.tokens.weights {
        paths.push(&mut weights.path);
    }
    for HeadTyped { query_key, value } in &mut typed.attention.head {
        for matrix in [query_key, value] {
            if let MatrixTyped::Path(path) = matrix {
                paths.push(path);
            }
        }
    }
    paths
}
