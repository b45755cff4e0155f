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
/// Above the chart more rows than these are written smaller, and closer.
const MOST_ROWS: i32 = 3;
const SMALL: u32 = 50;
const BELOW_SMALL: i32 = 80;

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
        entry(area, *mark, Words { text, font: BODY }, (left, middle))?;
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
    let Table { columns, rows, font, below } = Table::of(entries, width);
    for (index, (mark, text)) in (0..).zip(entries) {
        let (column, row) = (index / rows, index % rows);
        let place = (left + column * (width / columns), top + row * below + below / 2);
        entry(area, *mark, Words { text, font }, place)?;
    }
    Ok(rows * below)
}

/// How entries are laid out above a chart.
#[derive(Debug, PartialEq)]
struct Table {
    columns: i32,
    rows: i32,
    font: u32,
    /// From a row to the one below it.
    below: i32,
}

impl Table {
    fn of(entries: &[(Mark, String)], width: i32) -> Self {
        let in_font = |font: u32, below: i32| {
            let widest = widest(entries, font) + SAMPLE + GAP + 40;
            let columns = (width / widest).clamp(1, entries.len().max(1) as i32);
            Self { columns, rows: (entries.len() as i32 + columns - 1) / columns, font, below }
        };
        let usual = in_font(BODY, BELOW);
        if usual.rows <= MOST_ROWS { usual } else { in_font(SMALL, BELOW_SMALL) }
    }
}

/// The width of the longest words.
fn widest(entries: &[(Mark, String)], font: u32) -> i32 {
    entries.iter().map(|(_, text)| canvas::text_width(text, font)).max().unwrap_or(0)
}

/// Width and height of entries below one another on paper of their own.
pub(super) fn size(entries: &[(Mark, String)]) -> (i32, i32) {
    (SAMPLE + GAP + widest(entries, BODY) + 40, BELOW * entries.len() as i32)
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
        entry(area, *mark, Words { text, font: BODY }, (left, lowest - BELOW * above as i32))?;
    }
    Ok(())
}

/// What is written beside a sample.
struct Words<'a> {
    text: &'a str,
    font: u32,
}

fn entry<DB: DrawingBackend>(area: &Area<DB>, mark: Mark, words: Words, (left, middle): (i32, i32)) -> Painted<DB> {
    match mark {
        Mark::Stroke(pen) => area.draw(&PathElement::new(vec![(left, middle), (left + SAMPLE, middle)], pen))?,
        Mark::Disc(colour, radius) => {
            area.draw(&Circle::new((left + SAMPLE / 2, middle), radius, ShapeStyle::from(&colour).filled()))?
        }
    }
    let pen = Pen { size: words.font, ..Pen::body(palette::INK) };
    canvas::write(area, words.text, (left + SAMPLE + GAP, middle), pen, Anchor::MiddleLeft)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(count: usize, text: &str) -> Vec<(Mark, String)> {
        let mark = Mark::Stroke(palette::INK.stroke_width(1));
        vec![(mark, text.to_owned()); count]
    }

    #[test]
    fn many_long_entries_are_written_smaller() {
        assert!(crate::plot::font::register());
        let long = "growth, diagonal.0 = -1.0, diagonal.1 = -0.5";
        assert_eq!(Table::of(&entries(3, long), 2960), Table { columns: 1, rows: 3, font: BODY, below: BELOW });
        let many = Table::of(&entries(10, long), 2960);
        assert_eq!((many.columns, many.rows, many.font), (2, 5, SMALL));
        assert!(many.rows * many.below <= 400, "the chart keeps most of the paper");
        assert_eq!(Table::of(&entries(6, "mean_0"), 2960).rows, 1);
    }
}
