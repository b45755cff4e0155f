//! A sweep from its file to its folder.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use super::{
    batch::batches,
    cell::cells,
    error::SweepError,
    event::Event,
    table::write_tables,
    whole::{remove_tables, require_no_other},
    work::Work,
};
use crate::{experiment::SweepFile, record::Claim, run::Machine};

/// Which cells are run: the `index`-th part of `count`, counted from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Below `count`.
    pub index: usize,
    /// At least one.
    pub count: usize,
}

/// All of them.
impl Default for Shard {
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}

/// What a sweep leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// The sweep folder.
    pub folder: PathBuf,
    /// Cells of the grid.
    pub cells: usize,
    /// Cells that other shards have not completed yet; with none the tables are written.
    pub left: usize,
}

/// Runs what is left of a shard of the sweep `file` in `folder`, and writes the tables once all cells are complete.
///
/// Complete cells of this sweep in the folder stay as they are; several processes may share one folder. After `on_event` has
/// returned `Break` the sweep ends, and goes on where it was when it is run again.
pub async fn run(
    file: &SweepFile,
    folder: &Path,
    shard: Shard,
    machine: &Machine,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Swept, SweepError> {
    let cells = cells(file, machine.precision())?;
    require_no_other(folder)?;
    let own = batches(&cells)?.into_iter().skip(shard.index).step_by(shard.count).collect();
    let mut work = Work::new(folder, &cells, machine);
    work.finish(own, &mut on_event).await?;
    // Others may end at the same time; one after the other they write the same.
    let tables = Claim::wait(folder)?;
    let left = work.left();
    let notes = match left {
        0 => write_tables(folder, file, &cells)?,
        // What tables there are is of another sweep.
        _ => remove_tables(folder).map(|()| Vec::new())?,
    };
    drop(tables);
    for note in &notes {
        if on_event(Event::Note(note)).is_break() {
            return Err(SweepError::Cancelled);
        }
    }
    Ok(Swept { folder: folder.to_owned(), cells: cells.len(), left })
}
