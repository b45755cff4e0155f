//! Reads what the cells of a sweep say together: `cells.csv` and `rates.csv`.

use std::{collections::BTreeMap, path::Path};

use csv::StringRecord;

use super::error::PlotError;
use crate::{
    expression::Expression,
    observables::replicas_a_sample,
    sweep::{Point, RATES},
};

const REWRITE: &str = "let `tokenfield sweep` write the folder again";
/// The cells of a sweep, in the order of its grid.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grid {
    /// The dotted keys of the axes.
    pub(super) keys: Vec<String>,
    /// Names of the quantities.
    quantities: Vec<String>,
    pub(super) cells: Vec<Cell>,
    pub(super) fits: Vec<Fit>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) id: String,
    /// The text of each key.
    pub(super) values: Vec<String>,
    /// Each quantity of each replica; NaN where it was not measured.
    replicas: Vec<Vec<f64>>,
}

/// A row of `rates.csv`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fit {
    pub(super) quantity: String,
    pub(super) variable: String,
    pub(super) slope: f64,
    /// None where replicas are one.
    pub(super) interval: Option<[f64; 2]>,
    pub(super) expected: Option<f64>,
    /// The text of each other key; empty for the variable, and for keys that go with it.
    pub(super) others: Vec<String>,
}

impl Grid {
    pub(super) fn read(dir: &Path) -> Result<Self, PlotError> {
        let (rates, cells) = (dir.join("rates.csv"), dir.join("cells.csv"));
        let (rates_header, rates_rows) = rows(&rates)?;
        let keys: Vec<String> = rates_header.iter().skip(RATES.len()).map(str::to_owned).collect();
        let fit = |row: &StringRecord| fit(row).ok_or_else(|| broken(&rates, format!("row {row:?} is no rate")));
        let fits = rates_rows.iter().map(fit).collect::<Result<_, _>>()?;
        let (header, rows) = rows(&cells)?;
        let first = 2 + keys.len();
        if header.iter().skip(2).take(keys.len()).ne(&keys) {
            return Err(broken(&cells, format!("its keys are not those of rates.csv, {}", keys.join(", "))));
        }
        let mut grid = Self {
            keys,
            quantities: header.iter().skip(first).map(str::to_owned).collect(),
            cells: Vec::new(),
            fits,
        };
        for row in &rows {
            grid.add(row).map_err(|problem| broken(&cells, problem))?;
        }
        match grid.cells.is_empty() {
            true => Err(broken(&cells, "it holds no cells".into())),
            false => Ok(grid),
        }
    }

    /// Adds a replica to its cell, whose rows follow one another.
    fn add(&mut self, row: &StringRecord) -> Result<(), String> {
        let id = row.get(0).unwrap_or_default();
        // What a cell does not measure is empty.
        let number = |text: &str| match text {
            "" => Ok(f64::NAN),
            text => text.parse().map_err(|_| format!("`{text}` of cell {id} is no number")),
        };
        let replica: Vec<f64> = row.iter().skip(2 + self.keys.len()).map(number).collect::<Result<_, _>>()?;
        match self.cells.last_mut() {
            Some(cell) if cell.id == id => cell.replicas.push(replica),
            _ => {
                let values = row.iter().skip(2).take(self.keys.len()).map(str::to_owned).collect();
                self.cells.push(Cell { id: id.to_owned(), values, replicas: vec![replica] });
            }
        }
        Ok(())
    }

    pub(super) fn quantities(&self) -> &[String] {
        &self.quantities
    }

    /// The most that a cell has.
    pub(super) fn replicas(&self) -> usize {
        self.cells.iter().map(|cell| cell.replicas.len()).max().unwrap_or(0)
    }

    pub(super) fn measures(&self, quantity: &str) -> bool {
        self.quantities.iter().any(|name| name == quantity)
    }

    /// A quantity of every replica of a cell, or once of those that share it.
    pub(super) fn sample(&self, cell: &Cell, quantity: &str) -> Vec<f64> {
        let Some(index) = self.quantities.iter().position(|name| name == quantity) else { return Vec::new() };
        let sharers = self.sharers(index);
        cell.replicas.iter().step_by(sharers).map(|replica| replica[index]).collect()
    }

    /// How many replicas share a number of this quantity; of a result, which may be one of pairs, the numbers themselves say so.
    fn sharers(&self, index: usize) -> usize {
        let agree = |pair: &[Vec<f64>]| pair.len() == 2 && pair[0][index].to_bits() == pair[1][index].to_bits();
        let are_pairs = || self.cells.iter().all(|cell| cell.replicas.chunks(2).all(agree));
        match replicas_a_sample(&self.quantities[index]) {
            1 if are_pairs() => 2,
            sharers => sharers,
        }
    }

    /// The points of a fit.
    pub(super) fn points(&self, fit: &Fit) -> Vec<Point> {
        let Ok(variable) = fit.variable.parse::<Expression>() else { return Vec::new() };
        let is_of_fit = |cell: &&Cell| {
            cell.values.iter().zip(&fit.others).all(|(value, other)| other.is_empty() || value == other)
        };
        let value_in = |cell: &Cell| {
            let value_of = |name: &str| cell.values[self.keys.iter().position(|key| key == name)?].parse().ok();
            variable.value(&value_of).unwrap_or(f64::NAN)
        };
        let point = |cell: &Cell| (value_in(cell), self.sample(cell, &fit.quantity));
        self.cells.iter().filter(is_of_fit).map(point).collect()
    }

    /// Whether cells that agree in all keys before `key` agree in it too, as where it is coupled to them.
    pub(super) fn is_decided_by_keys_before(&self, key: usize) -> bool {
        let mut values = BTreeMap::new();
        self.cells
            .iter()
            .all(|cell| *values.entry(&cell.values[..key]).or_insert(&cell.values[key]) == &cell.values[key])
    }

    /// The distinct values of a key, ascending, if all are numbers and there is more than one.
    pub(super) fn numbers(&self, key: usize) -> Option<Vec<f64>> {
        let numbers: Option<Vec<f64>> = self.cells.iter().map(|cell| cell.values[key].parse().ok()).collect();
        let mut numbers = numbers?;
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        (numbers.len() > 1).then_some(numbers)
    }
}

fn rows(path: &Path) -> Result<(StringRecord, Vec<StringRecord>), PlotError> {
    let unfinished = |source| PlotError::Unfinished { path: path.into(), source };
    let mut reader = csv::Reader::from_reader(std::fs::File::open(path).map_err(unfinished)?);
    let failed = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        PlotError::Row { path: path.into(), line, problem: error.to_string(), remedy: REWRITE }
    };
    let header = reader.headers().map_err(failed)?.clone();
    let rows = reader.records().collect::<Result<_, _>>().map_err(failed)?;
    Ok((header, rows))
}

fn fit(row: &StringRecord) -> Option<Fit> {
    // A fit that has no slope has empty fields.
    let number = |index: usize| match row.get(index)? {
        "" => Some(f64::NAN),
        text => text.parse::<f64>().ok(),
    };
    let (quantity, variable) = (row.get(0)?.to_owned(), row.get(1)?.to_owned());
    let others = row.iter().skip(RATES.len()).map(str::to_owned).collect();
    let expected = Some(number(5)?).filter(|expected| expected.is_finite());
    let interval = Some([number(3)?, number(4)?]).filter(|ends| ends.iter().all(|end| end.is_finite()));
    Some(Fit { quantity, variable, slope: number(2)?, interval, expected, others })
}

fn broken(path: &Path, problem: String) -> PlotError {
    PlotError::File { path: path.into(), problem, remedy: REWRITE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::log_reach;

    /// Replicas that share a number count once, or intervals are too narrow by the root of two.
    #[test]
    fn intervals_are_those_of_pairs_where_pairs_share_a_number() {
        let dir = tempfile::tempdir().expect("a folder");
        let header = format!("{},tokens.count\n", RATES.join(","));
        std::fs::write(dir.path().join("rates.csv"), header).expect("a file");
        let mut cells = String::from("cell,replica,tokens.count,w1_copies,log_growth,lyapunov,mean_norm\n");
        for (replica, [pair, own]) in [[2, 1], [2, 3], [4, 5], [4, 7]].into_iter().enumerate() {
            cells += &format!("a,{replica},64,{pair},{pair},{pair},{own}\n");
        }
        std::fs::write(dir.path().join("cells.csv"), cells).expect("a file");
        let grid = Grid::read(dir.path()).expect("a good folder");
        for shared in ["w1_copies", "log_growth", "lyapunov"] {
            let sample = grid.sample(&grid.cells[0], shared);
            assert_eq!(sample, [2.0, 4.0], "{shared}");
            // s = sqrt 2, so that the error of the mean 3 is 1, and Student's quantile is that of two replicas.
            assert!((log_reach(&sample).expect("two") - 12.706_204_7 / 3.0).abs() < 1e-6, "{shared}");
        }
        assert_eq!(grid.sample(&grid.cells[0], "mean_norm"), [1.0, 3.0, 5.0, 7.0]);
    }
}
