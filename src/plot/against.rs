//! What the cells of a sweep end with, against a key of numbers; a second one has a line for each of its values.

use super::canvas::Heading;
use super::columns::numbered;
use super::grid::{Cell, Grid};
use super::parameter::{Curve, Figure, MOST, Point};
use super::phase::Varying;
use super::rates::short;
use crate::sweep;

/// One figure for each column with a name of its own; none where more than two keys vary, or one of them not by numbers.
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
        None => vec![Curve { label: String::new(), points: points(grid, column, along, |_| true) }],
        Some(across) => {
            let name = short(&grid.keys[across.key]);
            let of_value = |value: &f64| Curve {
                label: format!("{name} = {value}"),
                points: points(grid, column, along, |cell| across.of(cell) == *value),
            };
            spread(&across.values).map(of_value).collect()
        }
    };
    curves.retain(|curve| curve.points.len() > 1);
    let mut heading = heading.clone();
    heading.caption.push_str(" · at the end");
    let label = format!("{}: means over replicas, with 95 % intervals", column.replace('_', " "));
    let (name, key) = (format!("final-{column}"), grid.keys[along.key].clone());
    (!curves.is_empty()).then_some(Figure { name, heading, key, label, curves })
}

/// As many values as curves can be told apart, evenly from all.
fn spread(values: &[f64]) -> impl Iterator<Item = &f64> {
    let drawn = values.len().min(MOST);
    (0..drawn).map(move |index| &values[index * (values.len() - 1) / (drawn - 1).max(1)])
}

fn points(grid: &Grid, column: &str, along: &Varying, is_of_curve: impl Fn(&Cell) -> bool) -> Vec<Point> {
    let point = |cell: &Cell| {
        let sample = grid.sample(cell, column);
        let measured = sweep::mean(&sample);
        let interval = sweep::reach(&sample).map(|reach| [measured - reach, measured + reach]);
        Point { key: along.of(cell), predicted: None, measured, interval }
    };
    let cells = grid.cells.iter().filter(|cell| is_of_curve(cell));
    let mut points: Vec<Point> = cells.map(point).filter(|point| point.measured.is_finite()).collect();
    points.sort_by(|a, b| a.key.total_cmp(&b.key));
    points
}
