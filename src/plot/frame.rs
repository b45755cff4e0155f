//! The frame of a chart: two axes, pale horizontal lines, and a row above that names the vertical axis.

use std::ops::Range;

use plotters::backend::DrawingBackend;
use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::style::{Color, IntoFont, RGBColor};

use super::axis::Axis;
use super::canvas::{self, Anchor, Area, BODY, MARGIN, Painted, Pen, TOP};
use super::{font, palette};

/// Height of the row that names the vertical axis.
pub(super) const ROW: i32 = 110;
/// The middle of that row, where a legend belongs as well.
pub(super) const ROW_MIDDLE: i32 = TOP + ROW / 2;
/// Widths of the paper around the plot; the left one also depends on the tick labels.
const LEFT: i32 = 80;
const BELOW: i32 = 210;
const BOTTOM: i32 = 50;
const ABOVE: i32 = 50;
const LINE: u32 = 5;

pub(super) type Chart<'a, DB> = ChartContext<'a, DB, Cartesian2d<Axis, Axis>>;
type Built<T, DB> = Result<T, DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

/// Width and height left for the plot itself when `y` is its vertical axis.
pub(super) fn inside(y: &Axis) -> (f64, f64) {
    let width = canvas::WIDTH as i32 - LEFT - label_width(y) - MARGIN;
    let height = canvas::HEIGHT as i32 - TOP - ROW - ABOVE - BELOW - BOTTOM;
    (f64::from(width), f64::from(height))
}

/// The columns and rows of the canvas that the plot itself takes.
pub(super) fn region(y: &Axis) -> (Range<i32>, Range<i32>) {
    let (width, height) = inside(y);
    let (right, top) = (canvas::WIDTH as i32 - MARGIN, TOP + ROW + ABOVE);
    (right - width as i32..right, top..top + height as i32)
}

/// Draws the axes and hands out the chart between them; `label` names the horizontal axis.
pub(super) fn chart<'a, DB: DrawingBackend>(
    area: &Area<'a, DB>,
    x: &Axis,
    y: &Axis,
    label: &str,
) -> Built<Chart<'a, DB>, DB> {
    lowered(area, [x, y], label, 0)
}

/// The same that begins lower, so that there is room between the chart and the row that names the vertical axis.
pub(super) fn lowered<'a, DB: DrawingBackend>(
    area: &Area<'a, DB>,
    [x, y]: [&Axis; 2],
    label: &str,
    room: i32,
) -> Built<Chart<'a, DB>, DB> {
    let (_, below) = area.split_vertically(TOP + ROW + room);
    let mut chart = ChartBuilder::on(&below)
        .margin_left(LEFT)
        .margin_right(MARGIN)
        .margin_top(ABOVE)
        .margin_bottom(BOTTOM)
        .x_label_area_size(BELOW)
        .y_label_area_size(label_width(y))
        .build_cartesian_2d(x.clone(), y.clone())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .bold_line_style(palette::GRID.stroke_width(LINE))
        .axis_style(palette::GREY.stroke_width(LINE))
        .set_all_tick_mark_size(20)
        .label_style((font::FAMILY, BODY).into_font().color(&palette::INK))
        .axis_desc_style((font::FAMILY, BODY).into_font().color(&palette::INK))
        .x_label_formatter(&|place| x.label(*place))
        .y_label_formatter(&|place| y.label(*place))
        .x_desc(label)
        .draw()?;
    Ok(chart)
}

/// Names the vertical axis, above it, where it reads without turning the head.
pub(super) fn name_vertical<DB: DrawingBackend>(area: &Area<DB>, label: &str, colour: RGBColor) -> Painted<DB> {
    canvas::write(area, label, (MARGIN, ROW_MIDDLE), Pen::body(colour), Anchor::MiddleLeft)
}

fn label_width(y: &Axis) -> i32 {
    let widest = y.ticks.iter().map(|&tick| canvas::text_width(&y.label(tick), BODY)).max();
    widest.unwrap_or(0) + 80
}
