//! Tokens in many dimensions along their two leading principal directions, both axes to one scale.

use glam::DVec3;
use plotters::backend::DrawingBackend;

use super::axis::{Axis, Scale, round_ticks};
use super::canvas::{self, Area, MARGIN, Painted};
use super::dots::percent;
use super::view::Tokens;
use super::{dots, frame, legend, palette};

pub(super) fn paint<DB: DrawingBackend>(tokens: &Tokens, shares: [f64; 2], area: &Area<DB>) -> Painted<DB> {
    let [first, second] = shares.map(percent);
    let (x, y) = axes(tokens.bounds);
    frame::name_vertical(area, &format!("principal direction 2, {second} of the variance"), palette::INK)?;
    let chart = frame::chart(area, &x, &y, &format!("principal direction 1, {first} of the variance"))?;
    let at = |place: DVec3| chart.plotting_area().map_coordinate(&(place.x, place.y));
    let dot = tokens.dot();
    for place in &tokens.drawn {
        dot.paint(area, at(*place), palette::BLUE)?;
    }
    if tokens.clusters.is_empty() {
        return Ok(());
    }
    dots::paint_clusters(area, &tokens.clusters, tokens.count, at)?;
    dots::name_clusters(area, &tokens.clusters, tokens.count, at, |_| (0.0, -1.0))?;
    legend::row(area, &[dots::cluster_mark()], (canvas::WIDTH as i32 - MARGIN, frame::ROW_MIDDLE))
}

/// Axes through the middle of the box around the tokens on which a unit has one length in both directions.
fn axes(bounds: Option<(DVec3, DVec3)>) -> (Axis, Axis) {
    let (low, high) = bounds.unwrap_or((DVec3::ZERO, DVec3::ZERO));
    let middle = (low + high) / 2.0;
    let mut half = 1.1 * (high - low) / 2.0;
    if half.max_element() == 0.0 {
        half = DVec3::ONE;
    }
    let linear =
        |low: f64, high: f64, count| Axis { scale: Scale::Linear, low, high, ticks: round_ticks(low, high, count) };
    // Half the width is near enough to learn how wide the tick labels are, which the aspect depends on.
    let guess = half.y.max(half.x / 2.0);
    let (width, height) = frame::inside(&linear(middle.y - guess, middle.y + guess, 7));
    let aspect = width / height;
    let tall = half.y.max(half.x / aspect);
    let wide = tall * aspect;
    (linear(middle.x - wide, middle.x + wide, 10), linear(middle.y - tall, middle.y + tall, 7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_axes_have_one_scale_and_hold_every_token() {
        let clouds = [
            vec![DVec3::new(-3.0, 1.0, 0.0), DVec3::new(5.0, 1.5, 0.0)],
            vec![DVec3::new(0.1, -7.0, 0.0), DVec3::new(0.2, 2.0, 0.0)],
            vec![DVec3::ONE],
            vec![],
        ];
        for places in clouds {
            let bounds = places.iter().map(|p| (*p, *p)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
            let (x, y) = axes(bounds);
            let (width, height) = frame::inside(&y);
            let stretch = (x.high - x.low) / width / ((y.high - y.low) / height);
            // The tick labels are measured on a neighbouring axis, whose labels may be a sign or a digit wider.
            assert!((stretch - 1.0).abs() < 0.03, "{places:?}: {stretch}");
            for place in places {
                assert!((x.low..x.high).contains(&place.x) && (y.low..y.high).contains(&place.y), "{place} is off");
            }
        }
    }
}
