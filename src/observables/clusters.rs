//! Which tokens belong together: the connected components of the graph that links directions of at least some overlap.
//!
//! Unit vectors overlap by t or more where they are within r = sqrt(2 (1 - t)) of each other. Boxes further apart than r share
//! no link, boxes that fit into r share all, and two boxes of one component need no look; what remains is looked at
//! pair by pair. On the circle and the sphere that is little, in many dimensions nearly all.

use std::ops::Range;

use super::{
    Curve, Definition, Directions, Hue, Need, Numbers, Objection, Observable, Parameter, Parametrized, Setup, View,
    directions,
    tree::{Node, Tree},
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::Statistics,
};

/// `clusters`: the connected components of the graph that links i and j where <theta_i, theta_j> >= threshold, and the
/// weights of the `largest` of them, largest first, as `cluster_weight_k`; zero where there are fewer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clusters {
    /// The least overlap of linked tokens, in [-1, 1].
    pub threshold: f64,
    /// How many weights are columns.
    pub largest: usize,
}

const DEFINITION: Definition = Definition {
    word: "clusters",
    documentation: "the number of connected components of the graph that links tokens i and j with <theta_i, theta_j> >= \
        `threshold`, and the weights of the `largest` of them, largest first, cluster_weight_0 .. , zero where \
        there are fewer",
    needs: &[Need::Tokens, Need::Directions],
    replicas_a_sample: 1,
    curve: Some(Curve {
        column: "clusters",
        label: "clusters: connected components of large overlaps",
        hue: Hue::Teal,
        void: 0,
        rank: 1,
    }),
};

impl Clusters {
    pub(super) const DEFAULT: Self = Self { threshold: 0.99, largest: 3 };
}

impl Parametrized for Clusters {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![
            Parameter::number("threshold", &mut self.threshold, "greater than -1 and less than 1", |threshold| {
                -1.0 < threshold && threshold < 1.0
            }),
            Parameter::whole("largest", &mut self.largest, 0..=1000),
        ]
    }
}

impl Observable for Clusters {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        let weights = (0..self.largest).map(|k| format!("cluster_weight_{k}"));
        std::iter::once("clusters".into()).chain(weights).collect()
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        directions::objection(setup)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        Part::new("clusters and velocities of a replica", 4 * DOUBLE, &sizes.shape()[1..])
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let weights = weights(&view.directions(replica), self.threshold);
        let largest = (0..self.largest).map(|k| weights.get(k).copied().unwrap_or(0.0));
        Ok(std::iter::once(weights.len() as f64).chain(largest).collect())
    }
}

/// The weights of the components, largest first.
pub fn weights(directions: &Directions, threshold: f64) -> Vec<f64> {
    if directions.count() == 0 {
        return Vec::new();
    }
    let mut sums = vec![0.0; directions.count()];
    for (point, component) in components(&directions.points, directions.dim, threshold) {
        sums[component as usize] += directions.weights[point as usize];
    }
    let mut weights: Vec<f64> = sums.into_iter().filter(|weight| *weight > 0.0).collect();
    weights.sort_by(|a, b| b.total_cmp(a));
    weights
}

/// For each of the `points`, row-major (point, component) and of length one, the number of the component that it is in; numbers are below
/// that of points, and not all occur. Two points whose inner product is `threshold` or more are in the same one.
pub fn labels(points: &[f64], dim: usize, threshold: f64) -> Vec<u32> {
    let mut labels = vec![0; points.len() / dim];
    for (point, component) in components(points, dim, threshold) {
        labels[point as usize] = component;
    }
    labels
}

/// Every point with its component.
fn components(points: &[f64], dim: usize, threshold: f64) -> Vec<(u32, u32)> {
    let tree = Tree::new(points, dim);
    let mut links = Links::new(&tree, 2.0 * (1.0 - threshold));
    links.within(&tree.root);
    (0..tree.order.len()).map(|place| (tree.order[place], links.root(place) as u32)).collect()
}

/// Components as far as they are known: a forest over places, whose roots stand for them.
struct Links<'a> {
    tree: &'a Tree,
    squared_reach: f64,
    parents: Vec<u32>,
}

impl<'a> Links<'a> {
    fn new(tree: &'a Tree, squared_reach: f64) -> Self {
        Self { tree, squared_reach, parents: (0..tree.order.len() as u32).collect() }
    }

    fn root(&mut self, mut place: usize) -> usize {
        while self.parents[place] as usize != place {
            let grandparent = self.parents[self.parents[place] as usize];
            self.parents[place] = grandparent;
            place = grandparent as usize;
        }
        place
    }

    fn unite(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b) as u32;
    }

    fn are_linked(&self, a: usize, b: usize) -> bool {
        self.tree.squared_distance(a, b) <= self.squared_reach
    }

    /// Whether all points of a box are linked.
    fn is_whole(&self, node: &Node) -> bool {
        node.squared_diameter() <= self.squared_reach
    }

    /// All links inside a box.
    fn within(&mut self, node: &Node) {
        if self.is_whole(node) {
            node.places.clone().for_each(|place| self.unite(node.places.start, place));
            return;
        }
        match node.halves.as_deref() {
            Some([left, right]) => {
                self.within(left);
                self.within(right);
                self.between(left, right);
            }
            None => {
                for a in node.places.clone() {
                    self.pairwise(a, a + 1..node.places.end);
                }
            }
        }
    }

    fn pairwise(&mut self, a: usize, others: Range<usize>) {
        for b in others {
            if self.are_linked(a, b) {
                self.unite(a, b);
            }
        }
    }

    /// All links between two boxes.
    fn between(&mut self, a: &Node, b: &Node) {
        if a.squared_gap(b) > self.squared_reach {
            return;
        }
        if self.is_whole(a) && self.is_whole(b) {
            let (first, second) = (a.places.start, b.places.start);
            if self.root(first) != self.root(second) && self.touch(a, b) {
                self.unite(first, second);
            }
            return;
        }
        match halved(a, b) {
            Some((halves, other)) => halves.iter().for_each(|half| self.between(half, other)),
            None => {
                for a in a.places.clone() {
                    self.pairwise(a, b.places.clone());
                }
            }
        }
    }

    /// Whether there is a link between two boxes.
    fn touch(&self, a: &Node, b: &Node) -> bool {
        if a.squared_gap(b) > self.squared_reach {
            return false;
        }
        if a.squared_span(b) <= self.squared_reach {
            return true;
        }
        match halved(a, b) {
            Some((halves, other)) => halves.iter().any(|half| self.touch(half, other)),
            None => a.places.clone().any(|a| b.places.clone().any(|b| self.are_linked(a, b))),
        }
    }
}

/// The halves of the box with more points, and the other box; nothing if neither is divided.
fn halved<'a>(a: &'a Node, b: &'a Node) -> Option<(&'a [Node; 2], &'a Node)> {
    let of = |node: &'a Node, other: &'a Node| node.halves.as_deref().map(|halves| (halves, other));
    if a.places.len() >= b.places.len() { of(a, b).or_else(|| of(b, a)) } else { of(b, a).or_else(|| of(a, b)) }
}
