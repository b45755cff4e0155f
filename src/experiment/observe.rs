//! When tokens are observed, what is measured, and the numbers that some quantities have.

use serde::Serialize;

use super::{
    Experiment,
    error::ExperimentError,
    section::{Section, Word},
    typed::QUANTITIES,
};
use crate::observe::Quantity;

pub(super) const OBSERVE: &[&str] = &[
    "every",
    "quantities",
    "threshold",
    "largest",
    "bins",
    "pairs",
    "degree",
    "order",
    "rows",
    "separation",
    "projections",
    "epsilon",
    "kernel-beta",
];

/// The keys that are numbers of one quantity.
const NUMBERS: &[(&str, &str)] = &[
    ("threshold", "clusters"),
    ("largest", "clusters"),
    ("bins", "overlap_histogram"),
    ("pairs", "overlap_histogram"),
    ("degree", "modes"),
    ("order", "norm_moments"),
    ("rows", "attention"),
    ("separation", "renyi_centres"),
    ("projections", "sliced_w2_reference"),
    ("epsilon", "sinkhorn_reference"),
    ("kernel-beta", "mmd_reference"),
];

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
    pub threshold: Option<f64>,
    pub largest: Option<u64>,
    pub bins: Option<u64>,
    pub pairs: Option<u64>,
    pub degree: Option<u64>,
    pub order: Option<u64>,
    pub rows: Option<u64>,
    pub separation: Option<f64>,
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
        let number = |key, example, range: &str, holds: fn(f64) -> bool| {
            section.read(key, example, |entry| entry.number(range, holds))
        };
        let whole = |key, example, range| section.read(key, example, |entry| entry.whole(range));
        Ok(Self {
            threshold: number("threshold", "0.99", "greater than -1 and less than 1", |t| -1.0 < t && t < 1.0)?,
            largest: whole("largest", "3", 0..=1000)?,
            bins: whole("bins", "32", 1..=1000)?,
            pairs: whole("pairs", "1000000", 1..=u64::from(u32::MAX))?,
            degree: whole("degree", "8", 1..=1000)?,
            order: whole("order", "4", 1..=1000)?,
            rows: whole("rows", "256", 1..=u64::from(u32::MAX))?,
            separation: number("separation", "0.5", "an angle greater than 0 and at most pi", |angle| {
                0.0 < angle && angle <= std::f64::consts::PI
            })?,
            projections: whole("projections", "256", 2..=1_000_000)?,
            epsilon: number("epsilon", "0.05", "finite and greater than 0", |number| number > 0.0)?,
            kernel_beta: number("kernel-beta", "4.0", "finite and greater than 0", |number| number > 0.0)?,
        })
    }

    /// The quantity with the numbers that were typed.
    fn of(&self, quantity: Quantity, seed: u64) -> Quantity {
        let whole = |typed: Option<u64>, default: usize| typed.map_or(default, |number| number as usize);
        match quantity {
            Quantity::Clusters { threshold, largest } => Quantity::Clusters {
                threshold: self.threshold.unwrap_or(threshold),
                largest: whole(self.largest, largest),
            },
            Quantity::OverlapHistogram { bins, pairs, .. } => {
                Quantity::OverlapHistogram { bins: whole(self.bins, bins), pairs: whole(self.pairs, pairs), seed }
            }
            Quantity::Modes { degree } => Quantity::Modes { degree: whole(self.degree, degree) },
            Quantity::NormMoments { order } => Quantity::NormMoments { order: whole(self.order, order) },
            Quantity::Attention { rows, .. } => Quantity::Attention { rows: whole(self.rows, rows), seed },
            Quantity::RenyiCentres { separation } => {
                Quantity::RenyiCentres { separation: self.separation.unwrap_or(separation) }
            }
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
        let whole = |number: usize| Some(number as u64);
        match quantity {
            Quantity::Clusters { threshold, largest } => {
                (self.threshold, self.largest) = (Some(threshold), whole(largest));
            }
            Quantity::OverlapHistogram { bins, pairs, .. } => (self.bins, self.pairs) = (whole(bins), whole(pairs)),
            Quantity::Modes { degree } => self.degree = whole(degree),
            Quantity::NormMoments { order } => self.order = whole(order),
            Quantity::Attention { rows, .. } => self.rows = whole(rows),
            Quantity::RenyiCentres { separation } => self.separation = Some(separation),
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
        let of = |word: Word<Quantity>| self.typed.observe.numbers.of(word.meaning, self.seed());
        Ok(self.quantity_words()?.into_iter().map(of).collect())
    }

    /// The table as resolved, but for times.
    pub(super) fn explicit_quantities(&self, observe: &mut ObserveTyped) -> Result<(), ExperimentError> {
        self.quantities()?.into_iter().for_each(|quantity| observe.numbers.note(quantity));
        observe.quantities = Some(self.quantity_words()?);
        Ok(())
    }
}
