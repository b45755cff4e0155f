//! Points in boxes in boxes: what decides about many pairs of points at once.

use std::ops::Range;

/// Points that are not divided further.
const LEAF: usize = 16;

/// A tree over points, which it brings into an order of its own.
pub struct Tree {
    pub dim: usize,
    /// Row-major (place, component).
    points: Vec<f64>,
    /// The point at each place.
    pub order: Vec<u32>,
    pub root: Node,
}

/// The points at a range of places, and the smallest box around them.
pub struct Node {
    pub places: Range<usize>,
    low: Vec<f64>,
    high: Vec<f64>,
    pub halves: Option<Box<[Node; 2]>>,
}

impl Tree {
    /// At least one point, row-major (point, component).
    pub fn new(points: &[f64], dim: usize) -> Self {
        let mut order: Vec<u32> = (0..points.len() / dim).map(|point| point as u32).collect();
        let root = Node::new(&mut order, 0, points, dim);
        let row = |point: &u32| &points[*point as usize * dim..][..dim];
        let points = order.iter().flat_map(row).copied().collect();
        Self { dim, points, order, root }
    }

    /// |x - y|^2 of the points at two places.
    pub fn squared_distance(&self, a: usize, b: usize) -> f64 {
        let row = |place: usize| &self.points[place * self.dim..][..self.dim];
        row(a).iter().zip(row(b)).map(|(x, y)| (x - y) * (x - y)).sum()
    }
}

impl Node {
    /// Halved at the median of the longest side; `first` is the place of the first point of `order`.
    fn new(order: &mut [u32], first: usize, points: &[f64], dim: usize) -> Self {
        let row = |point: u32| &points[point as usize * dim..][..dim];
        let (mut low, mut high) = (vec![f64::INFINITY; dim], vec![f64::NEG_INFINITY; dim]);
        for point in order.iter() {
            for (k, component) in row(*point).iter().enumerate() {
                low[k] = low[k].min(*component);
                high[k] = high[k].max(*component);
            }
        }
        let places = first..first + order.len();
        let side = |k: &usize| high[*k] - low[*k];
        let longest = (0..dim).max_by(|a, b| side(a).total_cmp(&side(b)));
        let halves = longest.filter(|axis| order.len() > LEAF && side(axis) > 0.0).map(|axis| {
            let middle = order.len() / 2;
            order.select_nth_unstable_by(middle, |a, b| row(*a)[axis].total_cmp(&row(*b)[axis]));
            let (left, right) = order.split_at_mut(middle);
            let (left, right) =
                rayon::join(|| Node::new(left, first, points, dim), || Node::new(right, first + middle, points, dim));
            Box::new([left, right])
        });
        Self { places, low, high, halves }
    }

    /// No two points of the box are further apart than the square root of this.
    pub fn squared_diameter(&self) -> f64 {
        self.low.iter().zip(&self.high).map(|(low, high)| (high - low) * (high - low)).sum()
    }

    /// No point of one box is nearer to one of the other than the square root of this.
    pub fn squared_gap(&self, other: &Node) -> f64 {
        let side = |k: usize| (self.low[k] - other.high[k]).max(other.low[k] - self.high[k]).max(0.0);
        (0..self.low.len()).map(|k| side(k) * side(k)).sum()
    }

    /// No point of one box is further from one of the other than the square root of this.
    pub fn squared_span(&self, other: &Node) -> f64 {
        let side = |k: usize| (self.high[k] - other.low[k]).max(other.high[k] - self.low[k]);
        (0..self.low.len()).map(|k| side(k) * side(k)).sum()
    }
}
