//! Angles of tokens on the circle over time: one line a token, broken where it passes the angle pi.

use std::f64::consts::PI;

use plotters::backend::DrawingBackend;
use plotters::element::PathElement;
use plotters::style::{Color, ShapeStyle};

use super::axis::Axis;
use super::canvas::{Area, Heading, Painted, Picture};
use super::motion::Motion;
use super::series::Polyline;
use super::view::View;
use super::{frame, palette};

/// Lines and samples of a line; more would be finer than the paper.
const TOKENS: usize = 512;
const TIMES: usize = 600;
const THIN: u32 = 6;

pub(super) struct Angles {
    heading: Heading,
    lines: Vec<Polyline>,
}

impl Angles {
    /// None where tokens are not on the circle.
    pub(super) fn of(heading: &Heading, motion: &Motion) -> Option<Self> {
        match motion.view {
            View::Circle => {}
            View::Sphere(_) | View::Plane(_) => return None,
        }
        let moments = motion.spread(TIMES);
        let places = moments.first()?.places.len();
        let (count, stride) = (motion.count, places.div_ceil(TOKENS).max(1));
        let line = |token: usize| {
            let angle = |places: &[glam::DVec3]| places[token].y.atan2(places[token].x);
            moments.iter().map(|moment| (moment.time, angle(&moment.places))).collect()
        };
        let mut heading = heading.clone();
        let lines: Vec<Polyline> = (0..places).step_by(stride).map(line).collect();
        if count > lines.len() {
            heading.caption.push_str(&format!(" · 1 in {} tokens drawn", count.div_ceil(lines.len())));
        }
        Some(Self { heading, lines })
    }

    fn pen(&self) -> ShapeStyle {
        let alpha = (4.0 / (self.lines.len() as f64).sqrt()).clamp(0.25, 1.0);
        palette::BLUE.mix(alpha).stroke_width(THIN)
    }
}

impl Picture for Angles {
    fn name(&self) -> &str {
        "angles"
    }

    fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        let times = Axis::tight(self.lines.iter().flatten().map(|sample| sample.0));
        let angles = Axis::tight([-PI, PI].into_iter());
        self.heading.paint(area)?;
        frame::name_vertical(area, "angle of a token", palette::BLUE)?;
        let chart = frame::chart(area, &times, &angles, "layer-time t")?;
        for piece in self.lines.iter().flat_map(unbroken) {
            chart.plotting_area().draw(&PathElement::new(piece, self.pen()))?;
        }
        Ok(())
    }
}

/// The pieces of a line between jumps by more than half a turn, each led on to the edge that it leaves or enters by.
fn unbroken(line: &Polyline) -> Vec<Polyline> {
    let mut pieces = vec![Polyline::new()];
    for (index, &(time, angle)) in line.iter().enumerate() {
        if let Some(&(before, last)) = index.checked_sub(1).and_then(|index| line.get(index))
            && (angle - last).abs() > PI
        {
            let edge = PI.copysign(last);
            let next = angle + 2.0 * edge;
            let crossing = before + (time - before) * ((edge - last) / (next - last)).clamp(0.0, 1.0);
            pieces.last_mut().into_iter().for_each(|piece| piece.push((crossing, edge)));
            pieces.push(vec![(crossing, -edge)]);
        }
        pieces.last_mut().into_iter().for_each(|piece| piece.push((time, angle)));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_passes_pi_comes_in_at_the_other_edge() {
        let line = vec![(0.0, 2.0), (1.0, 3.0), (2.0, 4.0 - 2.0 * PI)];
        let pieces = unbroken(&line);
        let crossing = PI - 2.0;
        assert_eq!(pieces.len(), 2);
        assert_eq!((pieces[0][2].1, pieces[1][0].1), (PI, -PI));
        for (time, _) in [pieces[0][2], pieces[1][0]] {
            assert!((time - crossing).abs() < 1e-12, "{time}");
        }
        assert_eq!(unbroken(&vec![(0.0, -3.0), (1.0, -3.1)]).len(), 1);
    }
}
