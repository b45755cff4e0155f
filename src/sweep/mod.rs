//! Many cells of one experiment: the grid of their keys, which of them are done, and what they say together.
//!
//! A sweep folder holds a run folder for each cell, under `cells/` by its id, which is a hash of everything that decides what
//! the cell computes. So a sweep that was stopped knows by itself what is left, shards agree on who does what, and a cell
//! is never written twice. Small cells of equal shapes run as replicas of one problem, which is computed again as a whole
//! where one of them is missing. The tables `cells.csv` and `rates.csv` are functions of complete cells alone.

mod batch;
mod fit;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

pub use self::{
    batch::{batches, merged},
    fit::{NoRate, Point, Rate, Slope, intercept, log_reach, mean, rates},
    table::{Finals, RATES, write_tables},
};
use crate::{
    backend::Precision,
    experiment::{Experiment, ExperimentError, SweepFile},
    observe::columns,
    record::RecordError,
};

/// One experiment of the grid.
#[derive(Clone, Debug)]
pub struct Cell {
    pub id: String,
    /// The values of the axes, in their order: text as it is, all else as TOML.
    pub values: Vec<String>,
    pub experiment: Experiment,
}

/// Why a sweep cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("{}: {problem}; remove the folder, and run the sweep again", path.display())]
    Cell { path: PathBuf, problem: String },
}

/// All cells of the grid, the last axis fastest; each is resolved once, so that none fails for what was typed after others have
/// run for hours.
pub fn cells(file: &SweepFile, precision: Precision) -> Result<Vec<Cell>, SweepError> {
    let mut cells = Vec::new();
    for values in file.grid() {
        let experiment = file.experiment(&values)?;
        let problem = experiment.resolve()?;
        file.require_measured(&columns(&problem.quantities, problem.tokens.shape.dim))?;
        let id = id(&experiment.to_toml()?, precision);
        if cells.iter().any(|cell: &Cell| cell.id == id) {
            return Err(file.repeats(&values).into());
        }
        cells.push(Cell { id, values: values.iter().map(text).collect(), experiment });
    }
    Ok(cells)
}

fn text(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The first 16 hexadecimal digits of the SHA-256 of the resolved experiment, the precision and the version.
fn id(experiment: &str, precision: Precision) -> String {
    let mut hash = Sha256::new();
    for part in [env!("CARGO_PKG_VERSION"), precision.name(), experiment] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where the run folder of a cell is.
pub fn folder(sweep: &Path, cell: &Cell) -> PathBuf {
    sweep.join("cells").join(&cell.id)
}

/// Whether a cell has run to its end.
pub fn has_ended(sweep: &Path, cell: &Cell) -> bool {
    let manifest = fs::read(folder(sweep, cell).join("manifest.json")).ok();
    let status = manifest.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    status.is_some_and(|manifest| manifest["status"] == "complete")
}

/// The same; what a run that was stopped has left is removed, so that the cell can start again.
pub fn is_complete(sweep: &Path, cell: &Cell) -> Result<bool, SweepError> {
    let folder = folder(sweep, cell);
    if has_ended(sweep, cell) {
        return Ok(true);
    }
    if folder.exists() {
        let failed = |error: std::io::Error| SweepError::Cell { path: folder.clone(), problem: error.to_string() };
        fs::remove_dir_all(&folder).map_err(failed)?;
    }
    Ok(false)
}
