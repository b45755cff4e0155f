//! The cells of a sweep as work that several processes may share: each takes what nobody else is at work on, and at the end waits for
//! the others.

use std::{collections::HashSet, path::Path};

use tokenfield::{
    record::{self, Claim, Holder, Standing},
    sweep::{self, Cell},
};

use super::{
    CommandError,
    machine::Machine,
    output::{begin, talk},
    run::{Part, run},
    sweep::refused,
};

pub struct Work<'a> {
    folder: &'a Path,
    cells: &'a [Cell],
    machine: &'a Machine,
    /// Cells that are known to be complete, by their places.
    complete: HashSet<usize>,
    has_begun: bool,
    /// Cells that failed together with others, of which that is said already.
    failed: HashSet<usize>,
}

/// Cells that run together, one of which somebody else is at work on.
struct Held {
    batch: Vec<usize>,
    cell: usize,
    holder: Holder,
}

impl<'a> Work<'a> {
    pub fn new(folder: &'a Path, cells: &'a [Cell], machine: &'a Machine) -> Self {
        Self { folder, cells, machine, complete: HashSet::new(), has_begun: false, failed: HashSet::new() }
    }

    /// Runs the cells of these batches, given by their places, and returns when all of them are complete.
    pub fn finish(&mut self, mut batches: Vec<Vec<usize>>) -> Result<(), CommandError> {
        let mut said = None;
        loop {
            let mut held = Vec::new();
            for batch in batches {
                held.extend(self.attempt(batch)?);
            }
            let Some(first) = held.first() else { return Ok(()) };
            let path = sweep::folder(self.folder, &self.cells[first.cell]);
            if said.as_ref() != Some(&first.holder) {
                talk(format_args!("waiting for {}, which is at work on {}", first.holder, path.display()));
                said = Some(first.holder.clone());
            }
            // Until it is done, or dead: then its cells are anyone's.
            record::wait(&path);
            batches = held.into_iter().map(|held| held.batch).collect();
        }
    }

    /// Cells that are not complete.
    pub fn left(&self) -> usize {
        let is_left = |(index, cell): &(usize, &Cell)| {
            !self.complete.contains(index) && sweep::standing(self.folder, cell) != Standing::Complete
        };
        self.cells.iter().enumerate().filter(is_left).count()
    }

    /// Runs the cells of `batch`, unless all of them are complete; none of them if somebody else is at work on one.
    fn attempt(&mut self, batch: Vec<usize>) -> Result<Vec<Held>, CommandError> {
        let mut claims = Vec::new();
        let mut again = Vec::new();
        for index in &batch {
            match self.claim(*index)? {
                Ok(None) => {
                    self.complete.insert(*index);
                    claims.push(None);
                }
                Ok(Some((claim, standing))) => {
                    if standing != Standing::Absent && !self.failed.contains(index) {
                        again.push(match &standing {
                            Standing::Broken { .. } => standing.to_string(),
                            standing => format!("{}: {standing}", claim.path().display()),
                        });
                    }
                    claims.push(Some(claim));
                }
                Err(holder) => return Ok(vec![Held { cell: *index, batch, holder }]),
            }
        }
        if claims.iter().all(Option::is_none) {
            return Ok(Vec::new());
        }
        for cell in again {
            talk(format_args!("{cell}; it is computed again"));
        }
        self.run(batch, claims)
    }

    /// Claims the folder of a cell, unless it is complete, and says how it stands; or who else has it.
    fn claim(&self, index: usize) -> Result<Result<Option<(Claim, Standing)>, Holder>, CommandError> {
        let cell = &self.cells[index];
        if self.complete.contains(&index) {
            return Ok(Ok(None));
        }
        match sweep::standing(self.folder, cell) {
            Standing::Complete => return Ok(Ok(None)),
            Standing::Held(holder) => return Ok(Err(holder)),
            _ => {}
        }
        // By the time that the folder is claimed somebody else may have completed it.
        Ok(Claim::attempt(&sweep::folder(self.folder, cell))?.map(|claim| match sweep::standing_of(&claim, cell) {
            Standing::Complete => None,
            standing => Some((claim, standing)),
        }))
    }

    fn run(&mut self, batch: Vec<usize>, claims: Vec<Option<Claim>>) -> Result<Vec<Held>, CommandError> {
        if !self.has_begun {
            // What tables there are is not of cells that are still to come.
            let _tables = Claim::wait(self.folder)?;
            sweep::remove_tables(self.folder).map_err(refused)?;
            self.has_begun = true;
        }
        let count = self.cells.len();
        match batch.as_slice() {
            [only] => begin(format_args!("cell {} of {count}: ", only + 1)),
            [first, ..] => begin(format_args!("cell {} of {count} and {} like it: ", first + 1, batch.len() - 1)),
            [] => {}
        }
        let experiments = batch.iter().map(|index| &self.cells[*index].experiment);
        let parts: Vec<Part> =
            experiments.zip(claims).map(|(experiment, claim)| Part { experiment, claim }).collect();
        let problems: Result<Vec<_>, _> = parts.iter().map(|part| part.experiment.resolve()).collect();
        match sweep::merged(problems?).map_or(Ok(()), |problem| run(parts, &problem, self.machine)) {
            Err(CommandError::Failed(error)) if batch.len() > 1 => {
                // One cell must not stop those that have nothing to do with it.
                talk(format_args!("{error}; each of these cells runs by itself"));
                self.failed.extend(&batch);
                let alone: Vec<_> = batch.into_iter().map(|index| self.attempt(vec![index])).collect();
                Ok(alone.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
            }
            Err(error) => Err(error),
            Ok(()) => {
                self.complete.extend(batch);
                Ok(Vec::new())
            }
        }
    }
}
