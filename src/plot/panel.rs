//! Tokens at one layer-time, small: a circle, a ball or a square with dots, and nothing to explain it but the time.

use glam::DVec3;
use plotters::backend::DrawingBackend;
use plotters::element::{Circle, Rectangle};
use plotters::style::{Color, ShapeStyle};

use super::canvas::{self, Anchor, Area, Painted, Pen};
use super::dots::Dot;
use super::motion::Moment;
use super::palette;
use super::view::{View, picked};

/// Where a panel is, and how large.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) centre: (i32, i32),
    pub(super) radius: f64,
    /// The length that the radius stands for.
    pub(super) reach: f64,
    /// Dots that it has room for.
    pub(super) room: usize,
}

impl Place {
    fn at(&self, place: DVec3) -> (i32, i32) {
        let scale = self.radius / self.reach;
        (self.centre.0 + (scale * place.x).round() as i32, self.centre.1 - (scale * place.y).round() as i32)
    }
}

/// Paints the tokens at `places`, and the time below them.
pub(super) fn paint<DB: DrawingBackend>(area: &Area<DB>, view: &View, moment: &Moment, place: Place) -> Painted<DB> {
    let (radius, pen) = (place.radius as u32, ShapeStyle::from(&palette::GREY).stroke_width(5));
    match view {
        View::Circle => area.draw(&Circle::new(place.centre, radius, pen))?,
        View::Sphere(_) => {
            area.draw(&Circle::new(place.centre, radius, ShapeStyle::from(&palette::GRID.mix(0.45)).filled()))?;
            area.draw(&Circle::new(place.centre, radius, pen))?;
        }
        View::Plane(_) => {
            let corner = |sign: f64| place.at(DVec3::new(sign, -sign, 0.0) * 1.05 * place.reach);
            area.draw(&Rectangle::new([corner(-1.0), corner(1.0)], palette::GRID.stroke_width(5)))?;
        }
    }
    let mut drawn = picked(&moment.places, place.room);
    drawn.sort_by(|a, b| a.z.total_cmp(&b.z));
    let dot = Dot::among(drawn.len()).scaled(place.radius / 740.0);
    for token in drawn {
        let colour = if matches!(view, View::Sphere(_)) { palette::depth(token.z) } else { palette::BLUE };
        dot.paint(area, place.at(token), colour)?;
    }
    let below = (place.centre.0, place.centre.1 + (1.05 * place.radius) as i32 + 70);
    // Times are multiples of a step; more digits are those of the division.
    let time = (moment.time * 1e6).round() / 1e6;
    canvas::write(area, &format!("t = {time}"), below, Pen::body(palette::INK), Anchor::Centre)
}
