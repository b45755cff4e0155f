//! Phase diagrams of a sweep: a quantity over two keys at the end, or over one key and layer-time.

use std::path::Path;

use super::axis;
use super::canvas::Heading;
use super::error::PlotError;
use super::grid::{Cell, Grid};
use super::heat::{Heat, Side};
use super::samples;
use super::series::{CURVES, Polyline, mean};
use crate::{observables::Curve, sweep};

/// More columns than this are finer than the paper.
const COLUMNS: usize = 240;

/// The keys that vary and are not decided by others; none if one of them is not of numbers.
pub(super) fn varying(grid: &Grid) -> Option<Vec<Varying>> {
    let varying: Vec<usize> = (0..grid.keys.len())
        .filter(|key| grid.cells.iter().any(|cell| cell.values[*key] != grid.cells[0].values[*key]))
        .filter(|key| !grid.is_decided_by_keys_before(*key))
        .collect();
    varying.into_iter().map(|key| Some(Varying { key, values: grid.numbers(key)? })).collect()
}

/// One map for each quantity that has a picture and differs from place to place; none where the keys that vary are not one or two.
pub(super) fn diagrams(
    dir: &Path,
    grid: &Grid,
    heading: &Heading,
    varying: &[Varying],
) -> Result<Vec<Heat>, PlotError> {
    let mut maps = match varying {
        [only] => over_time(dir, grid, heading, only)?,
        [x, y] => over_keys(grid, heading, x, y),
        _ => Vec::new(),
    };
    // There is nothing to see on a map of one colour.
    maps.retain(|map| !axis::is_flat(map.values.iter().flatten().copied()));
    Ok(maps)
}

/// A key that varies, and its values, ascending.
pub(super) struct Varying {
    pub(super) key: usize,
    pub(super) values: Vec<f64>,
}

impl Varying {
    /// The value of a cell.
    pub(super) fn of(&self, cell: &Cell) -> f64 {
        number(cell, self.key)
    }
}

fn side(grid: &Grid, varying: &Varying) -> Side {
    Side { label: grid.keys[varying.key].clone(), values: varying.values.clone() }
}

fn number(cell: &Cell, key: usize) -> f64 {
    cell.values[key].parse().unwrap_or(f64::NAN)
}

/// The mean over replicas at the end.
fn over_keys(grid: &Grid, heading: &Heading, x: &Varying, y: &Varying) -> Vec<Heat> {
    let value = |curve: &Curve, across: f64, up: f64| {
        let cell = grid.cells.iter().find(|cell| number(cell, x.key) == across && number(cell, y.key) == up);
        cell.map_or(f64::NAN, |cell| sweep::mean(&grid.sample(cell, curve.column)))
    };
    let map = |curve: &Curve| {
        let row = |up: &f64| x.values.iter().map(|across| value(curve, *across, *up)).collect();
        let mut heading = heading.clone();
        heading.caption.push_str(" · at the end");
        if grid.replicas() > 1 {
            heading.caption.push_str(", mean over replicas");
        }
        Heat {
            name: format!("phase-{}", curve.column),
            heading,
            label: curve.column.into(),
            x: side(grid, x),
            y: side(grid, y),
            values: y.values.iter().map(row).collect(),
        }
    };
    let measured = |curve: &&Curve| grid.measures(curve.column);
    CURVES.iter().copied().filter(measured).map(map).collect()
}

/// The mean over replicas at the times of the samples, which must be those of every cell.
fn over_time(dir: &Path, grid: &Grid, heading: &Heading, varying: &Varying) -> Result<Vec<Heat>, PlotError> {
    let mut cells: Vec<&Cell> = grid.cells.iter().collect();
    cells.sort_by(|a, b| number(a, varying.key).total_cmp(&number(b, varying.key)));
    let read = |cell: &&Cell| -> Result<Vec<(&str, Polyline)>, PlotError> {
        let path = dir.join("cells").join(&cell.id).join("samples.csv");
        let found = samples::lines(&path, |name| CURVES.iter().any(|curve| curve.column == name))?;
        let known = |curve: &&'static Curve| {
            let (_, lines) = found.iter().find(|(name, _)| name == curve.column)?;
            Some((curve.column, mean(lines).into_iter().skip(curve.void).collect()))
        };
        Ok(CURVES.iter().filter_map(known).collect())
    };
    let means: Vec<_> = cells.iter().map(read).collect::<Result<_, _>>()?;
    let mut maps = Vec::new();
    for curve in CURVES.iter().filter(|curve| grid.measures(curve.column)) {
        let found = means.iter().filter_map(|cell| cell.iter().find(|(column, _)| *column == curve.column));
        let lines: Vec<&Polyline> = found.map(|(_, line)| line).collect();
        let times: Vec<f64> = lines.first().map_or(Vec::new(), |line| line.iter().map(|sample| sample.0).collect());
        let same = |line: &&Polyline| line.iter().map(|sample| sample.0).eq(times.iter().copied());
        if lines.len() < cells.len() || times.len() < 2 || !lines.iter().all(same) {
            continue;
        }
        let stride = times.len().div_ceil(COLUMNS);
        let mut heading = heading.clone();
        if grid.replicas() > 1 {
            heading.caption.push_str(" · mean over replicas");
        }
        if stride > 1 {
            heading.caption.push_str(&format!(" · 1 in {stride} samples drawn"));
        }
        maps.push(Heat {
            name: format!("phase-{}", curve.column),
            heading,
            label: curve.column.into(),
            x: Side { label: "layer-time t".into(), values: times.iter().copied().step_by(stride).collect() },
            y: side(grid, varying),
            values: lines.iter().map(|line| line.iter().map(|sample| sample.1).step_by(stride).collect()).collect(),
        });
    }
    Ok(maps)
}
