//! Paper and pen: one canvas, painted twice, once as SVG and once as pixels, so that both files show the same picture.
//!
//! Everything is measured in canvas units, four to a pixel of a picture 800 pixels wide. The SVG keeps the units; the
//! PNG is painted at that size and then reduced by two, which smooths what plotters draws with hard edges. Pictures
//! wait in temporary files until all of them are done.

use std::io;
use std::path::{Path, PathBuf};

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{IntoFont, IntoTextStyle, RGBColor};
use tempfile::TempPath;

use super::error::PlotError;
use super::raster::Raster;
use super::{font, palette};

pub(super) const WIDTH: u32 = 3200;
pub(super) const HEIGHT: u32 = 2000;
/// Where words begin, left and right.
pub(super) const MARGIN: i32 = 120;
/// Where the heading ends and the picture begins.
pub(super) const TOP: i32 = 320;

pub(super) const TITLE: u32 = 104;
pub(super) const BODY: u32 = 68;
/// Of captions that are longer than two lines.
const FINE: u32 = 50;
/// Above a caption.
const CAPTION: i32 = 188;
/// Between the lines of a caption.
const LEADING: u32 = 2;

pub(super) type Area<'a, DB> = DrawingArea<DB, Shift>;
pub(super) type Painted<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Something that can be painted on either kind of paper.
pub(super) trait Picture {
    /// The name of its files, without the ending.
    fn name(&self) -> &str;
    fn paint<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>) -> Painted<DB>;
}

/// A finished picture under a temporary name in the run folder; dropped unpublished, it vanishes.
pub(super) struct Finished {
    file: TempPath,
    path: PathBuf,
}

impl Finished {
    /// Gives the picture its own name in one step, so that no reader ever sees half of it.
    pub(super) fn publish(self) -> Result<PathBuf, PlotError> {
        match self.file.persist(&self.path) {
            Ok(()) => Ok(self.path),
            Err(error) => Err(PlotError::Write { path: self.path, source: error.error }),
        }
    }
}

/// Paints `picture` for the folder `dir`, as SVG and as PNG.
pub(super) fn finish(dir: &Path, picture: &impl Picture) -> Result<[Finished; 2], PlotError> {
    if !font::register() {
        let path = dir.join(picture.name());
        return Err(PlotError::Draw { path, reason: "the embedded font cannot be read".into() });
    }
    Ok([finish_svg(dir, picture)?, finish_png(dir, picture)?])
}

fn finish_svg(dir: &Path, picture: &impl Picture) -> Result<Finished, PlotError> {
    let finished = temporary(dir, picture.name(), ".svg")?;
    let svg = svg(picture).map_err(|reason| PlotError::Draw { path: finished.path.clone(), reason })?;
    std::fs::write(&finished.file, svg).map_err(|source| PlotError::Write { path: finished.path.clone(), source })?;
    Ok(finished)
}

fn svg(picture: &impl Picture) -> Result<String, String> {
    let mut text = String::new();
    paint(SVGBackend::with_string(&mut text, (WIDTH, HEIGHT)), picture)?;
    // The view box keeps the canvas units; the outer size is what a page shows when it names none. Strokes have round
    // ends and corners, as those of the PNG have.
    let canvas = format!("width=\"{WIDTH}\" height=\"{HEIGHT}\"");
    let round = "stroke-linecap=\"round\" stroke-linejoin=\"round\"";
    Ok(text.replacen(&canvas, &format!("width=\"{}\" height=\"{}\" {round}", WIDTH / 4, HEIGHT / 4), 1))
}

fn finish_png(dir: &Path, picture: &impl Picture) -> Result<Finished, PlotError> {
    let finished = temporary(dir, picture.name(), ".png")?;
    let pixels = pixels(picture).map_err(|reason| PlotError::Draw { path: finished.path.clone(), reason })?;
    let mut file = BitMapBackend::new(&finished.file, (WIDTH / 2, HEIGHT / 2));
    file.blit_bitmap((0, 0), (WIDTH / 2, HEIGHT / 2), &halved(&pixels, WIDTH))
        .and_then(|()| file.present())
        .map_err(|error| PlotError::Write {
            path: finished.path.clone(),
            source: io::Error::other(error.to_string()),
        })?;
    drop(file);
    Ok(finished)
}

/// Milliseconds that a frame of an animation is seen.
const DELAY: u32 = 60;
/// How long the last frame is seen before the first comes back, in frames.
const REST: usize = 20;

/// Paints `frames` one after the other, as a GIF of a quarter of the canvas in each direction.
pub(super) fn animate(dir: &Path, frames: &[impl Picture]) -> Result<Finished, PlotError> {
    let name = frames.first().map_or("animation", Picture::name);
    let finished = temporary(dir, name, ".gif")?;
    let unregistered = || "the embedded font cannot be read".to_string();
    let drawn = |reason: String| PlotError::Draw { path: finished.path.clone(), reason };
    font::register().then_some(()).ok_or_else(unregistered).map_err(drawn)?;
    let size = (WIDTH / 4, HEIGHT / 4);
    let failed = |error: &dyn std::fmt::Display| PlotError::Write {
        path: finished.path.clone(),
        source: io::Error::other(error.to_string()),
    };
    let mut file = BitMapBackend::gif(&finished.file, size, DELAY).map_err(|error| failed(&error))?;
    for (index, frame) in frames.iter().enumerate() {
        let small = halved(&halved(&pixels(frame).map_err(drawn)?, WIDTH), WIDTH / 2);
        for _ in 0..if index + 1 == frames.len() { REST } else { 1 } {
            file.blit_bitmap((0, 0), size, &small).and_then(|()| file.present()).map_err(|error| failed(&error))?;
        }
    }
    drop(file);
    Ok(finished)
}

/// The picture in pixels, one to a canvas unit.
fn pixels(picture: &impl Picture) -> Result<Vec<u8>, String> {
    let mut pixels = vec![0; (WIDTH * HEIGHT * 3) as usize];
    paint(Raster::new(&mut pixels, (WIDTH, HEIGHT)), picture)?;
    Ok(pixels)
}

/// Random letters of the name of a temporary file.
const RANDOM: usize = 6;

fn temporary(dir: &Path, name: &str, ending: &str) -> Result<Finished, PlotError> {
    let path = dir.join(format!("{name}{ending}"));
    let prefix = format!(".{name}-");
    remove_left(dir, &prefix, ending);
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(ending).rand_bytes(RANDOM);
    // A temporary file is private by default; a picture is as public as the umask lets any new file be.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    match builder.tempfile_in(dir) {
        Ok(file) => Ok(Finished { file: file.into_temp_path(), path }),
        Err(source) => Err(PlotError::Write { path, source }),
    }
}

/// Removes temporary files of this picture that a process has left which was killed; nobody else draws.
fn remove_left(dir: &Path, prefix: &str, ending: &str) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(prefix)?.strip_suffix(ending));
        if random.is_some_and(|random| random.len() == RANDOM && random.chars().all(char::is_alphanumeric)) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn paint<DB: DrawingBackend>(backend: DB, picture: &impl Picture) -> Result<(), String> {
    let area = backend.into_drawing_area();
    area.fill(&palette::PAPER)
        .and_then(|()| picture.paint(&area))
        .and_then(|()| area.present())
        .map_err(|error| error.to_string())
}

/// The mean of every square of two by two pixels, of a picture of that width.
fn halved(pixels: &[u8], width: u32) -> Vec<u8> {
    let row = width as usize * 3;
    let mut small = Vec::with_capacity(pixels.len() / 4);
    for pair in pixels.chunks_exact(2 * row) {
        let (upper, lower) = pair.split_at(row);
        for (upper, lower) in upper.chunks_exact(6).zip(lower.chunks_exact(6)) {
            small.extend((0..3).map(|colour| {
                let sum: u16 = [upper[colour], upper[colour + 3], lower[colour], lower[colour + 3]]
                    .iter()
                    .map(|&value| u16::from(value))
                    .sum();
                // Four bytes average to a byte.
                ((sum + 2) / 4) as u8
            }));
        }
    }
    small
}

/// How text is written.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    /// In canvas units.
    pub(super) size: u32,
    pub(super) colour: RGBColor,
}

impl Pen {
    pub(super) fn body(colour: RGBColor) -> Self {
        Self { size: BODY, colour }
    }
}

/// Where a piece of text hangs on its position.
#[derive(Clone, Copy)]
pub(super) enum Anchor {
    TopLeft,
    MiddleLeft,
    Centre,
}

/// Writes one line of text.
pub(super) fn write<DB: DrawingBackend>(
    area: &Area<DB>,
    text: &str,
    at: (i32, i32),
    pen: Pen,
    anchor: Anchor,
) -> Painted<DB> {
    let (horizontal, vertical) = match anchor {
        Anchor::TopLeft => (HPos::Left, VPos::Top),
        Anchor::MiddleLeft => (HPos::Left, VPos::Center),
        Anchor::Centre => (HPos::Center, VPos::Center),
    };
    let style = (font::FAMILY, pen.size).into_font().color(&pen.colour).pos(Pos::new(horizontal, vertical));
    area.draw_text(text, &style.into_text_style(area), at)
}

/// The width of a line of text, in canvas units.
pub(super) fn text_width(text: &str, size: u32) -> i32 {
    // Only an unregistered font has no size, and then `finish` has already refused.
    (font::FAMILY, size).into_font().box_size(text).map_or(0, |(width, _)| width as i32)
}

/// The heading that all pictures share: what ran, with which numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heading {
    pub(super) title: String,
    pub(super) caption: String,
}

impl Heading {
    pub(super) fn paint<DB: DrawingBackend>(&self, area: &Area<DB>) -> Painted<DB> {
        let width = WIDTH as i32 - 2 * MARGIN;
        let title = shortened(&self.title, TITLE, width);
        write(area, &title, (MARGIN, 64), Pen { size: TITLE, colour: palette::INK }, Anchor::TopLeft)?;
        let (size, lines) = caption_lines(&self.caption, width);
        for (index, line) in (0..).zip(&lines) {
            let top = CAPTION + index * (size + LEADING) as i32;
            write(area, line, (MARGIN, top), Pen { size, colour: palette::GREY }, Anchor::TopLeft)?;
        }
        Ok(())
    }
}

/// The lines of a caption and their size: at most two, or at most three smaller ones where it is longer.
fn caption_lines(text: &str, width: i32) -> (u32, Vec<String>) {
    let lines = wrapped(text, BODY, width);
    if lines.len() <= 2 {
        return (BODY, lines);
    }
    let mut lines = wrapped(text, FINE, width);
    if lines.len() > 3 {
        let rest = lines.split_off(2).join(" ");
        lines.push(shortened(&rest, FINE, width));
    }
    (FINE, lines)
}

/// A text of words on as many lines as it takes.
fn wrapped(text: &str, size: u32, width: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match (lines.last_mut(), longer) {
            (Some(line), Some(longer)) if text_width(&longer, size) <= width => *line = longer,
            _ => lines.push(shortened(word, size, width)),
        }
    }
    lines
}

/// A long name must not run off the paper: what does not fit becomes an ellipsis.
pub(super) fn shortened(text: &str, size: u32, width: i32) -> String {
    let mut kept: Vec<char> = text.chars().collect();
    let mut line = text.to_string();
    while text_width(&line, size) > width && !kept.is_empty() {
        kept.pop();
        line = kept.iter().collect::<String>() + "…";
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_title_is_shortened_until_it_fits() {
        assert!(font::register());
        let short = shortened(&"clusters ".repeat(40), TITLE, 2000);
        assert!(short.ends_with('…') && text_width(&short, TITLE) <= 2000, "{short}");
        assert!(text_width(&short, TITLE) > 1800, "no more is cut than must be");
        assert_eq!(shortened("clusters", TITLE, 2000), "clusters");
    }

    #[test]
    fn a_long_caption_goes_on_below() {
        assert!(font::register());
        assert_eq!(caption_lines("clusters merge", 2000), (BODY, vec!["clusters merge".to_owned()]));
        for (count, expected) in [(5, (BODY, 2)), (13, (FINE, 3))] {
            let text = vec!["clusters merge"; count].join(" ");
            let (size, lines) = caption_lines(&text, 2000);
            assert_eq!((size, lines.len()), expected);
            assert!(lines.iter().all(|line| text_width(line, size) <= 2000), "{lines:?}");
            assert_eq!(lines.join(" "), text);
        }
        let (_, lines) = caption_lines(&"clusters merge ".repeat(50), 2000);
        assert!(lines.len() == 3 && lines[2].ends_with('…'), "{lines:?}");
    }

    #[test]
    fn what_the_laws_of_papers_say_is_shown_whole_above_the_chart() {
        assert!(font::register());
        for paper in crate::papers::catalogue().expect("good papers") {
            for law in paper.laws {
                let (size, lines) = caption_lines(&law.says, WIDTH as i32 - 2 * MARGIN);
                assert_eq!(lines.join(" "), law.says, "{}", law.name);
                let end = CAPTION + lines.len() as i32 * (size + LEADING) as i32;
                // The letters of the row below begin somewhat lower than it does.
                assert!(end < TOP + 28, "{}: {end}", law.name);
            }
        }
    }

    #[test]
    fn halving_averages_each_square_of_pixels() {
        let mut pixels = vec![0; (WIDTH * HEIGHT * 3) as usize];
        let row = WIDTH as usize * 3;
        // The second square from the left: red 100, 200 above; 0, 40 below.
        (pixels[6], pixels[9], pixels[row + 9]) = (100, 200, 40);
        let small = halved(&pixels, WIDTH);
        assert_eq!(small.len() * 4, pixels.len());
        assert_eq!(small[..6], [0, 0, 0, 85, 0, 0]);
        assert!(small[6..].iter().all(|&value| value == 0));
    }
}
