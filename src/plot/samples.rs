//! Reads the lines to draw from `samples.csv`.
//!
//! Only the columns that have a picture are parsed: a run in 384 dimensions has 800 columns and three of them matter.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use csv::StringRecord;

use super::axis::LARGEST;
use super::error::PlotError;
use super::series::{CURVES, Curve, Line};

const REWRITE: &str = "let `tokenfield run` write the folder again";

/// The lines of every quantity that has a column, one line a replica.
pub(super) fn read(path: &Path) -> Result<Vec<(&'static Curve, Vec<Line>)>, PlotError> {
    let file = File::open(path).map_err(|source| PlotError::Read { path: path.into(), source })?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(|error| unreadable(path, &error))?.clone();
    let replica = column(path, &header, "replica")?;
    let time = column(path, &header, "time")?;
    let curves: Vec<(&Curve, usize)> = CURVES
        .iter()
        .filter_map(|curve| Some((curve, header.iter().position(|name| name == curve.column)?)))
        .collect();

    let mut replicas: BTreeMap<usize, Vec<Line>> = BTreeMap::new();
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| unreadable(path, &error))? {
        let cell = Cell { path, header: &header, row: &row };
        let lines =
            replicas.entry(cell.parse(replica, "is no replica")?).or_insert_with(|| vec![Line::new(); curves.len()]);
        let now: f64 = cell.parse(time, "is no time")?;
        let before = lines.first().and_then(|line| line.last()).map_or(f64::NEG_INFINITY, |sample| sample.0);
        if !(now.abs() <= LARGEST && now > before) {
            return Err(cell.error(time, "is not later than the time before it in the same replica"));
        }
        for (line, &(_, index)) in lines.iter_mut().zip(&curves) {
            line.push((now, cell.parse(index, "is no number")?));
        }
    }
    if replicas.is_empty() {
        let problem = "it holds no samples".into();
        return Err(PlotError::File { path: path.into(), problem, remedy: "let the run reach its first sample" });
    }
    let lines = |(index, &(curve, _)): (usize, &(&'static Curve, usize))| {
        (curve, replicas.values().map(|lines| lines[index].iter().copied().skip(curve.void).collect()).collect())
    };
    Ok(curves.iter().enumerate().map(lines).collect())
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
