//! Tokens on the unit circle, with bars outside it that count them: where dots overlap, only counting helps.

use std::f64::consts::TAU;

use glam::DVec3;
use plotters::backend::DrawingBackend;
use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::{Color, ShapeStyle};

use super::canvas::{self, Anchor, Area, Painted, Pen};
use super::legend::{self, Mark};
use super::view::{ARCS, Tokens};
use super::{dots, palette};

const CENTRE: (i32, i32) = (1600, 1150);
const RADIUS: f64 = 600.0;
/// Bars grow outwards from here, in units of the radius, by at most `TALLEST`.
const FOOT: f64 = 1.06;
const TALLEST: f64 = 0.28;
/// Fewer tokens than this can be counted by eye.
const COUNTABLE: usize = 128;

pub(super) fn paint<DB: DrawingBackend>(tokens: &Tokens, area: &Area<DB>) -> Painted<DB> {
    let radius = RADIUS as u32;
    for (from, to, name) in [(-DVec3::X, DVec3::X, "x₁"), (-DVec3::Y, DVec3::Y, "x₂")] {
        area.draw(&PathElement::new(vec![at(from), at(to)], palette::GRID.stroke_width(5)))?;
        let beside = 0.07 * DVec3::new(to.y, -to.x, 0.0);
        canvas::write(area, name, at(0.5 * to + beside), Pen::body(palette::GREY), Anchor::Centre)?;
    }
    area.draw(&Circle::new(CENTRE, radius, ShapeStyle::from(&palette::GREY.mix(0.5)).stroke_width(5)))?;
    let mut entries = Vec::new();
    if tokens.count >= COUNTABLE {
        paint_bars(tokens, area)?;
        entries.push((Mark::Disc(bar(), 30), format!("tokens in each of {ARCS} arcs")));
    }
    let dot = tokens.dot();
    for place in &tokens.drawn {
        dot.paint(area, at(*place), palette::BLUE)?;
    }
    if !tokens.clusters.is_empty() {
        entries.push(dots::cluster_mark());
    }
    dots::paint_clusters(area, &tokens.clusters, tokens.count, at)?;
    dots::name_clusters(area, &tokens.clusters, tokens.count, at, |(x, y)| {
        // Words stand inside, where there are no bars.
        (f64::from(CENTRE.0 - x) / RADIUS, f64::from(CENTRE.1 - y) / RADIUS)
    })?;
    legend::column(area, &entries, (canvas::MARGIN, canvas::HEIGHT as i32 - 110))
}

fn bar() -> plotters::style::RGBAColor {
    palette::BLUE.mix(0.3)
}

fn paint_bars<DB: DrawingBackend>(tokens: &Tokens, area: &Area<DB>) -> Painted<DB> {
    let most = tokens.arcs.iter().copied().max().unwrap_or(1).max(1);
    for (arc, &count) in tokens.arcs.iter().enumerate().filter(|(_, count)| **count > 0) {
        let top = FOOT + TALLEST * count as f64 / most as f64;
        let angle = |edge: f64| TAU * (arc as f64 + edge) / ARCS as f64;
        let corner = |edge: f64, radius: f64| at(radius * DVec3::new(angle(edge).cos(), angle(edge).sin(), 0.0));
        let corners = vec![corner(0.08, FOOT), corner(0.08, top), corner(0.92, top), corner(0.92, FOOT)];
        area.draw(&Polygon::new(corners, bar()))?;
    }
    Ok(())
}

fn at(place: DVec3) -> (i32, i32) {
    (CENTRE.0 + (RADIUS * place.x).round() as i32, CENTRE.1 - (RADIUS * place.y).round() as i32)
}
