//! The matrix of attention at the last sample of the first replica, one panel a head: which sources a token attends to.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use ndarray::{Array5, ArrayView2, Axis, s};
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement};
use plotters::backend::DrawingBackend;
use plotters::element::Rectangle;
use plotters::style::Color;

use super::canvas::{self, Anchor, Area, BODY, HEIGHT, Heading, MARGIN, Painted, Pen, Picture, WIDTH};
use super::error::PlotError;
use super::heat::{self, Ramp};
use super::{axis::Scale, frame, palette, samples};

/// Heads that have a panel.
const PANELS: usize = 4;
/// Cells along a side of a panel; more are finer than the paper.
const CELLS: usize = 128;
/// Where the row above all panels ends.
const PANELS_TOP: i32 = 430;
/// The paper above a panel, for words, and below it, for its sources.
const ABOVE: i32 = 140;
const BELOW: i32 = 150;

/// Panels of matrices.
pub(super) struct AttentionMatrices {
    heading: Heading,
    /// Those of the first heads; each a row of cells for each token or block of tokens.
    panels: Vec<Vec<Vec<f64>>>,
    /// Heads of the run.
    heads: usize,
    /// Tokens along a side.
    count: usize,
    /// Of all panels.
    largest: f64,
}

impl AttentionMatrices {
    /// From the run folder `dir`; none if its run did not keep them.
    pub(super) fn read(dir: &Path, heading: &Heading) -> Result<Option<Self>, PlotError> {
        let path = dir.join("attention.npy");
        if !path.exists() {
            return Ok(None);
        }
        let times = samples::times(&dir.join("samples.csv"))?;
        let weights = match array::<f64>(&path)? {
            Ok(double) => double,
            Err(ReadNpyError::WrongDescriptor(_)) => {
                array::<f32>(&path)?.map_err(|error| unreadable(&path, error.to_string()))?.mapv(f64::from)
            }
            Err(error) => return Err(unreadable(&path, error.to_string())),
        };
        let (samples, replicas, heads, count, sources) = weights.dim();
        if weights.is_empty() || count != sources {
            return Err(unreadable(&path, format!("its shape is {:?}", weights.shape())));
        }
        let Some(time) = times.last().filter(|_| samples == times.len()) else {
            return Err(unreadable(&path, format!("it has {samples} samples, and samples.csv has {}", times.len())));
        };
        let last = weights.slice(s![samples - 1, 0, .., .., ..]);
        let side = count.div_ceil(CELLS);
        let panels: Vec<_> = last.axis_iter(Axis(0)).take(PANELS).map(|matrix| coarse(matrix, side)).collect();
        let cells = panels.iter().flatten().flatten().copied().filter(|weight| weight.is_finite());
        let largest = cells.fold(0.0, f64::max);
        let mut heading = heading.clone();
        if replicas > 1 {
            heading.caption.push_str(" · replica 0");
        }
        heading.caption.push_str(&format!(" · t = {}", (time * 1e6).round() / 1e6));
        if heads > PANELS {
            heading.caption.push_str(&format!(" · {PANELS} of {heads} heads"));
        }
        if side > 1 {
            heading.caption.push_str(&format!(" · means of {side} × {side} weights"));
        }
        Ok(Some(Self { heading, panels, heads, count, largest }))
    }

    /// The left upper corners of the panels, and the side of each.
    fn places(&self) -> (Vec<(i32, i32)>, i32) {
        let gutter = canvas::text_width(&(self.count - 1).to_string(), BODY).max(60) + 50;
        let width = (WIDTH as i32 - 2 * MARGIN) / self.panels.len() as i32;
        let height = HEIGHT as i32 - PANELS_TOP - ABOVE - BELOW;
        let side = (width - gutter - 40).min(height);
        let left = |panel: usize| MARGIN + width * panel as i32 + (width - gutter - side) / 2 + gutter;
        let top = PANELS_TOP + ABOVE + (height - side) / 2;
        ((0..self.panels.len()).map(|panel| (left(panel), top)).collect(), side)
    }
}

impl Picture for AttentionMatrices {
    fn name(&self) -> &str {
        "attention"
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        self.heading.paint(area)?;
        frame::name_vertical(area, "attention, rows of sum 1", palette::INK)?;
        heat::paint_ramp(area, &Ramp { least: 0.0, greatest: self.largest, scale: Scale::Linear })?;
        let (places, side) = self.places();
        for (head, (cells, (left, top))) in self.panels.iter().zip(places).enumerate() {
            let edge = |cell: usize| side * cell as i32 / cells.len() as i32;
            for (i, row) in cells.iter().enumerate() {
                // No weight is no colour: what a mask hides stays bare.
                for (j, weight) in row.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                    let colour = palette::ramp(weight / self.largest);
                    let corners = [(left + edge(j), top + edge(i)), (left + edge(j + 1), top + edge(i + 1))];
                    area.draw(&Rectangle::new(corners, colour.filled()))?;
                }
            }
            let corners = [(left, top), (left + side, top + side)];
            area.draw(&Rectangle::new(corners, palette::GREY.stroke_width(5)))?;
            let (ink, above, below) = (Pen::body(palette::INK), top - 70, top + side + 70);
            canvas::write(area, "token i", (left - 80, above), ink, Anchor::MiddleLeft)?;
            if self.heads > 1 {
                let name = format!("head {head}");
                let right = left + side - canvas::text_width(&name, BODY);
                canvas::write(area, &name, (right, above), ink, Anchor::MiddleLeft)?;
            }
            canvas::write(area, "source j", (left + side / 2, below), ink, Anchor::Centre)?;
            let half = side / (2 * cells.len() as i32);
            let (first, last) = ("0".to_owned(), (self.count - 1).to_string());
            for (text, place) in [(first, half), (last, side - half)].into_iter().take(self.count) {
                canvas::write(area, &text, (left + place, below), ink, Anchor::Centre)?;
                let before = left - 30 - canvas::text_width(&text, BODY);
                canvas::write(area, &text, (before, top + place), ink, Anchor::MiddleLeft)?;
            }
        }
        Ok(())
    }
}

/// Means of blocks of `side` rows and columns, the last ones of what is left.
fn coarse(matrix: ArrayView2<f64>, side: usize) -> Vec<Vec<f64>> {
    let rows = matrix.axis_chunks_iter(Axis(0), side);
    let row = |rows: ArrayView2<f64>| {
        rows.axis_chunks_iter(Axis(1), side).map(|block| block.mean().unwrap_or(0.0)).collect()
    };
    rows.map(row).collect()
}

fn array<T: ReadableElement>(path: &Path) -> Result<Result<Array5<T>, ReadNpyError>, PlotError> {
    let file = File::open(path).map_err(|source| PlotError::Read { path: path.into(), source })?;
    Ok(Array5::read_npy(BufReader::new(file)))
}

fn unreadable(path: &Path, problem: String) -> PlotError {
    let remedy = "it must be an array (samples, replicas, heads, rows, sources) of `<f4` or `<f8`, as `tokenfield run` writes it";
    PlotError::File { path: path.into(), problem, remedy }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn cells_are_means_of_what_they_cover() {
        let matrix = array![[1.0, 3.0, 5.0], [5.0, 7.0, 1.0], [2.0, 4.0, 8.0]];
        assert_eq!(coarse(matrix.view(), 2), [vec![4.0, 3.0], vec![3.0, 8.0]]);
        assert_eq!(coarse(matrix.view(), 1)[1], [5.0, 7.0, 1.0]);
    }
}
