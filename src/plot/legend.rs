//! What the marks mean: a sample of each beside its words.

use plotters::backend::DrawingBackend;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::element::{Circle, PathElement, Rectangle};
use plotters::style::{Color, RGBAColor, ShapeStyle};

use super::canvas::{self, Anchor, Area, BODY, Painted, Pen};
use super::palette;

/// The width that a sample takes.
const SAMPLE: i32 = 120;
/// Between a sample and its words.
const GAP: i32 = 36;
pub(super) const BETWEEN: i32 = 90;
/// Where the words of an entry begin.
pub(super) const WORDS: i32 = SAMPLE + GAP;
/// From an entry to the one below it.
const BELOW: i32 = 110;

#[derive(Clone, Copy)]
pub(super) enum Mark {
    Stroke(ShapeStyle),
    /// A disc of a radius.
    Disc(RGBAColor, u32),
}

/// Entries side by side, ending at `right`.
pub(super) fn row<DB: DrawingBackend>(
    area: &Area<DB>,
    entries: &[(Mark, String)],
    (right, middle): (i32, i32),
) -> Painted<DB> {
    let mut right = right;
    for (mark, text) in entries.iter().rev() {
        let left = right - canvas::text_width(text, BODY) - GAP - SAMPLE;
        entry(area, *mark, text, (left, middle))?;
        right = left - BETWEEN;
    }
    Ok(())
}

/// The width of entries side by side.
pub(super) fn row_width(entries: &[(Mark, String)]) -> i32 {
    let widths = entries.iter().map(|(_, text)| SAMPLE + GAP + canvas::text_width(text, BODY));
    widths.sum::<i32>() + BETWEEN * (entries.len() as i32 - 1)
}

/// Entries in as many columns of one width as there is room for, and the height that they take.
pub(super) fn rows<DB: DrawingBackend>(
    area: &Area<DB>,
    entries: &[(Mark, String)],
    (left, top): (i32, i32),
    width: i32,
) -> Result<i32, DrawingAreaErrorKind<DB::ErrorType>> {
    let columns = (width / size(entries).0).clamp(1, entries.len().max(1) as i32);
    let rows = (entries.len() as i32 + columns - 1) / columns;
    for (index, (mark, text)) in (0..).zip(entries) {
        let (column, row) = (index / rows, index % rows);
        entry(area, *mark, text, (left + column * (width / columns), top + row * BELOW + BELOW / 2))?;
    }
    Ok(rows * BELOW)
}

/// Width and height of entries below one another on paper of their own.
pub(super) fn size(entries: &[(Mark, String)]) -> (i32, i32) {
    let widest = entries.iter().map(|(_, text)| canvas::text_width(text, BODY)).max().unwrap_or(0);
    (SAMPLE + GAP + widest + 40, BELOW * entries.len() as i32)
}

/// Entries below one another on paper of their own, which shows what it covers palely.
pub(super) fn block<DB: DrawingBackend>(
    area: &Area<DB>,
    entries: &[(Mark, String)],
    (left, top): (i32, i32),
) -> Painted<DB> {
    let (width, height) = size(entries);
    let corners = [(left - 20, top), (left + width - 20, top + height)];
    area.draw(&Rectangle::new(corners, palette::PAPER.mix(0.8).filled()))?;
    column(area, entries, (left, top + height - BELOW / 2))
}

/// Entries below one another, the lowest at `lowest`.
pub(super) fn column<DB: DrawingBackend>(
    area: &Area<DB>,
    entries: &[(Mark, String)],
    (left, lowest): (i32, i32),
) -> Painted<DB> {
    for (above, (mark, text)) in entries.iter().rev().enumerate() {
        entry(area, *mark, text, (left, lowest - BELOW * above as i32))?;
    }
    Ok(())
}

fn entry<DB: DrawingBackend>(area: &Area<DB>, mark: Mark, text: &str, (left, middle): (i32, i32)) -> Painted<DB> {
    match mark {
        Mark::Stroke(pen) => area.draw(&PathElement::new(vec![(left, middle), (left + SAMPLE, middle)], pen))?,
        Mark::Disc(colour, radius) => {
            area.draw(&Circle::new((left + SAMPLE / 2, middle), radius, ShapeStyle::from(&colour).filled()))?
        }
    }
    canvas::write(area, text, (left + SAMPLE + GAP, middle), Pen::body(palette::INK), Anchor::MiddleLeft)
}
