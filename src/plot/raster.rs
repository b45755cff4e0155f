//! Pixels that agree with the SVG: words at the same height, and lines that cover what they cross.
//!
//! plotters hangs the letters of a bitmap on another line than those of an SVG, about a tenth of their size higher,
//! so that tick labels would sit above their ticks in one of the two files. And it fills a thick line as one polygon,
//! which leaves holes wherever a noisy line overlaps itself. This backend lowers the words, strokes lines pixel by
//! pixel, and leaves the rest to the bitmap backend.

use glam::DVec2;
use plotters::backend::BitMapBackend;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
};

/// By how much of the font size letters are lowered. An SVG puts the base line of centred text 0.5 ex below the
/// centre, which is 0.22 of the size; the bitmap puts it 0.10 below.
const LOWERED: f64 = 0.12;

type Drawn<'a> = Result<(), DrawingErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>>;

pub(super) struct Raster<'a>(BitMapBackend<'a>);

impl<'a> Raster<'a> {
    /// Paints into `pixels`, three bytes a pixel, of which there must be width x height.
    pub(super) fn new(pixels: &'a mut [u8], size: (u32, u32)) -> Self {
        Self(BitMapBackend::with_buffer(pixels, size))
    }
}

impl<'a> DrawingBackend for Raster<'a> {
    type ErrorType = <BitMapBackend<'a> as DrawingBackend>::ErrorType;

    fn get_size(&self) -> (u32, u32) {
        self.0.get_size()
    }

    fn ensure_prepared(&mut self) -> Drawn<'a> {
        self.0.ensure_prepared()
    }

    fn present(&mut self) -> Drawn<'a> {
        self.0.present()
    }

    fn draw_pixel(&mut self, at: BackendCoord, colour: BackendColor) -> Drawn<'a> {
        self.0.draw_pixel(at, colour)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn<'a> {
        self.0.draw_line(from, to, style)
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn<'a> {
        self.0.draw_rect(from, to, style, fill)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn<'a> {
        let corners: Vec<BackendCoord> = path.into_iter().collect();
        let (width, height) = self.get_size();
        // A translucent line has one strength all along, so each pixel is painted once.
        let mut covered = vec![false; (width * height) as usize];
        for ends in corners.windows(2) {
            for (x, y) in stroke(ends[0], ends[1], f64::from(style.stroke_width()) / 2.0) {
                if x < 0 || y < 0 || x as u32 >= width || y as u32 >= height {
                    continue;
                }
                let pixel = y as usize * width as usize + x as usize;
                if !std::mem::replace(&mut covered[pixel], true) {
                    self.0.draw_pixel((x, y), style.color())?;
                }
            }
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn<'a> {
        let lowered = (style.size() * LOWERED).round() as i32;
        self.0.draw_text(text, style, (x, y + lowered))
    }
}

/// The pixels within `reach` of the segment between two pixels.
fn stroke(from: BackendCoord, to: BackendCoord, reach: f64) -> impl Iterator<Item = BackendCoord> {
    let point = |(x, y): BackendCoord| DVec2::new(f64::from(x), f64::from(y));
    let (start, along) = (point(from), point(to) - point(from));
    let rows = (from.1.min(to.1) - reach as i32)..=(from.1.max(to.1) + reach as i32);
    rows.flat_map(move |row| {
        // Only the part of the segment within reach of this row matters to it.
        let share = |y: f64| ((y - start.y) / along.y).clamp(0.0, 1.0);
        let level = along.y == 0.0;
        let a = if level { 0.0 } else { share(f64::from(row) - reach) };
        let b = if level { 1.0 } else { share(f64::from(row) + reach) };
        let (a, b) = (start.x + a * along.x, start.x + b * along.x);
        let columns = (a.min(b) - reach).floor() as i32..=(a.max(b) + reach).ceil() as i32;
        columns.map(move |column| (column, row)).filter(move |&pixel| {
            let offset = point(pixel) - start;
            let nearest = (offset.dot(along) / along.length_squared().max(1.0)).clamp(0.0, 1.0);
            (offset - nearest * along).length_squared() <= reach * reach
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::font;
    use plotters::drawing::IntoDrawingArea;
    use plotters::element::PathElement;
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    use plotters::style::{BLACK, Color, IntoFont, IntoTextStyle, WHITE};

    /// Every pixel of a wide box, tested for its distance.
    fn stroke_by_search(from: BackendCoord, to: BackendCoord, reach: f64) -> Vec<BackendCoord> {
        let distance = |(x, y): BackendCoord| {
            let steps = 2000;
            let near = (0..=steps).map(|step| {
                let share = f64::from(step) / f64::from(steps);
                let across = f64::from(x - from.0) - share * f64::from(to.0 - from.0);
                across.hypot(f64::from(y - from.1) - share * f64::from(to.1 - from.1))
            });
            near.fold(f64::INFINITY, f64::min)
        };
        let pixels = (-40..80).flat_map(|y| (-40..80).map(move |x| (x, y)));
        pixels.filter(|&pixel| distance(pixel) <= reach + 1e-6).collect()
    }

    #[test]
    fn a_stroke_covers_what_is_within_its_reach() {
        for (from, to) in
            [((0, 0), (30, 0)), ((5, 40), (5, -9)), ((0, 0), (31, 17)), ((20, 3), (18, 44)), ((7, 7), (7, 7))]
        {
            // No pixel is at this very distance from any of the segments, so rounding decides nothing.
            let reach = 6.9;
            let drawn: Vec<BackendCoord> = stroke(from, to, reach).collect();
            assert_eq!(drawn, stroke_by_search(from, to, reach), "{from:?} to {to:?}");
        }
    }

    #[test]
    fn a_line_that_overlaps_itself_has_no_holes() {
        let side = 100;
        let mut pixels = vec![255; side * side * 3];
        {
            let area = Raster::new(&mut pixels, (side as u32, side as u32)).into_drawing_area();
            let zigzag = (0..20).map(|k| (20 + 3 * k, if k % 2 == 0 { 45 } else { 55 })).collect::<Vec<_>>();
            area.draw(&PathElement::new(zigzag, Color::stroke_width(&BLACK.mix(0.5), 10))).expect("a line");
        }
        // The middle of the zigzag is crossed twenty times and yet of one grey.
        let middle: Vec<u8> = (22..76).map(|column| pixels[(50 * side + column) * 3]).collect();
        assert!(middle.iter().all(|&grey| grey == middle[0] && (126..=129).contains(&grey)), "{middle:?}");
    }

    #[test]
    fn centred_digits_stand_where_an_svg_has_them() {
        assert!(font::register());
        let (side, size) = (400, 200);
        let mut pixels = vec![0; side * side * 3];
        {
            let area = Raster::new(&mut pixels, (side as u32, side as u32)).into_drawing_area();
            area.fill(&WHITE).expect("white paper");
            let style = (font::FAMILY, size).into_font().color(&BLACK.to_rgba());
            let style = style.pos(Pos::new(HPos::Center, VPos::Center)).into_text_style(&area);
            area.draw_text("0", &style, (200, 200)).expect("a digit");
        }
        let inked = |row: &usize| pixels[row * side * 3..(row + 1) * side * 3].iter().any(|&byte| byte < 128);
        let rows: Vec<usize> = (0..side).filter(inked).collect();
        let lowest = *rows.last().expect("a digit has ink");
        // The SVG has the base line 0.5 ex below the centre; an ex of DejaVu Sans is 0.547 of its em, size / 1.24.
        let base = 200.0 + 0.5 * 0.547 * f64::from(size) / 1.24;
        assert!((lowest as f64 - base).abs() < 8.0, "the digit ends at row {lowest}, not at {base}");
    }
}
