//! A functional of values at ascending times, taken value by value.

use super::kind::Kind;

/// A value at a time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) time: f64,
    /// Of a condition, whether it holds: not zero.
    pub(super) value: f64,
    /// Of a comparison, left minus right, or right minus left: positive where it holds.
    pub(super) margin: f64,
}

/// What is known after some of the values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fold {
    Last(Option<Point>),
    Change {
        first: Option<Point>,
        last: f64,
    },
    Largest(f64),
    Smallest(f64),
    Integral {
        before: Option<Point>,
        sum: f64,
    },
    Mean {
        first: Option<Point>,
        before: Option<Point>,
        sum: f64,
    },
    Slope(Moments),
    FirstTime {
        before: Option<Point>,
        found: Option<f64>,
    },
    /// Nothing: of samples this knows nothing.
    None,
}

/// Means of times and values, and sums of squares and products of what they are off by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    count: f64,
    time: f64,
    value: f64,
    squares: f64,
    products: f64,
}

impl Fold {
    pub(super) fn new(kind: Kind) -> Self {
        match kind {
            Kind::Last => Fold::Last(None),
            Kind::Change => Fold::Change { first: None, last: f64::NAN },
            Kind::Largest => Fold::Largest(f64::NAN),
            Kind::Smallest => Fold::Smallest(f64::NAN),
            Kind::Integral => Fold::Integral { before: None, sum: 0.0 },
            Kind::Mean => Fold::Mean { first: None, before: None, sum: 0.0 },
            Kind::Slope => Fold::Slope(Moments::default()),
            Kind::FirstTime => Fold::FirstTime { before: None, found: None },
            Kind::Of => Fold::None,
        }
    }

    pub(super) fn add(&mut self, point: Point) {
        match self {
            Fold::Last(last) => *last = Some(point),
            Fold::Change { first, last } => {
                first.get_or_insert(point);
                *last = point.value;
            }
            // Of values that are no numbers these know nothing.
            Fold::Largest(largest) => *largest = largest.max(point.value),
            Fold::Smallest(smallest) => *smallest = smallest.min(point.value),
            Fold::Integral { before, sum } => *sum += trapezoid(before.replace(point), point),
            Fold::Mean { first, before, sum } => {
                first.get_or_insert(point);
                *sum += trapezoid(before.replace(point), point);
            }
            Fold::Slope(moments) => moments.add(point),
            Fold::FirstTime { before, found } => {
                if point.value != 0.0 && point.value.is_finite() {
                    found.get_or_insert_with(|| crossing(*before, point));
                }
                *before = Some(point);
            }
            Fold::None => {}
        }
    }

    pub(super) fn result(&self) -> f64 {
        match self {
            Fold::Last(last) => last.map_or(f64::NAN, |point| point.value),
            Fold::Change { first, last } => first.map_or(f64::NAN, |first| last - first.value),
            Fold::Largest(value) | Fold::Smallest(value) => *value,
            Fold::Integral { before, sum } => before.map_or(f64::NAN, |_| *sum),
            Fold::Mean { first: Some(first), before: Some(last), sum } => match last.time - first.time {
                0.0 => first.value,
                length => sum / length,
            },
            Fold::Mean { .. } => f64::NAN,
            Fold::Slope(moments) => moments.products / moments.squares,
            Fold::FirstTime { found, .. } => found.unwrap_or(f64::NAN),
            Fold::None => f64::NAN,
        }
    }
}

impl Moments {
    /// Welford's updates.
    fn add(&mut self, Point { time, value, .. }: Point) {
        self.count += 1.0;
        let late = time - self.time;
        self.time += late / self.count;
        self.value += (value - self.value) / self.count;
        self.squares += late * (time - self.time);
        self.products += late * (value - self.value);
    }
}

fn trapezoid(before: Option<Point>, point: Point) -> f64 {
    before.map_or(0.0, |before| 0.5 * (point.time - before.time) * (before.value + point.value))
}

/// Where the margin is zero on the line between two points; the time of the second where there is no such line.
fn crossing(before: Option<Point>, point: Point) -> f64 {
    let Some(before) = before else { return point.time };
    let rise = point.margin - before.margin;
    let part = -before.margin / rise;
    match rise.is_finite() && (0.0..=1.0).contains(&part) {
        true => before.time + part * (point.time - before.time),
        false => point.time,
    }
}
