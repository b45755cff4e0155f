//! Arrays that may change from layer to layer: as they are typed once, or `{ layers = .. }`, one a step, as a `.npy` file of one more
//! dimension or as a list.

use serde::Serialize;

use super::{
    array::{Extent, ListTyped, RowsTyped, joined},
    error::ExperimentError,
    file_path::FilePath,
    matrix_schedule::{self, LAYERS, LayersTyped},
    section::Entry,
    source::Source,
};
use crate::initial::npy;

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum RowsStackTyped {
    Layers { layers: LayersTyped },
    Same(RowsTyped),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum ListStackTyped {
    Layers { layers: ListsTyped },
    Same(ListTyped),
}

/// One list a step: an array (steps, numbers), or the lists.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum ListsTyped {
    File(FilePath),
    Lists(Vec<Vec<f64>>),
}

/// The same array for all steps, or one for each in turn.
#[derive(Debug)]
pub(crate) enum Stack {
    Same(Vec<f64>),
    Layers(Vec<Vec<f64>>),
}

impl Stack {
    /// That of a layer; the last one for all layers beyond.
    pub fn of(&self, layer: usize) -> &[f64] {
        match self {
            Stack::Same(array) => array,
            Stack::Layers(layers) => layers.get(layer).or(layers.last()).map_or(&[], Vec::as_slice),
        }
    }

    /// How many there are, unless they are all the same.
    pub fn layers(&self) -> Option<usize> {
        match self {
            Stack::Same(_) => None,
            Stack::Layers(layers) => Some(layers.len()),
        }
    }
}

impl RowsStackTyped {
    pub fn read(entry: &Entry) -> Result<Self, ExperimentError> {
        if !entry.has("layers") {
            return RowsTyped::read(entry).map(Self::Same);
        }
        let layers = entry.section(LAYERS)?.required("layers", "\"stack.npy\"")?;
        Ok(Self::Layers { layers: matrix_schedule::layers(&layers)? })
    }

    /// All entries of each in row-major order, for rows of `width` numbers and as many of them in each.
    pub fn resolve(&self, key: &str, width: usize, source: &Source) -> Result<Stack, ExperimentError> {
        let (layers, key) = match self {
            Self::Same(rows) => return rows.resolve(key, width, source).map(Stack::Same),
            Self::Layers { layers } => (layers, format!("{key}.layers")),
        };
        match layers {
            LayersTyped::File(path) => {
                let array = path.array(&key, source)?;
                match array.shape[..] {
                    [layers, rows, columns] if layers > 0 && rows > 0 && columns == width => {
                        Ok(Stack::Layers(split(&array.values, rows * width)))
                    }
                    _ => {
                        let problem = format!("has the shape {}", npy::shape_text(&array.shape));
                        let remedy = format!("save an array of shape (steps, rows, {width})");
                        Err(source.error(key, path.quoted(), problem, remedy))
                    }
                }
            }
            LayersTyped::Rows(layers) => {
                let entries =
                    |(index, rows): (usize, &Vec<_>)| joined(rows, &format!("{key}.{index}"), width, source);
                let layers = layers.iter().enumerate().map(entries).collect::<Result<Vec<_>, _>>()?;
                let first = layers.first().map_or(0, Vec::len);
                if let Some(odd) = layers.iter().position(|layer| layer.len() != first) {
                    let rows = |layer: usize| layers[layer].len() / width;
                    let problem = format!("has {} rows, and {key}.0 has {}", rows(odd), rows(0));
                    let remedy = "write as many rows in every layer";
                    return Err(source.error(format!("{key}.{odd}"), "", problem, remedy));
                }
                Ok(Stack::Layers(layers))
            }
        }
    }

    /// The same, for as many rows as `of` says.
    pub fn resolve_rows(
        &self,
        key: &str,
        of: Extent<'_>,
        width: usize,
        source: &Source,
    ) -> Result<Stack, ExperimentError> {
        if let Self::Same(rows) = self {
            return rows.resolve_rows(key, of, width, source).map(Stack::Same);
        }
        let stack = self.resolve(key, width, source)?;
        let Extent { length: count, of } = of;
        let rows = stack.of(0).len() / width;
        if rows == count || stack.layers() == Some(0) {
            return Ok(stack);
        }
        let problem = format!("has {rows} rows of {width} numbers a layer, and {of} has {count}");
        let remedy = format!("write {count} rows of {width} numbers for each");
        Err(source.error(format!("{key}.layers"), "", problem, remedy))
    }
}

impl ListStackTyped {
    pub fn read(entry: &Entry) -> Result<Self, ExperimentError> {
        if !entry.has("layers") {
            return ListTyped::read(entry).map(Self::Same);
        }
        let layers = entry.section(LAYERS)?.required("layers", "\"stack.npy\"")?;
        let layers = if layers.is_text() {
            ListsTyped::File(layers.file()?)
        } else {
            ListsTyped::Lists(layers.list("[0.0]")?.iter().map(Entry::numbers).collect::<Result<_, _>>()?)
        };
        Ok(Self::Layers { layers })
    }

    /// As many numbers of each as asked for.
    pub fn resolve(&self, key: &str, extent: Extent<'_>, source: &Source) -> Result<Stack, ExperimentError> {
        let (layers, key) = match self {
            Self::Same(list) => return list.resolve(key, extent, source).map(Stack::Same),
            Self::Layers { layers } => (layers, format!("{key}.layers")),
        };
        let Extent { length, of } = extent;
        match layers {
            ListsTyped::File(path) => {
                let array = path.array(&key, source)?;
                if matches!(array.shape[..], [layers, columns] if layers > 0 && columns == length) {
                    return Ok(Stack::Layers(split(&array.values, length)));
                }
                let problem = format!("has the shape {}, and {of} has {length}", npy::shape_text(&array.shape));
                Err(source.error(key, path.quoted(), problem, format!("save an array of shape (steps, {length})")))
            }
            ListsTyped::Lists(lists) => {
                let list = |(index, numbers): (usize, &Vec<f64>)| {
                    ListTyped::Numbers(numbers.clone()).resolve(&format!("{key}.{index}"), extent, source)
                };
                lists.iter().enumerate().map(list).collect::<Result<_, _>>().map(Stack::Layers)
            }
        }
    }
}

fn split(values: &[f64], size: usize) -> Vec<Vec<f64>> {
    values.chunks_exact(size).map(<[f64]>::to_vec).collect()
}
