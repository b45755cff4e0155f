//! When tokens are observed, what is measured, and the numbers that some quantities have.

use serde::Serialize;

use super::{
    Experiment,
    error::ExperimentError,
    section::{Section, Word},
    typed::QUANTITIES,
};
use crate::observe::Quantity;

pub(super) const OBSERVE: &[&str] = &["every", "quantities", "projections", "epsilon", "kernel-beta"];

/// The keys that are numbers of one quantity.
const NUMBERS: &[(&str, &str)] =
    &[("projections", "sliced_w2_reference"), ("epsilon", "sinkhorn_reference"), ("kernel-beta", "mmd_reference")];

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct ObserveTyped {
    pub every: Option<f64>,
    pub quantities: Option<Vec<Word<Quantity>>>,
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// The numbers of quantities; those left out are as in the list of words.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Numbers {
    pub projections: Option<u64>,
    pub epsilon: Option<f64>,
    pub kernel_beta: Option<f64>,
}

pub(super) fn read(section: &Section) -> Result<ObserveTyped, ExperimentError> {
    let every =
        section.read("every", "0.5", |entry| entry.number("finite and greater than 0", |every| every > 0.0))?;
    let quantities = quantities(section)?;
    for (key, word) in NUMBERS {
        let is_measured = quantities.iter().flatten().any(|quantity| quantity.text() == *word);
        if !is_measured {
            let problem = format!("is a number of the quantity \"{word}\", which is not measured");
            section.forbid(&[key], &problem, &format!("add \"{word}\" to observe.quantities, or leave it out"))?;
        }
    }
    Ok(ObserveTyped { every, quantities, numbers: Numbers::read(section)? })
}

fn quantities(section: &Section) -> Result<Option<Vec<Word<Quantity>>>, ExperimentError> {
    let Some(entry) = section.optional("quantities", "[\"moments\", \"energy\"]") else { return Ok(None) };
    let mut quantities: Vec<Word<Quantity>> = Vec::new();
    for element in entry.list("\"moments\"")? {
        let quantity = element.word(QUANTITIES)?;
        if quantities.contains(&quantity) {
            return Err(element.error_with("is listed twice", "write every quantity once"));
        }
        quantities.push(quantity);
    }
    Ok(Some(quantities))
}

impl Numbers {
    fn read(section: &Section) -> Result<Self, ExperimentError> {
        let positive = |key, example| {
            section.read(key, example, |entry| entry.number("finite and greater than 0", |number| number > 0.0))
        };
        Ok(Self {
            projections: section.read("projections", "256", |entry| entry.whole(2..=1_000_000))?,
            epsilon: positive("epsilon", "0.05")?,
            kernel_beta: positive("kernel-beta", "4.0")?,
        })
    }

    /// The quantity with the numbers that were typed.
    fn of(&self, quantity: Quantity) -> Quantity {
        match quantity {
            Quantity::SlicedW2Reference { projections } => Quantity::SlicedW2Reference {
                projections: self.projections.map_or(projections, |projections| projections as u32),
            },
            Quantity::SinkhornReference { epsilon } => {
                Quantity::SinkhornReference { epsilon: self.epsilon.unwrap_or(epsilon) }
            }
            Quantity::MmdReference { beta } => Quantity::MmdReference { beta: self.kernel_beta.unwrap_or(beta) },
            other => other,
        }
    }

    /// Writes down the numbers of a quantity.
    fn note(&mut self, quantity: Quantity) {
        match quantity {
            Quantity::SlicedW2Reference { projections } => self.projections = Some(projections.into()),
            Quantity::SinkhornReference { epsilon } => self.epsilon = Some(epsilon),
            Quantity::MmdReference { beta } => self.kernel_beta = Some(beta),
            _ => {}
        }
    }
}

impl Experiment {
    /// What is measured, with all its numbers.
    pub(super) fn quantities(&self) -> Result<Vec<Quantity>, ExperimentError> {
        let of = |word: Word<Quantity>| self.typed.observe.numbers.of(word.meaning);
        Ok(self.quantity_words()?.into_iter().map(of).collect())
    }

    /// The table as resolved, but for times.
    pub(super) fn explicit_quantities(&self, observe: &mut ObserveTyped) -> Result<(), ExperimentError> {
        self.quantities()?.into_iter().for_each(|quantity| observe.numbers.note(quantity));
        observe.quantities = Some(self.quantity_words()?);
        Ok(())
    }
}
