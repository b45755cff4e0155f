//! What a run leaves on disk: the experiment as resolved, a manifest, samples as they come, the final tokens, and if asked for those
//! of every sample and the attention among them.
//!
//! A run that goes on for long leaves checkpoints, from which it can go on. A simulation that is stepped by hand is saved as one.
//!
//! Whole files appear at once (a temporary file, then a rename); `samples.csv` grows row by row while the run goes on, and the
//! folder is locked. The manifest of a run that has ended carries the length and the SHA-256 of every file, so that whoever opens the
//! folder later knows whether it is what the run left. A folder that holds anything else is never written to.

mod checkpoint;
mod claim;
mod draft;
mod error;
mod file;
mod fingerprint;
mod form;
mod group;
mod lock;
mod manifest;
mod npy;
mod room;
mod run_folder;
mod samples;
mod saved;
mod standing;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod trajectory;
mod zarr;

pub use self::{
    checkpoint::Checkpoint,
    claim::Claim,
    draft::Draft,
    error::{RecordError, is_of_path},
    fingerprint::Fingerprint,
    lock::{Holder, holder, remove_stale_lock},
    room::require_room,
    run_folder::{ExperimentFiles, RunFolder},
    saved::{SavedState, load, save},
    standing::{Standing, fingerprint_of_samples, is_of, standing, standing_of_samples},
    state::{KeptWarning, Origin, RunState},
    trajectory::Tokens,
};
pub(crate) use self::{file::write_whole, fingerprint::hexadecimal};
