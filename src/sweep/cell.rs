//! The experiments of the grid, and how their folders stand.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::error::SweepError;
use crate::{
    backend::Precision,
    experiment::{Experiment, SweepFile},
    observables::columns,
    record::{self, Claim, Standing, hexadecimal},
};

/// One experiment of the grid.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cell {
    /// What its folder is called.
    pub id: String,
    /// The values of the axes, in their order: text as it is, all else as TOML.
    pub values: Vec<String>,
    /// The base experiment with these values.
    pub experiment: Experiment,
    /// The experiment written out.
    pub(super) text: String,
    pub(super) precision: Precision,
}

/// All cells of the grid, the last axis fastest; each is resolved once, so that none fails for what was typed after others have
/// run for hours.
pub fn cells(file: &SweepFile, precision: Precision) -> Result<Vec<Cell>, SweepError> {
    let (mut cells, mut ids) = (Vec::new(), HashSet::new());
    for values in file.grid()? {
        let experiment = file.experiment(&values)?;
        let problem = experiment.resolve()?;
        let results = experiment.results()?.into_iter().map(|result| result.name);
        let columns = columns(&problem.quantities, problem.tokens.shape.dim).into_iter().chain(results);
        file.require_measured(&columns.collect::<Vec<_>>())?;
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
