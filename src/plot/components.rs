//! The numbered columns of one quantity against layer-time, each as its mean over replicas.

use plotters::backend::DrawingBackend;
use plotters::element::PathElement;
use plotters::style::{Color, ShapeStyle};

use super::axis::Axis;
use super::canvas::{Area, Heading, MARGIN, Painted, Picture, WIDTH};
use super::legend::{self, Mark};
use super::series::{Polyline, pieces};
use super::{frame, palette};

const LINE: u32 = 12;

pub(super) struct Components {
    heading: Heading,
    /// What the columns have in common, and the name of the files.
    pub(super) name: String,
    /// The number of each column, and its mean over replicas.
    pub(super) lines: Vec<(usize, Polyline)>,
    replicas: usize,
}

impl Components {
    /// Without lines so far.
    pub(super) fn new(heading: &Heading, name: &str, replicas: usize) -> Self {
        Self { heading: heading.clone(), name: name.to_owned(), lines: Vec::new(), replicas }
    }

    /// As many as there are colours.
    fn drawn(&self) -> impl Iterator<Item = (&(usize, Polyline), ShapeStyle)> + Clone {
        self.lines.iter().zip(palette::SERIES.iter().map(|colour| colour.stroke_width(LINE)))
    }
}

impl Picture for Components {
    fn name(&self) -> &str {
        &self.name
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        let samples = || self.drawn().flat_map(|((_, line), _)| line);
        let (times, values) = (Axis::tight(samples().map(|at| at.0)), Axis::roomy(samples().map(|at| at.1)));
        self.heading.paint(area)?;
        let means = if self.replicas > 1 { format!(", means of {}", self.replicas) } else { String::new() };
        let label = format!("{}{means}", self.name.replace('_', " "));
        frame::name_vertical(area, &label, palette::INK)?;
        let entries: Vec<(Mark, String)> =
            self.drawn().map(|((number, _), style)| (Mark::Stroke(style), number.to_string())).collect();
        legend::row(area, &entries, (WIDTH as i32 - MARGIN, frame::ROW_MIDDLE))?;
        let chart = frame::chart(area, &times, &values, "layer-time t")?;
        for ((_, line), style) in self.drawn() {
            for piece in pieces(line, &values) {
                chart.plotting_area().draw(&PathElement::new(piece, style))?;
            }
        }
        Ok(())
    }
}
