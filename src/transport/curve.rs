//! Laws on the circle whose quantile function is continuous: known at some quantiles, and a straight line between two of them.
//!
//! Wasserstein distances from a cloud are those of `circle`, with the quantile function of the law in place of a second cloud; every
//! piece of the integral has a closed form. For a smooth law the lines leave an error of the second order in the mass of a piece.

use std::f64::consts::TAU;

use super::{
    Measure, Order, TransportError,
    circle::angles,
    quantiles::{ONE, Quantiles, ends},
};

/// Turns of the circle on which quantile functions are compared: shifts of up to two turns of mass.
const TURNS: [i64; 5] = [-2, -1, 0, 1, 2];

/// G^{-1} of a law on the circle.
#[derive(Debug)]
pub struct Curve {
    /// In increasing order, within a full turn.
    knots: Vec<f64>,
    /// The mass up to each of them, from 0 to [`ONE`].
    ends: Vec<i64>,
}

impl Curve {
    /// From angles that increase by at most a full turn, but for rounding, and the mass between each and the next, of sum one.
    pub fn new(angles: &[f64], masses: &[f64]) -> Self {
        let base = angles.first().copied().unwrap_or(0.0);
        let turns = TAU * (base / TAU).round();
        let mut highest = base;
        let knots = angles.iter().map(|angle| {
            highest = highest.max(*angle).min(base + TAU);
            highest - turns
        });
        Self { knots: knots.collect(), ends: [vec![0], ends(masses.iter().copied())].concat() }
    }

    /// Every second quantile: what is known about the error of the lines is the distance from here.
    fn halved(&self) -> Self {
        let last = self.knots.len() - 1;
        let keep = |index: &usize| index.is_multiple_of(2) || *index == last;
        let kept: Vec<usize> = (0..=last).filter(keep).collect();
        Self {
            knots: kept.iter().map(|index| self.knots[*index]).collect(),
            ends: kept.iter().map(|index| self.ends[*index]).collect(),
        }
    }

    /// About how far the straight lines are from the law, in W_p: the distance from where half as many quantiles lead.
    pub fn error(&self, order: Order) -> f64 {
        let coarse = self.halved();
        let difference = |index: usize| {
            let (from, to) = (self.ends[index], self.ends[index + 1]);
            let gap = |knot: f64, end: i64| knot - coarse.at(end);
            (to - from) as f64 / ONE as f64 * order.mean(gap(self.knots[index], from), gap(self.knots[index + 1], to))
        };
        order.root((0..self.knots.len() - 1).map(difference).sum())
    }

    /// G^{-1} at a mass from 0 to [`ONE`].
    fn at(&self, mass: i64) -> f64 {
        let after = self.ends.partition_point(|end| *end < mass).clamp(1, self.ends.len() - 1);
        let knot = |place: usize| Knot { value: self.knots[place], end: self.ends[place] };
        between(knot(after - 1), knot(after), mass)
    }

    /// `count` angles of equal masses, in the middles of these, by cubic interpolation: errors of the law's moments are of fourth order.
    pub fn points(&self, count: usize) -> Vec<f64> {
        let middle = |k: usize| ((2 * k + 1) as i128 * i128::from(ONE) / (2 * count as i128)) as i64;
        (0..count).map(|k| self.smooth(middle(k))).collect()
    }

    /// G^{-1} at a mass by the cubic through the two quantiles before it and the two after; between its neighbours in any case.
    fn smooth(&self, mass: i64) -> f64 {
        let last = self.ends.len() - 1;
        let after = self.ends.partition_point(|end| *end < mass).clamp(1, last);
        let first = after.saturating_sub(2).min(last.saturating_sub(3));
        let places = first..(first + 4).min(last + 1);
        let (ends, knots) = (&self.ends[places.clone()], &self.knots[places]);
        let is_strict = ends.windows(2).all(|pair| pair[0] < pair[1]);
        if ends.len() < 4 || !is_strict {
            return self.at(mass);
        }
        let share = |i: usize| -> f64 {
            let factor = |j: usize| (mass - ends[j]) as f64 / (ends[i] - ends[j]) as f64;
            (0..4).filter(|j| *j != i).map(factor).product()
        };
        let value: f64 = (0..4).map(|i| share(i) * (knots[i] - knots[0])).sum();
        (knots[0] + value).clamp(self.knots[after - 1], self.knots[after])
    }

    /// W_p between the angles of planar points and the law, geodesic: radians, at most pi.
    pub fn wasserstein(&self, order: Order, cloud: &Measure<'_>) -> Result<f64, TransportError> {
        let cloud = angles(cloud)?;
        let law = Lifted::new(self);
        let (mut low, mut high) = (-2 * ONE, 2 * ONE);
        while low < high {
            let middle = low + (high - low) / 2;
            if law.slope(order, &cloud, middle) < 0.0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(order.root(law.cost(order, &cloud, low)))
    }
}

/// A value of a quantile function, and the mass up to it.
struct Knot {
    value: f64,
    end: i64,
}

/// The value at `mass` on the straight line between two knots.
fn between(from: Knot, to: Knot, mass: i64) -> f64 {
    if to.end == from.end {
        to.value
    } else {
        from.value + (to.value - from.value) * ((mass - from.end) as f64 / (to.end - from.end) as f64)
    }
}

impl Order {
    /// The mean of |u|^p where u goes straight from `a` to `b`.
    fn mean(self, a: f64, b: f64) -> f64 {
        match self {
            Order::One if a * b >= 0.0 => (a.abs() + b.abs()) / 2.0,
            Order::One => (a * a + b * b) / (2.0 * (a.abs() + b.abs())),
            Order::Two => (a * a + a * b + b * b) / 3.0,
        }
    }
}

/// G^{-1} over all [`TURNS`].
struct Lifted {
    knots: Vec<f64>,
    ends: Vec<i64>,
}

impl Lifted {
    fn new(curve: &Curve) -> Self {
        let knots = TURNS.iter().flat_map(|k| curve.knots.iter().map(move |knot| knot + TAU * *k as f64));
        let ends = TURNS.iter().flat_map(|k| curve.ends.iter().map(move |end| end + ONE * k));
        Self { knots: knots.collect(), ends: ends.collect() }
    }

    /// G^{-1} at `mass`, `from` being the first place whose end may reach it, which moves on.
    fn at(&self, mass: i64, from: &mut usize) -> f64 {
        while *from + 1 < self.ends.len() && self.ends[*from] < mass {
            *from += 1;
        }
        let before = from.saturating_sub(1);
        between(self.knot(before), self.knot(*from), mass)
    }

    fn knot(&self, place: usize) -> Knot {
        Knot { value: self.knots[place], end: self.ends[place] }
    }

    fn first(&self, mass: i64) -> usize {
        self.ends.partition_point(|end| *end < mass).max(1)
    }

    /// int_0^1 |F^{-1}(s) - G^{-1}(s - shift)|^p ds.
    fn cost(&self, order: Order, cloud: &Quantiles, shift: i64) -> f64 {
        let mut place = self.first(-shift);
        let (mut start, mut sum) = (0, 0.0);
        let mut here = self.at(-shift, &mut place);
        for (x, end) in cloud.values.iter().zip(&cloud.ends) {
            while start < *end {
                // The end of the line that begins here.
                while place + 1 < self.ends.len() && self.ends[place] <= start - shift {
                    place += 1;
                    here = self.knots[place - 1];
                }
                let stop = (*end).min(self.ends[place] + shift);
                let next = between(self.knot(place - 1), self.knot(place), stop - shift);
                sum += (stop - start) as f64 * order.mean(x - here, x - next);
                (start, here) = (stop, next);
            }
        }
        sum / ONE as f64
    }

    /// Its derivative: where F^{-1} jumps from x to x', a little mass that stays at y leaves x for x'.
    fn slope(&self, order: Order, cloud: &Quantiles, shift: i64) -> f64 {
        let mut place = self.first(cloud.ends[0] - shift);
        let mut slope = 0.0;
        for (i, end) in cloud.ends.iter().enumerate() {
            let y = self.at(end - shift, &mut place);
            let next = cloud.values.get(i + 1).copied().unwrap_or(cloud.values[0] + TAU);
            slope += order.power(next - y) - order.power(cloud.values[i] - y);
        }
        slope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::{Masses, circle};

    /// The uniform law in `count` pieces, from `start` on.
    fn uniform(start: f64, count: usize) -> Curve {
        let angles: Vec<f64> = (0..=count).map(|k| start + TAU * k as f64 / count as f64).collect();
        Curve::new(&angles, &vec![1.0 / count as f64; count])
    }

    fn cloud(angles: &[f64]) -> Vec<f64> {
        angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]).collect()
    }

    /// n points in equal distances are pi / 2n from the uniform law in W_1 and pi / (n 3^{1/2}) in W_2; one point is pi / 2 and
    /// pi / 3^{1/2} from it.
    #[test]
    fn equal_distances_from_the_uniform_law_are_those_on_paper() {
        for (count, start, turn) in [(1, 0.3, 0.0), (7, -3.0, 1.0), (64, 40.0, 2.2)] {
            let points = cloud(&(0..count).map(|k| turn + TAU * k as f64 / count as f64).collect::<Vec<_>>());
            let measure = Measure::new(&points, 2, Masses::Equal).expect("a measure");
            let law = uniform(start, 10);
            let (first, second) = (std::f64::consts::PI / (2 * count) as f64, std::f64::consts::PI / count as f64);
            let found = law.wasserstein(Order::One, &measure).expect("a distance");
            assert!((found - first).abs() < 1e-13, "{count}: {found} and {first}");
            let found = law.wasserstein(Order::Two, &measure).expect("a distance");
            assert!((found - second / 3f64.sqrt()).abs() < 1e-13, "{count}: {found}");
        }
    }

    /// Against the distance from many points of equal mass, weights and gaps included; and turning everything changes nothing.
    #[test]
    fn distances_are_those_from_many_points() {
        let angles = [-2.9, -1.0, -0.8, 0.1, 1.9, 2.0];
        let masses = [0.1, 0.3, 0.0, 0.4, 0.2];
        let law = Curve::new(&angles, &masses);
        let middle = |k: usize| law.at(((2 * k + 1) as i128 * i128::from(ONE) / 400_000) as i64);
        let many = cloud(&(0..200_000).map(middle).collect::<Vec<_>>());
        let many = Measure::new(&many, 2, Masses::Equal).expect("a measure");
        let weights = [0.5, 0.2, 0.3];
        for order in [Order::One, Order::Two] {
            for turn in [0.0, 1.3, 3.0, -2.0] {
                let points = cloud(&[0.4, 2.8, -2.5].map(|angle| angle + turn));
                let points = Measure::new(&points, 2, Masses::Each(&weights)).expect("a measure");
                let found = law.wasserstein(order, &points).expect("a distance");
                let expected = circle::wasserstein(order, &points, &many).expect("a distance");
                assert!((found - expected).abs() < 2e-5, "{order:?}, {turn}: {found} and {expected}");
                let turned = Curve::new(&angles.map(|angle| angle + turn), &masses);
                let points = cloud(&[0.4, 2.8, -2.5].map(|angle| angle + 2.0 * turn));
                let points = Measure::new(&points, 2, Masses::Each(&weights)).expect("a measure");
                let again = turned.wasserstein(order, &points).expect("a distance");
                assert!((found - again).abs() < 1e-12, "{order:?}, {turn}: {found} and {again}");
            }
        }
    }

    /// G^{-1}(s) = 2 pi s + sin(2 pi s) / 2 between 256 quantiles.
    #[test]
    fn points_of_a_smooth_law_are_exact_to_the_fourth_order() {
        let at = |s: f64| TAU * s + (TAU * s).sin() / 2.0;
        let angles: Vec<f64> = (0..=256).map(|k| at(f64::from(k) / 256.0)).collect();
        let points = Curve::new(&angles, &[1.0 / 256.0; 256]).points(1000);
        for (k, point) in points.iter().enumerate() {
            let expected = at((k as f64 + 0.5) / 1000.0);
            assert!((point - expected).abs() < 3e-8, "{k}: {point} and {expected}");
        }
    }

    /// Of G^{-1}(s) = 2 pi s + sin(2 pi s) / 2 lines of K pieces are (2 pi)^2 / 2 / 8 / (K / 2)^2 |sin| and less off.
    #[test]
    fn the_error_of_lines_is_seen() {
        let count = 256;
        let at = |k: usize| TAU * k as f64 / count as f64;
        let angles: Vec<f64> = (0..=count).map(|k| at(k) + at(k).sin() / 2.0).collect();
        let law = Curve::new(&angles, &vec![1.0 / count as f64; count]);
        let scale = TAU * TAU / 16.0 / (count / 2) as f64 / (count / 2) as f64;
        let found = law.error(Order::One);
        assert!(found > 0.3 * scale && found < 0.7 * scale, "{found:e} and {scale:e}");
        assert!(uniform(0.0, 64).error(Order::Two) < 1e-13);
    }
}
