//! What a checkpoint of a run holds beside its numbers.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    checkpoint::Checkpoint,
    file::partial,
    fingerprint::{Fingerprint, Hasher, hashed},
};
use crate::{
    backend::{Identity, Precision},
    experiment::named_files,
    simulate::Snapshot,
    warning::WarningKind,
};

/// What a checkpoint was computed by, and of what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Origin {
    /// That of the program: another one may compute otherwise.
    pub version: String,
    /// Who did the arithmetic.
    pub backend: String,
    /// [`Identity::arithmetic`].
    pub arithmetic: String,
    /// That of the arithmetic.
    pub precision: String,
    /// The SHA-256 of the experiment and of all files that it names.
    pub inputs: String,
}

impl Origin {
    /// What `identity` computes of an experiment with these [`inputs`].
    pub(super) fn new(identity: &Identity, inputs: String) -> Self {
        let Identity { backend, adapter: _, driver: _, arithmetic, precision } = identity;
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            backend: (*backend).into(),
            arithmetic: arithmetic.clone(),
            precision: precision.name().into(),
            inputs,
        }
    }

    /// Whether this machine computes with the same bytes.
    pub fn is_of(&self, identity: &Identity) -> bool {
        let Identity { backend, adapter: _, driver: _, arithmetic, precision } = identity;
        self.backend == *backend && self.arithmetic == *arithmetic && self.has_precision(*precision)
    }

    /// Whether it was computed in this precision.
    pub fn has_precision(&self, precision: Precision) -> bool {
        self.precision == precision.name()
    }

    /// Who did the arithmetic, in words.
    pub fn machine(&self) -> String {
        format!("{} ({})", self.backend, self.arithmetic)
    }

    /// What of this program, or of the experiment in `folder`, contradicts the checkpoint at `path`.
    pub(super) fn misfit(&self, path: &Path, folder: &Path) -> Result<(), String> {
        let at = path.display();
        if self.version != env!("CARGO_PKG_VERSION") {
            return Err(format!("{at} is of version {}, and this is {}", self.version, env!("CARGO_PKG_VERSION")));
        }
        let found = inputs(folder);
        if found.map_err(|error| format!("the experiment in {} cannot be read: {error}", folder.display()))?
            != self.inputs
        {
            return Err(format!("{at} is of another experiment: a file that it names was changed since"));
        }
        Ok(())
    }
}

/// `state.toml` of a checkpoint of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunState {
    /// Who computed what.
    #[serde(flatten)]
    pub origin: Origin,
    /// Until now, over all parts of the run.
    pub wall_seconds: f64,
    /// The layer-times at which it was taken up again before.
    pub resumed_at: Vec<f64>,
    /// Those in the manifest.
    pub warnings: Vec<KeptWarning>,
    /// What the growing files of the record held.
    pub written: BTreeMap<String, Fingerprint>,
    /// Where the integration stood.
    pub snapshot: Snapshot,
}

/// A warning in a manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptWarning {
    /// What it is about.
    pub kind: WarningKind,
    /// What it says.
    pub text: String,
}

impl RunState {
    /// What of a run folder contradicts the checkpoint.
    pub(super) fn misfit(checkpoint: &Checkpoint<Self>, run: &Path) -> Result<(), String> {
        let Self { origin, written, .. } = &checkpoint.state;
        origin.misfit(checkpoint.path(), run)?;
        for (name, prefix) in written {
            let path = run.join(name);
            let path = if path.exists() { path } else { partial(&path) };
            // A group is looked at chunk by chunk where it goes on.
            let length = fs::metadata(&path).map_or(0, |data| if data.is_dir() { prefix.bytes } else { data.len() });
            if length < prefix.bytes {
                let at = checkpoint.path().display();
                return Err(format!("{} has {length} bytes, and {at} knows of {}", path.display(), prefix.bytes));
            }
        }
        Ok(())
    }
}

/// The SHA-256 of the experiment in a run folder and of all files that it names.
pub(super) fn inputs(run: &Path) -> io::Result<String> {
    let text = fs::read_to_string(run.join("experiment.toml"))?;
    let arrays = run.join("arrays.safetensors");
    let arrays = if arrays.exists() { Some(hashed(&arrays)?) } else { None };
    inputs_of(&text, arrays.as_ref())
}

/// The same of an experiment and the arrays beside it that are not written yet.
pub(super) fn inputs_of(text: &str, arrays: Option<&Fingerprint>) -> io::Result<String> {
    let mut hasher = Hasher::default();
    hasher.update(text.as_bytes());
    let mut add = |digest: &str| {
        hasher.update(digest.as_bytes());
        hasher.update(&[0]);
    };
    if let Some(arrays) = arrays {
        add(&arrays.sha256);
    }
    for path in named_files(text) {
        // Not every text that looks like a path is one.
        add(&if path.is_file() { hashed(&path)?.sha256 } else { String::new() });
    }
    Ok(hasher.finish().sha256)
}
