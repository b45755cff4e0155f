//! Many cells of one experiment: the grid of their keys, which of them are done, and what they say together.
//!
//! A sweep folder holds a run folder for each cell, under `cells/` by its id, which is a hash of everything that decides what
//! the cell computes. So a sweep that was stopped knows by itself what is left, shards agree on who does what, and a cell
//! is never written twice: who writes it holds its lock, and what is found is trusted only if its manifest vouches for it. Small cells of equal shapes run as replicas of one problem, which is computed again as a whole
//! where one of them is missing. The tables `cells.csv` and `rates.csv` are functions of complete cells alone.

mod batch;
mod fit;
mod table;
mod whole;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

pub use self::{
    batch::{batches, merged},
    fit::{NoRate, Point, Rate, Slope, intercept, log_reach, mean, rates},
    table::{Finals, RATES, write_tables},
    whole::{Flaw, flaw, remove_tables, require_no_other},
};
use crate::{
    backend::Precision,
    experiment::{Experiment, ExperimentError, SweepFile},
    observables::columns,
    record::{self, Claim, RecordError, Standing, hexadecimal},
};

/// One experiment of the grid.
#[derive(Clone, Debug)]
pub struct Cell {
    pub id: String,
    /// The values of the axes, in their order: text as it is, all else as TOML.
    pub values: Vec<String>,
    pub experiment: Experiment,
    /// The experiment written out.
    text: String,
    precision: Precision,
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
    #[error("{}: {problem}; choose another folder with --out, or move it away", path.display())]
    Foreign { path: PathBuf, problem: &'static str },
}

/// All cells of the grid, the last axis fastest; each is resolved once, so that none fails for what was typed after others have
/// run for hours.
pub fn cells(file: &SweepFile, precision: Precision) -> Result<Vec<Cell>, SweepError> {
    let (mut cells, mut ids) = (Vec::new(), HashSet::new());
    for values in file.grid() {
        let experiment = file.experiment(&values)?;
        let problem = experiment.resolve()?;
        file.require_measured(&columns(&problem.quantities, problem.tokens.shape.dim))?;
        let written = experiment.to_toml()?;
        let id = id(&written, precision);
        if !ids.insert(id.clone()) {
            return Err(file.repeats(&values).into());
        }
        let values = values.iter().map(text).collect();
        cells.push(Cell { id, values, experiment, text: written, precision });
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
    hexadecimal(&hash.finalize()[..8])
}

/// Where the run folder of a cell is.
pub fn folder(sweep: &Path, cell: &Cell) -> PathBuf {
    sweep.join("cells").join(&cell.id)
}

/// How the folder of a cell stands; complete is only what computed this cell.
pub fn standing(sweep: &Path, cell: &Cell) -> Standing {
    let folder = folder(sweep, cell);
    of_cell(record::standing(&folder), &folder, cell)
}

/// The same of a folder that is claimed.
pub fn standing_of(claim: &Claim, cell: &Cell) -> Standing {
    of_cell(claim.standing(), claim.path(), cell)
}

fn of_cell(standing: Standing, folder: &Path, cell: &Cell) -> Standing {
    match standing {
        Standing::Complete if !record::is_of(folder, &cell.text, cell.precision) => Standing::Broken {
            path: folder.join("experiment.toml"),
            problem: "its run is that of another experiment, precision or version".into(),
        },
        standing => standing,
    }
}
