//! The experiments of the grid, and how their folders stand.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::error::SweepError;
use crate::{
    backend::Precision,
    experiment::{Experiment, SweepFile, named_files},
    observables::columns,
    record::{self, Claim, Fingerprint, Standing, hexadecimal},
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
    let (mut cells, mut ids, mut digests) = (Vec::new(), HashSet::new(), HashMap::new());
    for values in file.grid()? {
        let experiment = file.experiment(&values)?;
        let problem = experiment.resolve()?;
        let results = experiment.results()?.into_iter().map(|result| result.name);
        let columns = columns(&problem.quantities, problem.tokens.shape.dim).into_iter().chain(results);
        file.require_measured(&columns.collect::<Vec<_>>())?;
        let written = experiment.to_toml()?;
        let id = id(&written, precision, &files(&written, &mut digests));
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

/// The SHA-256 of each file that a written experiment names, in the order of their names. Each is read once for all cells.
fn files(experiment: &str, digests: &mut HashMap<PathBuf, Option<String>>) -> Vec<String> {
    let digest = |path: &PathBuf| std::fs::read(path).ok().map(|bytes| Fingerprint::of(&bytes).sha256);
    named_files(experiment)
        .into_iter()
        .filter_map(|path| digests.entry(path).or_insert_with_key(digest).clone())
        .collect()
}

/// The first 16 hexadecimal digits of the SHA-256 of the resolved experiment, the precision, the version and what files held.
fn id(experiment: &str, precision: Precision, files: &[String]) -> String {
    let mut hash = Sha256::new();
    let parts = [env!("CARGO_PKG_VERSION"), precision.name(), experiment];
    for part in parts.into_iter().chain(files.iter().map(String::as_str)) {
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
