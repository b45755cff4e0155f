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
