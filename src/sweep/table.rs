//! What complete cells say together: `cells.csv`, one row per cell and replica, and `rates.csv`, one row per fit and
//! combination of the other axes.

use std::{collections::BTreeMap, fs, io::Write, path::Path};

use super::{Cell, NoRate, Point, Rate, Slope, SweepError, folder, rates, whole::vouch};
use crate::{
    experiment::SweepFile,
    observables::replicas_a_sample,
    record::{Fingerprint, write_whole},
    results::Functional,
};

/// The last sample of every replica of a cell, and its results.
#[derive(Clone, Debug, PartialEq)]
pub struct Finals {
    /// Names of the quantities, and of the results after them.
    pub columns: Vec<String>,
    /// How many replicas share a number of each column.
    pub sharers: Vec<usize>,
    /// (replica, text of each quantity), by replica.
    pub rows: Vec<(usize, Vec<String>)>,
    /// What `samples.csv` held when it was read.
    pub samples: Fingerprint,
}

impl Finals {
    /// From the complete run folder of a cell with these results.
    pub fn read(folder: &Path, results: &[Functional]) -> Result<Self, SweepError> {
        let (table, samples) = Table::read(&folder.join("samples.csv"))?;
        let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
        for (replica, values) in table.rows {
            let row = (replica, values.into_iter().skip(1).collect());
            // Times ascend, so the last row of a replica is its final one.
            match rows.iter_mut().find(|(other, _)| *other == replica) {
                Some(last) => *last = row,
                None => rows.push(row),
            }
        }
        if rows.is_empty() {
            let problem = "it holds no samples".into();
            return Err(SweepError::Cell { path: folder.join("samples.csv"), problem });
        }
        rows.sort_by_key(|(replica, _)| *replica);
        let mut columns: Vec<String> = table.columns.into_iter().skip(1).collect();
        let mut sharers: Vec<usize> = columns.iter().map(|column| replicas_a_sample(column)).collect();
        if !results.is_empty() {
            let (table, _) = Table::read(&folder.join("results.csv"))?;
            for ((_, values), (_, own)) in rows.iter_mut().zip(table.rows) {
                values.extend(own);
            }
            columns.extend(table.columns);
            sharers.extend(results.iter().map(Functional::replicas_a_sample));
        }
        Ok(Self { columns, sharers, rows, samples })
    }

    /// A quantity of every replica, or once of those that share it; none if it was not measured.
    pub fn quantity(&self, name: &str) -> Option<Vec<f64>> {
        let index = self.columns.iter().position(|column| column == name)?;
        self.rows.iter().step_by(self.sharers[index]).map(|(_, values)| values[index].parse().ok()).collect()
    }
}

/// A table whose rows begin with the number of a replica.
struct Table {
    /// Names of the columns after it.
    columns: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

impl Table {
    fn read(path: &Path) -> Result<(Self, Fingerprint), SweepError> {
        let broken = |problem: String| SweepError::Cell { path: path.to_owned(), problem };
        let text = fs::read(path).map_err(|error| broken(error.to_string()))?;
        let mut reader = csv::Reader::from_reader(text.as_slice());
        let header = reader.headers().map_err(|error| broken(error.to_string()))?;
        let columns = header.iter().skip(1).map(str::to_owned).collect();
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| broken(error.to_string()))?;
            let replica = record.get(0).and_then(|text| text.parse().ok());
            let replica = replica.ok_or_else(|| broken("a row without a replica".into()))?;
            rows.push((replica, record.iter().skip(1).map(str::to_owned).collect()));
        }
        Ok((Self { columns, rows }, Fingerprint::of(&text)))
    }
}

/// Writes both tables of the sweep folder from its cells, all of which must be complete, and the manifest that vouches for them; returns
/// what fits did not find.
pub fn write_tables(sweep: &Path, file: &SweepFile, cells: &[Cell]) -> Result<Vec<String>, SweepError> {
    let read = |cell: &Cell| Finals::read(&folder(sweep, cell), &cell.experiment.results()?);
    let finals: Vec<Finals> = cells.iter().map(read).collect::<Result<_, _>>()?;
    let rates = rates_table(sweep, file, cells, &finals)?;
    let notes = rates.iter().skip(1).filter_map(|row| note(&rates[0], row)).collect();
    let tables = [("cells.csv", cells_table(file, cells, &finals)), ("rates.csv", rates)];
    let mut files = BTreeMap::new();
    for (name, table) in tables {
        files.insert(name.to_owned(), write_csv(&sweep.join(name), &table)?);
    }
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

fn write_csv(path: &Path, table: &[Vec<String>]) -> Result<Fingerprint, SweepError> {
    Ok(write_whole(path, |file| {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for row in table {
            writer.write_record(row).map_err(std::io::Error::from)?;
        }
        file.write_all(&writer.into_inner().map_err(|error| error.into_error())?)
    })?)
}

/// Cells may measure other quantities than each other, as tokens of other widths do; what one does not measure is empty.
fn cells_table(file: &SweepFile, cells: &[Cell], finals: &[Finals]) -> Vec<Vec<String>> {
    let mut columns: Vec<&String> = Vec::new();
    for finals in finals {
        columns.extend(finals.columns.iter().filter(|column| !columns.contains(column)).collect::<Vec<_>>());
    }
    let header = ["cell", "replica"].into_iter().map(String::from).chain(file.keys().map(String::from));
    let mut table = vec![header.chain(columns.iter().map(|column| (*column).clone())).collect()];
    for (cell, finals) in cells.iter().zip(finals) {
        for (replica, values) in &finals.rows {
            let value = |column: &&String| {
                let index = finals.columns.iter().position(|other| other == *column);
                index.map_or(String::new(), |index| values[index].clone())
            };
            let keys = [cell.id.clone(), replica.to_string()].into_iter().chain(cell.values.iter().cloned());
            table.push(keys.chain(columns.iter().map(value)).collect());
        }
    }
    table
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
            let row = |replica, pair: &str, own: &str| (replica, vec![pair.to_owned(), own.to_owned()]);
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
