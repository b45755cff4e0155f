//! Reads the lines to draw from `samples.csv`.
//!
//! Only the columns that are drawn are parsed: a run in 384 dimensions has 800 columns, most of them components.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use csv::StringRecord;

use super::axis::LARGEST;
use super::error::PlotError;
use super::series::Polyline;

const REWRITE: &str = "let `tokenfield run` write the folder again";

/// The lines of every column whose name is `wanted`, one line a replica.
pub(super) fn lines(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, Vec<Polyline>)>, PlotError> {
    let file = File::open(path).map_err(|source| PlotError::Read { path: path.into(), source })?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|error| unreadable(path, &error))?.clone();
    let replica = column(path, &header, "replica")?;
    let time = column(path, &header, "time")?;
    let columns: Vec<usize> = (0..header.len()).filter(|index| wanted(&header[*index])).collect();

    let mut replicas: BTreeMap<usize, (f64, Vec<Polyline>)> = BTreeMap::new();
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| unreadable(path, &error))? {
        let cell = Cell { path, header: &header, row: &row };
        let fresh = || (f64::NEG_INFINITY, vec![Polyline::new(); columns.len()]);
        let (before, lines) = replicas.entry(cell.parse(replica, "is no replica")?).or_insert_with(fresh);
        let now: f64 = cell.parse(time, "is no time")?;
        if !(now.abs() <= LARGEST && now > *before) {
            return Err(cell.error(time, "is not later than the time before it in the same replica"));
        }
        *before = now;
        for (line, &index) in lines.iter_mut().zip(&columns) {
            line.push((now, cell.parse(index, "is no number")?));
        }
    }
    if replicas.is_empty() {
        let problem = "it holds no samples".into();
        return Err(PlotError::File { path: path.into(), problem, remedy: "let the run reach its first sample" });
    }
    let of_column = |at: usize| replicas.values().map(|(_, lines)| lines[at].clone()).collect();
    Ok(columns.iter().enumerate().map(|(at, index)| (header[*index].to_owned(), of_column(at))).collect())
}

/// The times of the samples of the first replica.
pub(super) fn times(path: &Path) -> Result<Vec<f64>, PlotError> {
    let file = File::open(path).map_err(|source| PlotError::Read { path: path.into(), source })?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|error| unreadable(path, &error))?.clone();
    let (replica, time) = (column(path, &header, "replica")?, column(path, &header, "time")?);
    let mut times = Vec::new();
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| unreadable(path, &error))? {
        let cell = Cell { path, header: &header, row: &row };
        if cell.parse::<usize>(replica, "is no replica")? == 0 {
            times.push(cell.parse(time, "is no time")?);
        }
    }
    Ok(times)
}

fn column(path: &Path, header: &StringRecord, name: &str) -> Result<usize, PlotError> {
    header.iter().position(|column| column == name).ok_or_else(|| PlotError::File {
        path: path.into(),
        problem: format!("it has no column `{name}`"),
        remedy: REWRITE,
    })
}

fn unreadable(path: &Path, error: &csv::Error) -> PlotError {
    let line = error.position().map_or(1, csv::Position::line);
    PlotError::Row { path: path.into(), line, problem: error.to_string(), remedy: REWRITE }
}

/// One row under its header, to parse and to complain about.
struct Cell<'a> {
    path: &'a Path,
    header: &'a StringRecord,
    row: &'a StringRecord,
}

impl Cell<'_> {
    fn parse<T: std::str::FromStr>(&self, column: usize, problem: &'static str) -> Result<T, PlotError> {
        self.row[column].trim().parse().map_err(|_| self.error(column, problem))
    }

    fn error(&self, column: usize, problem: &'static str) -> PlotError {
        PlotError::Cell {
            path: self.path.into(),
            line: self.row.position().map_or(0, csv::Position::line),
            column: self.header[column].into(),
            value: self.row[column].into(),
            problem,
            remedy: REWRITE,
        }
    }
}
