//! What complete cells say together: `cells.csv`, one row per cell and replica, and `rates.csv`, one row per fit and
//! combination of the other axes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
};

use csv::StringRecord;
use rayon::prelude::*;

use super::{Cell, NoRate, Point, Rate, Slope, SweepError, folder, rates, whole::vouch};
use crate::{
    experiment::SweepFile,
    observables::replicas_a_sample,
    record::{Fingerprint, write_whole},
    results::{Functional, replicas_a_result},
};

/// The last sample of every replica of a cell, and its results.
#[derive(Clone, Debug, PartialEq)]
pub struct Finals {
    /// Names of the quantities, and of the results after them.
    pub columns: Vec<String>,
    /// How many replicas share a number of each column.
    pub sharers: Vec<usize>,
    /// By replica.
    pub rows: Vec<Final>,
    /// What `samples.csv` held when it was read.
    pub samples: Fingerprint,
}

/// The last sample of a replica, and its results.
#[derive(Clone, Debug, PartialEq)]
pub struct Final {
    /// Its number, from zero.
    pub replica: usize,
    /// The text of each quantity.
    pub values: StringRecord,
}

impl Finals {
    /// From the complete run folder of a cell with these results.
    pub fn read(folder: &Path, results: &[Functional]) -> Result<Self, SweepError> {
        let (mut table, samples) = LastRows::read(&folder.join("samples.csv"), 2)?;
        if table.rows.is_empty() {
            let problem = "it holds no samples".into();
            return Err(SweepError::Cell { path: folder.join("samples.csv"), problem });
        }
        let mut sharers: Vec<usize> = table.columns.iter().map(|column| replicas_a_sample(column)).collect();
        if !results.is_empty() {
            let (own, _) = LastRows::read(&folder.join("results.csv"), 1)?;
            for (replica, values) in own.rows {
                table.rows.entry(replica).or_default().extend(values.iter());
            }
            table.columns.extend(own.columns);
            sharers.extend(replicas_a_result(results));
        }
        let rows = table.rows.into_iter().map(|(replica, values)| Final { replica, values }).collect();
        Ok(Self { columns: table.columns, sharers, rows, samples })
    }

    /// A quantity of every replica, or once of those that share it; none if it was not measured.
    pub fn quantity(&self, name: &str) -> Option<Vec<f64>> {
        let index = self.columns.iter().position(|column| column == name)?;
        let value = |row: &Final| row.values.get(index)?.parse().ok();
        self.rows.iter().step_by(self.sharers[index]).map(value).collect()
    }
}

/// The last row of each replica of a table whose rows begin with its number. Times ascend, so that of samples is the final one.
struct LastRows {
    /// Names of the columns after the first `skip`.
    columns: Vec<String>,
    /// What stands in them.
    rows: BTreeMap<usize, StringRecord>,
}

impl LastRows {
    fn read(path: &Path, skip: usize) -> Result<(Self, Fingerprint), SweepError> {
        let broken = |problem: String| SweepError::Cell { path: path.to_owned(), problem };
        let text = fs::read(path).map_err(|error| broken(error.to_string()))?;
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let header = reader.headers().map_err(|error| broken(error.to_string()))?;
        let columns = header.iter().skip(skip).map(str::to_owned).collect();
        let mut rows: BTreeMap<usize, StringRecord> = BTreeMap::new();
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| broken(error.to_string()))? {
            let replica = record.get(0).and_then(|text| text.parse().ok());
            let replica = replica.ok_or_else(|| broken("a row without a replica".into()))?;
            rows.entry(replica).or_default().clone_from(&record);
        }
        for row in rows.values_mut() {
            *row = row.iter().skip(skip).collect();
        }
        Ok((Self { columns, rows }, Fingerprint::of(&text)))
    }
}

/// Writes both tables of the sweep folder from its cells, all of which must be complete, and the manifest that vouches for them; returns
/// what fits did not find.
pub fn write_tables(sweep: &Path, file: &SweepFile, cells: &[Cell]) -> Result<Vec<String>, SweepError> {
    let read = |cell: &Cell| Finals::read(&folder(sweep, cell), &cell.experiment.results()?);
    let finals: Vec<Finals> = cells.par_iter().map(read).collect::<Result<_, _>>()?;
    let rates = rates_table(sweep, file, cells, &finals)?;
    let notes = rates.iter().skip(1).filter_map(|row| note(&rates[0], row)).collect();
    let cells_written = write_csv(&sweep.join("cells.csv"), |table| write_cells(table, file, cells, &finals))?;
    let rates_written =
        write_csv(&sweep.join("rates.csv"), |table| rates.iter().try_for_each(|row| table.write_record(row)))?;
    let files = BTreeMap::from([("cells.csv".to_owned(), cells_written), ("rates.csv".to_owned(), rates_written)]);
    let samples = cells.iter().zip(finals).map(|(cell, finals)| (cell.id.clone(), finals.samples));
    vouch(sweep, files, samples.collect())?;
    Ok(notes)
}

/// What is said of a fit that has a note.
fn note(header: &[String], row: &[String]) -> Option<String> {
    let (fit, others) = row.split_at(RATES.len());
    let typed = header[RATES.len()..].iter().zip(others).filter(|(_, value)| !value.is_empty());
    let place: String = typed.map(|(key, value)| format!(", {key} = {value}")).collect();
    let note = fit.last().filter(|note| !note.is_empty())?;
    Some(format!("fit of {} over {}{place}: {note}", fit[0], fit[1]))
}

/// A table being written.
type CsvWriter<'a> = csv::Writer<&'a mut dyn Write>;

fn write_csv(
    path: &Path,
    rows: impl FnOnce(&mut CsvWriter) -> Result<(), csv::Error>,
) -> Result<Fingerprint, SweepError> {
    Ok(write_whole(path, |file| {
        let mut writer = csv::Writer::from_writer(file as &mut dyn Write);
        rows(&mut writer)?;
        writer.flush()
    })?)
}

/// Cells may measure other quantities than each other, as tokens of other widths do; what one does not measure is empty.
fn write_cells(table: &mut CsvWriter, file: &SweepFile, cells: &[Cell], finals: &[Finals]) -> Result<(), csv::Error> {
    let mut columns: Vec<&str> = Vec::new();
    for finals in finals {
        let known: BTreeSet<&str> = columns.iter().copied().collect();
        columns.extend(finals.columns.iter().map(String::as_str).filter(|column| !known.contains(column)));
    }
    table.write_record(["cell", "replica"].into_iter().chain(file.keys()).chain(columns.iter().copied()))?;
    for (cell, finals) in cells.iter().zip(finals) {
        let own: BTreeMap<&str, usize> = finals.columns.iter().map(String::as_str).zip(0..).collect();
        let places: Vec<Option<usize>> = columns.iter().map(|column| own.get(column).copied()).collect();
        for Final { replica, values } in &finals.rows {
            let measured = places.iter().map(|place| place.and_then(|place| values.get(place)).unwrap_or_default());
            let keys = cell.values.iter().map(String::as_str);
            table.write_record([&*cell.id, &*replica.to_string()].into_iter().chain(keys).chain(measured))?;
        }
    }
    Ok(())
}

/// The columns of a fit, before those of the keys.
pub const RATES: [&str; 9] =
    ["quantity", "variable", "slope", "slope_low", "slope_high", "expected", "on_a_line", "local_slopes", "note"];

/// One row for each fit and each combination of the values of the other axes, which are columns after those of the fit.
fn rates_table(
    sweep: &Path,
    file: &SweepFile,
    cells: &[Cell],
    finals: &[Finals],
) -> Result<Vec<Vec<String>>, SweepError> {
    let keys: Vec<&str> = file.keys().collect();
    let mut table = vec![RATES.iter().chain(&keys).map(ToString::to_string).collect::<Vec<_>>()];
    for fit in &file.fits {
        let mut groups: Vec<(Vec<String>, Vec<Point>)> = Vec::new();
        for (cell, finals) in cells.iter().zip(finals) {
            let apart = |(key, value): (&&str, &String)| {
                if file.goes_with(key, &fit.variable) { String::new() } else { value.clone() }
            };
            let others: Vec<String> = keys.iter().zip(&cell.values).map(apart).collect();
            let missing = || SweepError::Cell {
                path: folder(sweep, cell),
                problem: format!("it did not measure {}, which a fit asks for", fit.quantity),
            };
            let sample = finals.quantity(&fit.quantity).ok_or_else(missing)?;
            let value_of = |name: &str| cell.values[keys.iter().position(|key| *key == name)?].parse().ok();
            let point = (fit.variable.value(&value_of).unwrap_or(f64::NAN), sample);
            match groups.iter_mut().find(|(values, _)| *values == others) {
                Some((_, points)) => points.push(point),
                None => groups.push((others, vec![point])),
            }
        }
        for (others, mut points) in groups {
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let expected = fit.expected.map_or(String::new(), |expected| expected.to_string());
            let found = found(rates(&points), expected);
            let names = [fit.quantity.clone(), fit.variable.to_string()];
            table.push(names.into_iter().chain(found).chain(others).collect());
        }
    }
    Ok(table)
}

/// What a fit found, from its slope to a note about what it did not.
fn found(rate: Result<Rate, NoRate>, expected: String) -> [String; 7] {
    let none = String::new;
    match rate {
        Ok(rate) => {
            let local = |Slope { value, interval }: &Slope| match interval {
                Some([low, high]) => format!("{value:.4} [{low:.4}, {high:.4}]"),
                None => format!("{value:.4}"),
            };
            let local = rate.local.iter().map(local).collect::<Vec<_>>().join("; ");
            let [low, high] = rate.slope.interval.map_or([none(), none()], |ends| ends.map(|end| end.to_string()));
            let on_a_line = rate.is_curved().map_or(none(), |is_curved| (!is_curved).to_string());
            let note = rate.slope.interval.map_or("no interval: a cell has one replica".to_owned(), |_| none());
            [rate.slope.value.to_string(), low, high, expected, on_a_line, local, note]
        }
        Err(reason) => [none(), none(), none(), expected, none(), none(), reason.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_replicas_that_share_a_number_are_one_sample() {
        for shared in ["w1_copies", "log_growth", "lyapunov"] {
            let row = |replica, pair: &str, own: &str| Final { replica, values: StringRecord::from(vec![pair, own]) };
            let finals = Finals {
                columns: vec![shared.into(), "coupling_error".into()],
                sharers: [shared, "coupling_error"].map(replicas_a_sample).into(),
                rows: vec![row(0, "0.5", "1"), row(1, "0.5", "2"), row(2, "0.25", "3"), row(3, "0.25", "4")],
                samples: Fingerprint::of(b""),
            };
            assert_eq!(finals.quantity(shared), Some(vec![0.5, 0.25]));
            assert_eq!(finals.quantity("coupling_error"), Some(vec![1.0, 2.0, 3.0, 4.0]));
            assert_eq!(finals.quantity("energy"), None);
        }
    }
}
