//! The table of `tokenfield bench`: for reading, or as comma-separated values.

use std::io::Stdout;

use serde::Serialize;

use super::{
    error::CommandError,
    output::{self, data},
};

/// One line of the table. What is unknown, or would mean nothing, is left out.
#[derive(Serialize)]
pub struct Row<'a> {
    pub backend: &'a str,
    pub algorithm: &'a str,
    pub precision: &'a str,
    pub replicas: usize,
    pub dim: usize,
    pub count: usize,
    pub beta: f64,
    pub seconds_per_evaluation: f64,
    pub pairs_per_second: f64,
    pub gflops: Option<f64>,
    pub share: Option<f64>,
    pub steps_per_second: f64,
}

/// Where rows go as soon as they are there.
pub enum Table {
    Text,
    Csv(Box<csv::Writer<Stdout>>),
}

impl Table {
    pub fn csv() -> Table {
        Table::Csv(Box::new(output::csv()))
    }

    pub fn text() -> Result<Table, CommandError> {
        data(format_args!(
            "{:7} {:9} {:9} {:>4} {:>7} {:>12} {:>9} {:>8} {:>6} {:>9}",
            "backend", "algorithm", "precision", "d", "n", "s/evaluation", "pairs/s", "GFLOP/s", "share", "steps/s"
        ))?;
        Ok(Table::Text)
    }

    pub fn write(&mut self, row: &Row) -> Result<(), CommandError> {
        match self {
            Table::Csv(writer) => {
                writer.serialize(row).map_err(|error| CommandError::Failed(format!("stdout: {error}")))?;
                writer.flush().map_err(output::unwritten)
            }
            Table::Text => print(row),
        }
    }
}

fn print(row: &Row) -> Result<(), CommandError> {
    let known = |number: Option<String>| number.unwrap_or("-".into());
    let count = if row.replicas == 1 { row.count.to_string() } else { format!("{}x{}", row.replicas, row.count) };
    data(format_args!(
        "{:7} {:9} {:9} {:>4} {count:>7} {:>12.3e} {:>9.2e} {:>8} {:>6} {:>9.4}",
        row.backend,
        row.algorithm,
        row.precision,
        row.dim,
        row.seconds_per_evaluation,
        row.pairs_per_second,
        known(row.gflops.map(|rate| format!("{rate:.0}"))),
        known(row.share.map(|share| format!("{:.0} %", 100.0 * share))),
        row.steps_per_second,
    ))
}
