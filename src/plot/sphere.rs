//! Tokens on the sphere, seen from the side where most of them are. What lies behind shows palely through.

use std::f64::consts::{PI, TAU};

use glam::DVec3;
use plotters::backend::DrawingBackend;
use plotters::element::{Circle, PathElement};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::camera::Camera;
use super::canvas::{Area, HEIGHT, MARGIN, Painted};
use super::clusters::Cluster;
use super::view::Tokens;
use super::{dots, legend, palette};

const CENTRE: (i32, i32) = (1600, 1120);
const RADIUS: f64 = 740.0;
/// Meridians and parallels are this many to a half turn.
const LINES: usize = 6;
/// Straight pieces to a graticule line.
const PIECES: usize = 90;

/// Which half of the sphere is being drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Far,
    Near,
}

impl Side {
    fn of(place: &DVec3) -> Self {
        if place.z < 0.0 { Self::Far } else { Self::Near }
    }
}

pub(super) fn paint<DB: DrawingBackend>(tokens: &Tokens, camera: &Camera, area: &Area<DB>) -> Painted<DB> {
    let mut drawn = tokens.drawn.clone();
    drawn.sort_by(|a, b| a.z.total_cmp(&b.z));
    for side in [Side::Far, Side::Near] {
        paint_ball(side, area)?;
        paint_graticule(camera, side, area)?;
        for place in drawn.iter().filter(|place| Side::of(place) == side) {
            tokens.dot().paint(area, at(*place), palette::depth(place.z))?;
        }
        if side == Side::Near {
            area.draw(&Circle::new(CENTRE, RADIUS as u32, ShapeStyle::from(&palette::GREY).stroke_width(6)))?;
        }
        let clusters: Vec<Cluster> =
            tokens.clusters.iter().copied().filter(|c| Side::of(&c.centre) == side).collect();
        dots::paint_clusters(area, &clusters, tokens.count, at)?;
    }
    dots::name_clusters(area, &tokens.clusters, tokens.count, at, outwards)?;
    let mut entries = vec![
        (tokens.dot().mark(palette::depth(0.7)), "near side".to_string()),
        (tokens.dot().mark(palette::depth(-0.3)), "far side".to_string()),
    ];
    if !tokens.clusters.is_empty() {
        entries.push(dots::cluster_mark());
    }
    legend::column(area, &entries, (MARGIN, HEIGHT as i32 - 110))
}

/// The ball as a pale disc behind everything, then as a veil over what is behind.
fn paint_ball<DB: DrawingBackend>(side: Side, area: &Area<DB>) -> Painted<DB> {
    let disc = |colour: RGBColor, alpha: f64| {
        Circle::new(CENTRE, RADIUS as u32, ShapeStyle::from(&colour.mix(alpha)).filled())
    };
    match side {
        Side::Far => area.draw(&disc(palette::GRID, 0.45)),
        Side::Near => area.draw(&disc(palette::PAPER, 0.5)),
    }
}

fn paint_graticule<DB: DrawingBackend>(camera: &Camera, side: Side, area: &Area<DB>) -> Painted<DB> {
    let pen = match side {
        Side::Far => palette::GREY.mix(0.16).stroke_width(4),
        Side::Near => palette::GREY.mix(0.3).stroke_width(4),
    };
    for line in graticule() {
        let seen: Vec<DVec3> = line.into_iter().map(|place| camera.see(place)).collect();
        for piece in seen.split(|place| Side::of(place) != side).filter(|piece| piece.len() > 1) {
            area.draw(&PathElement::new(piece.iter().copied().map(at).collect::<Vec<_>>(), pen))?;
        }
    }
    Ok(())
}

/// Meridians from pole to pole and parallels between them, about the third axis.
fn graticule() -> impl Iterator<Item = Vec<DVec3>> {
    let on_sphere = |latitude: f64, longitude: f64| {
        DVec3::new(latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin())
    };
    let share = |step: usize, steps: usize| step as f64 / steps as f64;
    let meridian = move |line: usize| {
        let place = |step| on_sphere(PI * (share(step, PIECES) - 0.5), PI * share(line, LINES));
        (0..=PIECES).map(place).collect()
    };
    let parallel = move |line: usize| {
        let place = |step| on_sphere(PI * (share(line, LINES) - 0.5), TAU * share(step, PIECES));
        (0..=PIECES).map(place).collect()
    };
    (0..2 * LINES).map(meridian).chain((1..LINES).map(parallel))
}

fn at(place: DVec3) -> (i32, i32) {
    (CENTRE.0 + (RADIUS * place.x).round() as i32, CENTRE.1 - (RADIUS * place.y).round() as i32)
}

/// Words stand off away from the middle of the ball; those in the very middle stand below.
fn outwards((x, y): (i32, i32)) -> (f64, f64) {
    let (x, y) = (f64::from(x - CENTRE.0), f64::from(y - CENTRE.1));
    let length = x.hypot(y);
    if length < 1.0 { (0.0, 1.0) } else { (x / length, y / length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn north_is_up() {
        assert!(Camera::facing(DVec3::X).see(DVec3::Z).y > 0.5);
        assert!(at(DVec3::Y).1 < at(DVec3::NEG_Y).1, "canvas rows count downwards");
        assert!(at(DVec3::X).0 > at(DVec3::NEG_X).0, "a mirrored sphere has no rotation that shows it");
    }

    #[test]
    fn the_graticule_lies_on_the_sphere() {
        assert_eq!(graticule().count(), 17);
        assert!(graticule().flatten().all(|place| (place.length() - 1.0).abs() < 1e-12));
    }
}
