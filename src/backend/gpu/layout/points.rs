//! The points of the scheme, and what is computed at one of them.

use crate::backend::Point;

/// The points in the order in which everything is kept that exists for both.
pub const POINTS: [Point; 2] = [Point::State, Point::Stage];

/// One head at one point, for the queries of one segment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct View {
    pub point: Point,
    pub segment: usize,
    pub head: usize,
}
