//! Many cells of one experiment: the grid of their keys, which of them are done, and what they say together.
//!
//! A sweep folder holds a run folder for each cell, under `cells/` by its id, which is a hash of everything that decides what
//! the cell computes. So a sweep that was stopped knows by itself what is left, shards agree on who does what, and a cell
//! is never written twice: who writes it holds its lock, and what is found is trusted only if its manifest vouches for it. Small cells of equal shapes run as replicas of one problem, which is computed again as a whole
//! where one of them is missing. The tables `cells.csv` and `rates.csv` are functions of complete cells alone.

mod batch;
mod cell;
mod error;
mod event;
mod fit;
mod run;
mod table;
mod whole;
mod work;

pub(crate) use self::fit::quantile;
pub use self::{
    batch::{batches, merged},
    cell::{Cell, cells, folder, standing, standing_of},
    error::SweepError,
    event::Event,
    fit::{NoRate, Point, Rate, Slope, intercept, log_reach, mean, rates, reach},
    run::{Shard, Share, Swept, run, run_with},
    table::{Final, Finals, RATES, write_tables},
    whole::{Flaw, flaw, remove_tables, require_no_other},
};

#[cfg(test)]
mod tests;
