//! Clouds to measure distances between: those of `reference.py`, by its formula, and some with a known answer.

use std::f64::consts::PI;

use serde::Deserialize;
use tokenfield::transport::{Masses, Measure};

/// A cloud of `reference.py`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Formula {
    pub count: usize,
    pub dim: usize,
    pub phase: f64,
    pub shift: f64,
    pub weighted: bool,
    pub sphere: bool,
}

impl Formula {
    pub fn on_sphere(count: usize, dim: usize, phase: f64, shift: f64) -> Formula {
        Formula { count, dim, phase, shift, weighted: false, sphere: true }
    }

    pub fn weighted(self) -> Formula {
        Formula { weighted: true, ..self }
    }

    pub fn cloud(&self) -> WeightedPoints {
        let mut coordinates: Vec<f64> =
            (0..self.count * self.dim).map(|k| (0.618 * (k * k) as f64 + self.phase).sin()).collect();
        for point in coordinates.chunks_exact_mut(self.dim) {
            point[0] += self.shift;
            if self.sphere {
                let length = point.iter().map(|x| x * x).sum::<f64>().sqrt();
                point.iter_mut().for_each(|x| *x /= length);
            }
        }
        let weights: Vec<f64> = (0..self.count).map(|i| 1.0 + 0.5 * (i as f64 + self.phase).sin()).collect();
        let total: f64 = weights.iter().sum();
        let weights = self.weighted.then(|| weights.iter().map(|weight| weight / total).collect());
        WeightedPoints { coordinates, dim: self.dim, weights }
    }
}

/// A measure that owns its numbers.
#[derive(Clone, Debug)]
pub struct WeightedPoints {
    pub coordinates: Vec<f64>,
    pub dim: usize,
    pub weights: Option<Vec<f64>>,
}

impl WeightedPoints {
    /// Points of the circle at these angles.
    pub fn at_angles(angles: impl IntoIterator<Item = f64>) -> WeightedPoints {
        let coordinates = angles.into_iter().flat_map(|angle: f64| [angle.cos(), angle.sin()]).collect();
        WeightedPoints { coordinates, dim: 2, weights: None }
    }

    /// A von Mises-Fisher law around e_1 on the circle or the sphere: points that lie evenly in the cap where its density is above
    /// e^{-12} of the largest, and weights that go with it.
    pub fn von_mises_fisher(count: usize, dim: usize, concentration: f64) -> WeightedPoints {
        let depth = 12.0 / concentration;
        let mut coordinates = Vec::with_capacity(count * dim);
        for i in 0..count {
            let share = (i as f64 + 0.5) / count as f64;
            if dim == 2 {
                let angle = (2.0 * share - 1.0) * (1.0 - depth).acos();
                coordinates.extend([angle.cos(), angle.sin()]);
            } else {
                let (height, azimuth) = (1.0 - depth * share, PI * (3.0 - 5f64.sqrt()) * i as f64);
                let radius = (1.0 - height * height).sqrt();
                coordinates.extend([height, radius * azimuth.cos(), radius * azimuth.sin()]);
            }
        }
        let weights: Vec<f64> = coordinates.chunks_exact(dim).map(|x| (concentration * (x[0] - 1.0)).exp()).collect();
        WeightedPoints { coordinates, dim, weights: None }.with_weights(|index| weights[index])
    }

    pub fn measure(&self) -> Measure<'_> {
        let masses = self.weights.as_deref().map_or(Masses::Equal, Masses::Each);
        Measure::new(&self.coordinates, self.dim, masses).expect("a good cloud")
    }

    pub fn with_weights(self, weights: impl Fn(usize) -> f64) -> WeightedPoints {
        let weights: Vec<f64> = (0..self.coordinates.len() / self.dim).map(weights).collect();
        let total: f64 = weights.iter().sum();
        WeightedPoints { weights: Some(weights.iter().map(|weight| weight / total).collect()), ..self }
    }

    /// Every point rotated by `angle` in each of the planes (e_1, e_2), (e_2, e_3), ..
    pub fn rotated(mut self, angle: f64) -> WeightedPoints {
        let (sin, cos) = angle.sin_cos();
        for point in self.coordinates.chunks_exact_mut(self.dim) {
            for c in 1..point.len() {
                (point[c - 1], point[c]) = (cos * point[c - 1] - sin * point[c], sin * point[c - 1] + cos * point[c]);
            }
        }
        self
    }

    /// The same measure, every point written twice.
    pub fn repeated(&self) -> WeightedPoints {
        let twice = |index: usize, width: usize, numbers: &[f64]| numbers[index / 2 * width..][..width].to_vec();
        let count = self.coordinates.len() / self.dim;
        let weights =
            self.weights.as_ref().map(|weights| (0..2 * count).map(|index| 0.5 * weights[index / 2]).collect());
        let coordinates = (0..2 * count).flat_map(|index| twice(index, self.dim, &self.coordinates)).collect();
        WeightedPoints { coordinates, dim: self.dim, weights }
    }
}
