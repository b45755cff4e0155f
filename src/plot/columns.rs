//! Which columns of a run share a picture: one with a name of its own has one, those of a quantity that are numbered share one.

use std::path::Path;

use super::canvas::Heading;
use super::components::Components;
use super::error::PlotError;
use super::palette;
use super::samples;
use super::series::{CURVES, Polyline, Series, mean};
use crate::observables::{Curve, Hue};

/// The same in the limit.
const LIMIT: &str = "limit_";
/// It has a map of its own.
const HISTOGRAM: &str = "overlap_histogram";

/// A column of `samples.csv`, and its lines, one a replica.
struct Column {
    name: String,
    lines: Vec<Polyline>,
}

/// All charts of a run: those of known curves first.
pub(super) fn charts(path: &Path, heading: &Heading) -> Result<(Vec<Series>, Vec<Components>), PlotError> {
    let found = samples::lines(path, is_drawn)?;
    let mut columns: Vec<Column> = found.into_iter().map(|(name, lines)| Column { name, lines }).collect();
    let mut series: Vec<Series> = Vec::new();
    for curve in CURVES.iter() {
        if let Some(at) = columns.iter().position(|column| column.name == curve.column) {
            let column = columns.remove(at);
            series.push(known(heading, curve, column.lines, limit_of(&mut columns, curve.column)));
        }
    }
    let mut components: Vec<Components> = Vec::new();
    while !columns.is_empty() {
        let column = columns.remove(0);
        match numbered(&column.name) {
            Some((name, index)) => {
                let at = components.iter().position(|family| family.name == name).unwrap_or_else(|| {
                    components.push(Components::new(heading, name, column.lines.len()));
                    components.len() - 1
                });
                components[at].lines.push((index, mean(&column.lines)));
            }
            None => {
                let limit = limit_of(&mut columns, &column.name);
                let label = column.name.replace('_', " ");
                let (heading, name, lines) = (heading.clone(), column.name, column.lines);
                series.push(Series { heading, name, label, hue: Hue::Teal, lines, limit });
            }
        }
    }
    Ok((series, components))
}

fn known(heading: &Heading, curve: &Curve, lines: Vec<Polyline>, limit: Option<Polyline>) -> Series {
    let from_start = |line: Polyline| line.into_iter().skip(curve.void).collect();
    Series {
        heading: heading.clone(),
        name: curve.column.to_owned(),
        label: curve.label.to_owned(),
        hue: curve.hue,
        lines: lines.into_iter().map(from_start).collect(),
        limit: limit.map(from_start),
    }
}

/// The column of the limit that belongs to another, which is then drawn there.
fn limit_of(columns: &mut Vec<Column>, name: &str) -> Option<Polyline> {
    let at = columns.iter().position(|column| column.name.strip_prefix(LIMIT) == Some(name))?;
    Some(mean(&columns.remove(at).lines))
}

/// The name that numbered columns share, and the number.
pub(super) fn numbered(name: &str) -> Option<(&str, usize)> {
    let (name, number) = name.rsplit_once('_')?;
    Some((name, number.parse().ok()?))
}

fn is_drawn(name: &str) -> bool {
    if name == "replica" || name == "time" || name.starts_with(HISTOGRAM) {
        return false;
    }
    numbered(name).is_none_or(|(_, index)| index <= palette::SERIES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_from_numbered_ones() {
        assert_eq!(numbered("mode_12"), Some(("mode", 12)));
        assert_eq!(numbered("covariance_0_1"), Some(("covariance_0", 1)));
        assert_eq!(numbered("mean_norm"), None);
        assert!(is_drawn("w2_dirac") && is_drawn("mean_0"));
        assert!(!is_drawn("mean_383") && !is_drawn("overlap_histogram_3") && !is_drawn("time"));
    }
}
