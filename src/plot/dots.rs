//! Tokens as dots and clusters as discs, wherever a view puts them.

use glam::DVec3;
use plotters::backend::DrawingBackend;
use plotters::element::{Circle, Rectangle};
use plotters::style::{Color, RGBAColor, RGBColor, ShapeStyle};

use super::canvas::{self, Anchor, Area, BODY, Painted, Pen};
use super::clusters::Cluster;
use super::legend::Mark;
use super::palette;

/// The radius of a disc that stands for all tokens.
const ALL: f64 = 150.0;
/// Clusters that are named; more words than this cover what they name.
const NAMED: usize = 12;

/// The size and strength of a dot when so many are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Dot {
    pub(super) radius: u32,
    pub(super) alpha: f64,
}

impl Dot {
    /// Many dots are small and let one another show through, few are large and solid.
    pub(super) fn among(count: usize) -> Self {
        let crowd = count as f64 / 64.0;
        Self {
            radius: (20.0 * crowd.powf(-0.26)).clamp(4.0, 20.0).round() as u32,
            alpha: (0.95 * crowd.powf(-0.07)).clamp(0.5, 0.95),
        }
    }

    /// The same in a picture of another size.
    pub(super) fn scaled(self, factor: f64) -> Self {
        Self { radius: (f64::from(self.radius) * factor).round().max(4.0) as u32, ..self }
    }

    pub(super) fn paint<DB: DrawingBackend>(self, area: &Area<DB>, at: (i32, i32), colour: RGBColor) -> Painted<DB> {
        area.draw(&Circle::new(at, self.radius, ShapeStyle::from(&colour.mix(self.alpha)).filled()))
    }

    pub(super) fn mark(self, colour: RGBColor) -> Mark {
        Mark::Disc(colour.mix(self.alpha), self.radius.max(10))
    }
}

/// The legend of clusters.
pub(super) fn cluster_mark() -> (Mark, String) {
    (Mark::Disc(halo(), 36), "cluster, % of tokens".into())
}

fn halo() -> RGBAColor {
    palette::CLUSTER.mix(0.35)
}

/// Draws each cluster as a disc whose area is its share of `count` tokens. `place` takes a cluster to the canvas.
pub(super) fn paint_clusters<DB: DrawingBackend>(
    area: &Area<DB>,
    clusters: &[Cluster],
    count: usize,
    place: impl Fn(DVec3) -> (i32, i32),
) -> Painted<DB> {
    for cluster in clusters {
        let (at, radius) = (place(cluster.centre), radius(cluster.count, count) as u32);
        area.draw(&Circle::new(at, radius, ShapeStyle::from(&halo()).filled()))?;
        area.draw(&Circle::new(at, radius, ShapeStyle::from(&palette::CLUSTER).stroke_width(5)))?;
    }
    Ok(())
}

/// Names the largest clusters with their shares of `count` tokens; `aside` is the direction in which words stand off.
pub(super) fn name_clusters<DB: DrawingBackend>(
    area: &Area<DB>,
    clusters: &[Cluster],
    count: usize,
    place: impl Fn(DVec3) -> (i32, i32),
    aside: impl Fn((i32, i32)) -> (f64, f64),
) -> Painted<DB> {
    let mut named: Vec<(i32, i32)> = Vec::new();
    for cluster in clusters {
        let at = place(cluster.centre);
        let text = percent(cluster.count as f64 / count as f64);
        let half = canvas::text_width(&text, BODY) / 2;
        let words = around(aside(at)).map(|(x, y)| {
            // How far the box of the words reaches back towards the disc, and a little air.
            let away = radius(cluster.count, count) + f64::from(half) * x.abs() + 34.0 * y.abs() + 24.0;
            (at.0 + (x * away) as i32, at.1 + (y * away) as i32)
        });
        let clear = |words: &&(i32, i32)| {
            words.1 + 34 < canvas::HEIGHT as i32 && named.iter().all(|other| apart(**words, *other))
        };
        let Some(&words) = words.iter().find(clear).filter(|_| named.len() < NAMED) else { continue };
        let corners = [(words.0 - half - 10, words.1 - 34), (words.0 + half + 10, words.1 + 34)];
        area.draw(&Rectangle::new(corners, palette::PAPER.mix(0.7).filled()))?;
        canvas::write(area, &text, words, Pen::body(palette::INK), Anchor::Centre)?;
        named.push(words);
    }
    Ok(())
}

fn radius(tokens: usize, count: usize) -> f64 {
    (ALL * (tokens as f64 / count as f64).sqrt()).max(14.0)
}

/// A direction, the opposite one, and the two across, for words that find their first place taken.
fn around((x, y): (f64, f64)) -> [(f64, f64); 4] {
    [(x, y), (-x, -y), (-y, x), (y, -x)]
}

/// Whether two shares can stand at these places without touching.
fn apart(a: (i32, i32), b: (i32, i32)) -> bool {
    (a.0 - b.0).abs() > 220 || (a.1 - b.1).abs() > 80
}

/// A share in percent, with a decimal only where it matters.
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent >= 10.0 || percent == 0.0 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_shrink_and_fade_as_they_become_many() {
        let dots: Vec<Dot> = [1, 64, 512, 4096, 16384].map(Dot::among).into();
        assert!(
            dots.windows(2).all(|pair| pair[0].radius >= pair[1].radius && pair[0].alpha >= pair[1].alpha),
            "{dots:?}"
        );
        assert!(dots[0].radius >= 4 * dots[4].radius, "{dots:?}");
    }

    #[test]
    fn shares_are_rounded_for_reading() {
        assert_eq!([1.0, 0.337, 0.0214, 0.0].map(percent), ["100 %", "34 %", "2.1 %", "0 %"]);
    }
}
