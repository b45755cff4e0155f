//! Where an integration stands between two steps.

use serde::{Deserialize, Serialize};

use super::control::StepControl;
use crate::{backend::SumsState, limit, warning::Said};

/// All that an integration goes on from, but the tokens: these [`Backend::tokens`](crate::backend::Backend::tokens) has.
///
/// Random numbers need nothing: they are functions of the step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// Steps of the schedule that are done.
    pub steps: u64,
    /// The layer-time of the tokens.
    pub time: f64,
    /// Whether tokens have been measured after these steps.
    pub is_measured: bool,
    /// Pairs that were summed over.
    #[serde(with = "text")]
    pub pairs: u64,
    /// How sums are taken.
    pub sums: SumsState,
    /// [`Backend::marginal_error`](crate::backend::Backend::marginal_error).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marginal_error: Option<f64>,
    /// Of steps of controlled error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<StepControl>,
    /// Of the last measurement, where theory says which way the energy goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energies: Option<Energies>,
    /// Which warnings have been given.
    pub said: Said,
    /// The limit beside the tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitState>,
}

/// The energy E of every replica at one time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Energies {
    /// Steps until then.
    pub steps: u64,
    /// The layer-time.
    pub time: f64,
    /// ln E.
    pub log_energies: Vec<f64>,
}

/// A limit, and after which step of the tokens it is where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitState {
    /// Steps of the tokens.
    pub steps: u64,
    /// Where it is.
    pub limit: limit::Snapshot,
}

/// Numbers beyond those that TOML has, as text.
mod text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
