//! A sweep from its file to its folder.

use std::{
    hash::{BuildHasher, RandomState},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use super::{
    batch::batches,
    cell::{cells, folder as cell_folder},
    error::SweepError,
    event::Event,
    table::write_tables,
    whole::{remove_tables, require_no_other},
    work::Work,
};
use crate::{
    experiment::SweepFile,
    record::{Claim, remove_stale_lock},
    run::{Checkpoints, Machine},
};

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

/// What one process does of a sweep that several share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// The cells of a shard. Those that others are at work on are waited for.
    Of(Shard),
    /// Whatever nobody else is at work on, until there is no such cell; those of others are left to them. This needs a folder on a file
    /// system with locks.
    Worker,
}

/// All cells, and others are waited for.
impl Default for Share {
    fn default() -> Self {
        Self::Of(Shard::default())
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
    /// Cells that others have not completed yet; with none the tables are written.
    pub left: usize,
}

/// Runs what is left of a share of the sweep `file` in `folder`, and writes the tables once all cells are complete.
///
/// Complete cells of this sweep in the folder stay as they are; several processes may share one folder. After `on_event` has
/// returned `Break` the sweep ends, and goes on where it was when it is run again.
pub async fn run(
    file: &SweepFile,
    folder: &Path,
    share: Share,
    machine: &Machine,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Swept, SweepError> {
    run_with(file, folder, share, machine, &Checkpoints::default(), on_event).await
}

/// The same with checkpoints of the cells that run alone. A request to interrupt ends the sweep with [`SweepError::Interrupted`].
pub async fn run_with(
    file: &SweepFile,
    folder: &Path,
    share: Share,
    machine: &Machine,
    checkpoints: &Checkpoints,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<Swept, SweepError> {
    let cells = cells(file, machine.precision())?;
    require_no_other(folder)?;
    let mut batches = batches(&cells)?;
    let mut work = Work::new(folder, &cells, machine, checkpoints);
    match share {
        Share::Of(shard) => {
            let own = batches.into_iter().skip(shard.index).step_by(shard.count).collect();
            work.finish(own, &mut on_event).await?;
        }
        Share::Worker => {
            let first = somewhere(batches.len());
            batches.rotate_left(first);
            work.take(batches, &mut on_event).await?;
        }
    }
    // Others may end at the same time; one after the other they write the same. Whoever gets here holds no cell any more, so the last
    // one finds all of them complete.
    let tables = Claim::wait(folder)?;
    let left = work.left();
    let notes = match left {
        0 => write_tables(folder, file, &cells)?,
        // What tables there are is of another sweep.
        _ => remove_tables(folder).map(|()| Vec::new())?,
    };
    if left == 0 {
        cells.iter().for_each(|cell| remove_stale_lock(&cell_folder(folder, cell)));
    }
    drop(tables);
    for note in &notes {
        if on_event(Event::Note(note)).is_break() {
            return Err(SweepError::Cancelled);
        }
    }
    Ok(Swept { folder: folder.to_owned(), cells: cells.len(), left })
}

/// A place among `count`, another one in every process, so that workers that start at the same time do not race for the same cells.
fn somewhere(count: usize) -> usize {
    let random = RandomState::new().hash_one(std::process::id());
    (random % count.max(1) as u64) as usize
}
