//! `manifest.json` of a run folder: who computed what, how it ended, and what lies beside it.

use std::{collections::BTreeMap, io::Write, path::Path};

use serde::{Serialize, Serializer};

use super::{
    error::RecordError,
    file::write_whole,
    fingerprint::Fingerprint,
    status::{NAME, Status},
};
use crate::{
    backend::{Identity, Method, Precision},
    simulate::{Ending, StepCounts, Summary},
};

/// As it is written.
#[derive(Debug, Serialize)]
pub(super) struct Manifest {
    version: &'static str,
    commit: &'static str,
    backend: &'static str,
    adapter: String,
    driver: String,
    #[serde(serialize_with = "by_name")]
    pub(super) precision: Precision,
    algorithm: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    harmonic_degree: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    harmonic_error: Option<f64>,
    /// Absent where sums are those of the precision of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    harmonic_sums: Option<&'static str>,
    seed: u64,
    /// Which limit ran beside the tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
    /// How many nodes stood for it, by the first column of each quantity.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    reference_nodes: BTreeMap<String, usize>,
    /// The largest |ln sum_i w_i a_ij / w_j| of attention that iterates to have stochastic columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    sinkhorn_marginal_error: Option<f64>,
    pub(super) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// One of a kind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
    /// The layer-time at which a run ended that has a condition to stop at.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
    /// The key that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    end_reason: Option<&'static str>,
    pub(super) wall_seconds: f64,
    /// The layer-times of the checkpoints from which the run went on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) resumed_at: Vec<f64>,
    pairs_evaluated: u64,
    /// Of controlled error: how many, and how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<StepCounts>,
    /// The length and the SHA-256 of every file that belongs to the record, once the run has ended.
    pub(super) files: BTreeMap<&'static str, Fingerprint>,
}

impl Manifest {
    /// Of a run that begins.
    pub(super) fn new(seed: u64, identity: &Identity, method: Method) -> Self {
        let mut manifest = Self {
            version: env!("CARGO_PKG_VERSION"),
            commit: env!("TOKENFIELD_COMMIT"),
            backend: identity.backend,
            adapter: identity.adapter.clone(),
            driver: identity.driver.clone(),
            precision: identity.precision,
            algorithm: "direct",
            harmonic_degree: None,
            harmonic_error: None,
            harmonic_sums: None,
            seed,
            reference: None,
            reference_nodes: BTreeMap::new(),
            sinkhorn_marginal_error: None,
            status: Status::Running,
            error: None,
            warnings: Vec::new(),
            end_time: None,
            end_reason: None,
            wall_seconds: 0.0,
            resumed_at: Vec::new(),
            pairs_evaluated: 0,
            steps: None,
            files: BTreeMap::new(),
        };
        manifest.computed_by(method);
        manifest
    }

    pub(super) fn computed_by(&mut self, method: Method) {
        (self.algorithm, self.harmonic_degree, self.harmonic_error) = match method {
            Method::Direct => ("direct", None, None),
            Method::Harmonic { degree, error, .. } => ("harmonic", Some(degree), Some(error)),
            Method::Abandoned { error } => ("harmonic, then direct", None, Some(error)),
        };
        self.harmonic_sums = match method {
            Method::Harmonic { care, .. } => care.name(),
            Method::Direct | Method::Abandoned { .. } => None,
        };
    }

    pub(super) fn summarize(&mut self, summary: &Summary) {
        let Summary { time, ending, pairs, steps, marginal_error, reference_nodes } = summary;
        self.end_reason = match ending {
            Ending::Scheduled => None,
            Ending::Unmet => Some("time.end"),
            Ending::Stopped => Some("time.stop"),
        };
        self.end_time = self.end_reason.map(|_| *time);
        self.pairs_evaluated = *pairs;
        self.steps = *steps;
        self.sinkhorn_marginal_error = *marginal_error;
        self.reference_nodes.clone_from(reference_nodes);
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), RecordError> {
        write_whole(&folder.join(NAME), |file| {
            serde_json::to_writer_pretty(&mut *file, self)?;
            file.write_all(b"\n")
        })?;
        Ok(())
    }
}

fn by_name<S: Serializer>(precision: &Precision, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(precision.name())
}
