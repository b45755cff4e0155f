//! What the cells of a sweep end with, against a key of numbers; a second one has a line for each of its values.

use super::axis;
use super::canvas::Heading;
use super::columns::numbered;
use super::grid::{Cell, Grid};
use super::key::short;
use super::parameter::{Curve, Figure, MOST, Point};
use super::phase::Varying;
use crate::sweep;

/// One figure for each column with a name of its own that differs between cells; none where more than two keys vary, or one of them not by numbers.
pub(super) fn figures(grid: &Grid, heading: &Heading, varying: &[Varying]) -> Vec<Figure> {
    let (along, across) = match varying {
        [only] => (only, None),
        // The eye follows the longer one.
        [x, y] if y.values.len() > x.values.len() => (y, Some(x)),
        [x, y] => (x, Some(y)),
        _ => return Vec::new(),
    };
    let columns = grid.quantities().iter().filter(|name| numbered(name).is_none());
    columns.filter_map(|column| figure(grid, heading, column, along, across)).collect()
}

fn figure(grid: &Grid, heading: &Heading, column: &str, along: &Varying, across: Option<&Varying>) -> Option<Figure> {
    let mut curves = match across {
        None => vec![curve(String::new(), points(grid, column, along, |_| true))],
        Some(across) => {
            let keys: Vec<&str> = grid.keys.iter().map(String::as_str).collect();
            let name = short(keys[across.key], &keys);
            let of_value = |value: &f64| {
                curve(format!("{name} = {value}"), points(grid, column, along, |cell| across.of(cell) == *value))
            };
            spread(&across.values).map(of_value).collect()
        }
    };
    curves.retain(|curve| curve.points.len() > 1);
    let points = || curves.iter().flat_map(|curve| &curve.points);
    if axis::is_flat(points().map(|point| point.measured)) {
        return None;
    }
    let means = match points().any(|point| point.interval.is_some()) {
        true => ": means over replicas, with 95 % intervals",
        false if grid.replicas() > 1 => ": means over replicas",
        false => "",
    };
    let mut heading = heading.clone();
    heading.caption.push_str(" · at the end");
    if let Some(across) = across.filter(|across| across.values.len() > MOST) {
        let (all, key) = (across.values.len(), &grid.keys[across.key]);
        heading.caption.push_str(&format!(" · {MOST} of {all} values of {key}"));
    }
    let label = format!("{}{means}", column.replace('_', " "));
    let (name, key) = (format!("final-{column}"), grid.keys[along.key].clone());
    Some(Figure { name, heading, key, label, curves })
}

fn curve(place: String, points: Vec<Point>) -> Curve {
    Curve { quantity: String::new(), place, points }
}

/// As many values as curves can be told apart, evenly from all.
fn spread(values: &[f64]) -> impl Iterator<Item = &f64> {
    let drawn = values.len().min(MOST);
    (0..drawn).map(move |index| &values[index * (values.len() - 1) / (drawn - 1).max(1)])
}

fn points(grid: &Grid, column: &str, along: &Varying, is_of_curve: impl Fn(&Cell) -> bool) -> Vec<Point> {
    // What was never negative is no less than zero.
    let is_negative = |cell: &Cell| grid.sample(cell, column).iter().any(|value| *value < 0.0);
    let least = if grid.cells.iter().any(is_negative) { f64::NEG_INFINITY } else { 0.0 };
    let point = |cell: &Cell| {
        let sample = grid.sample(cell, column);
        let measured = sweep::mean(&sample);
        let interval = sweep::reach(&sample).map(|reach| [(measured - reach).max(least), measured + reach]);
        Point { key: along.of(cell), predicted: None, measured, interval }
    };
    let cells = grid.cells.iter().filter(|cell| is_of_curve(cell));
    let mut points: Vec<Point> = cells.map(point).filter(|point| point.measured.is_finite()).collect();
    points.sort_by(|a, b| a.key.total_cmp(&b.key));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends of the intervals of two cells of two replicas each.
    fn intervals(cells: &str) -> Vec<[f64; 2]> {
        let dir = tempfile::tempdir().expect("a folder");
        let header = format!("{},attention.beta\n", sweep::RATES.join(","));
        std::fs::write(dir.path().join("rates.csv"), header).expect("a file");
        let cells = format!("cell,replica,attention.beta,x\n{cells}");
        std::fs::write(dir.path().join("cells.csv"), cells).expect("a file");
        let grid = Grid::read(dir.path()).expect("a good folder");
        let along = Varying { key: 0, values: vec![1.0, 2.0] };
        points(&grid, "x", &along, |_| true).iter().map(|point| point.interval.expect("two replicas")).collect()
    }

    /// The mean 2 of 1 and 3 has the standard error 1, and Student's quantile for one degree of freedom is 12.706.
    #[test]
    fn intervals_of_what_is_never_negative_end_at_zero() {
        let ends = intervals("a,0,1,1\na,1,1,3\nb,0,2,5\nb,1,2,6\n");
        assert!(ends[0][0] == 0.0 && (ends[0][1] - 14.706).abs() < 1e-3, "{ends:?}");
        let ends = intervals("a,0,1,1\na,1,1,3\nb,0,2,-5\nb,1,2,6\n");
        assert!((ends[0][0] + 10.706).abs() < 1e-3, "{ends:?}");
    }
}
