//! The experiment as resolved, written down: every default explicit, every path absolute.

use super::{
    Experiment,
    attention::{MASKS, NORMALIZATIONS},
    error::ExperimentError,
    head::HeadTyped,
    number::NumberTyped,
    reference::STEPS,
    section::word,
    typed::{ALGORITHMS, Typed},
};
use crate::{
    initial::{FromFile, Law},
    model::Mask,
};

impl Experiment {
    /// The experiment as resolved: a TOML file with every default written out and every path absolute, which means the
    /// same [`Problem`](crate::problem::Problem) from any folder.
    pub fn to_toml(&self) -> Result<String, ExperimentError> {
        let explicit = self.explicit()?;
        toml::to_string(&explicit).map_err(|error| {
            self.source.error("", "", format!("cannot be written as TOML: {error}"), "use paths in UTF-8")
        })
    }

    /// The same as a table.
    pub(crate) fn to_table(&self) -> Result<toml::Table, ExperimentError> {
        super::table(&self.to_toml()?, &self.source)
    }

    fn explicit(&self) -> Result<Typed, ExperimentError> {
        let mut typed = self.typed.clone();
        let shape = self.shape(self.token_file()?.as_ref())?;
        let schedule = self.schedule()?;
        typed.name = Some(self.name().to_owned());
        typed.algorithm = Some(word(ALGORITHMS, self.algorithm()));
        typed.tokens.count = Some(shape.count as u64);
        typed.tokens.dim = Some(shape.dim as u64);
        typed.tokens.replicas = Some(shape.replicas as u64);
        typed.tokens.passive = Some(shape.passive as u64);
        typed.tokens.seed = Some(self.seed());
        typed.tokens.geometry = Some(self.explicit_geometry());
        typed.tokens.initial.write_defaults(shape.dim);
        if let Law::File(FromFile { path }) = &mut typed.tokens.initial {
            *path = self.source.written(path)?;
        }
        let attention = &mut typed.attention;
        attention.mask.get_or_insert(word(MASKS, Mask::None));
        attention.normalization.get_or_insert(word(NORMALIZATIONS, self.typed.attention.divisor()));
        if attention.head.is_empty() && attention.trained.is_none() {
            attention.head.push(HeadTyped::default());
        }
        for head in &mut attention.head {
            head.weight.get_or_insert(NumberTyped::Constant(1.0));
        }
        if let Some(noise) = &mut typed.noise {
            noise.explicit(&self.shared());
        }
        if let Some(reference) = &mut typed.reference {
            reference.explicit();
            reference.steps.get_or_insert(word(STEPS, self.reference_steps()));
        }
        // Without steps there is no end to observe at, and one step is as good.
        let default = if schedule.steps == 0 { typed.time.step.first() } else { typed.time.end };
        if typed.observe.times.is_none() && typed.observe.log.is_none() {
            typed.observe.every.get_or_insert(default);
        }
        self.explicit_quantities(&mut typed.observe)?;
        Ok(typed)
    }
}
