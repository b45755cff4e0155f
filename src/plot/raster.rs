//! Pixels, with words at the height where an SVG has them.
//!
//! plotters hangs the letters of a bitmap on another line than those of an SVG, about a tenth of their size higher,
//! so that tick labels would sit above their ticks in one of the two files. This backend lowers them and leaves the
//! rest to the bitmap backend.

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

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn<'a> {
        let lowered = (style.size() * LOWERED).round() as i32;
        self.0.draw_text(text, style, (x, y + lowered))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::font;
    use plotters::drawing::IntoDrawingArea;
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    use plotters::style::{BLACK, Color, IntoFont, IntoTextStyle, WHITE};

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
