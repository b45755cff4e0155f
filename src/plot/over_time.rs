//! The tokens of the first replica over time: side by side, or one after the other in an animation.

use plotters::backend::DrawingBackend;

use super::canvas::{Area, HEIGHT, Heading, MARGIN, Painted, Picture, TOP, WIDTH};
use super::motion::{Moment, Motion};
use super::panel::{self, Place};
use super::view::View;

const COLUMNS: usize = 4;
const ROWS: usize = 2;
/// Moments of an animation; more would only be more of the same.
const FRAMES: usize = 240;
/// Dots in a panel and in a frame.
const SMALL: usize = 2048;
const LARGE: usize = 8192;

/// Panels side by side.
pub(super) struct OverTime<'a> {
    pub(super) heading: Heading,
    pub(super) motion: &'a Motion,
}

impl Picture for OverTime<'_> {
    fn name(&self) -> &str {
        "tokens-over-time"
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        self.heading.paint(area)?;
        let width = (WIDTH as i32 - 2 * MARGIN) / COLUMNS as i32;
        let height = (HEIGHT as i32 - TOP - 40) / ROWS as i32;
        for (index, moment) in self.motion.spread(COLUMNS * ROWS).into_iter().enumerate() {
            let (column, row) = ((index % COLUMNS) as i32, (index / COLUMNS) as i32);
            let centre = (MARGIN + width * column + width / 2, TOP + height * row + height / 2 - 50);
            let place = Place { centre, radius: 320.0, reach: self.motion.reach, room: SMALL };
            panel::paint(area, &self.motion.view, moment, place)?;
        }
        Ok(())
    }
}

/// One moment of an animation.
pub(super) struct Frame<'a> {
    heading: &'a Heading,
    view: &'a View,
    moment: &'a Moment,
    reach: f64,
}

impl<'a> Frame<'a> {
    pub(super) fn all(heading: &'a Heading, motion: &'a Motion) -> Vec<Self> {
        let frame = |moment| Frame { heading, view: &motion.view, moment, reach: motion.reach };
        motion.spread(FRAMES).into_iter().map(frame).collect()
    }
}

impl Picture for Frame<'_> {
    fn name(&self) -> &str {
        "tokens"
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        self.heading.paint(area)?;
        let place = Place { centre: (1600, 1080), radius: 700.0, reach: self.reach, room: LARGE };
        panel::paint(area, self.view, self.moment, place)
    }
}
