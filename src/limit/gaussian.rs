//! The limit of normal laws in R^d under softmax, which stay normal.
//!
//! Under N(m, S) the law of sources that token x sees, weighted with e^{beta <x, A y>}, is N(m + beta S A^T x, S). So the field of the
//! limit is affine,
//!
//! ```text
//! dx/dt = sum_h c_h V_h (m + beta_h S A_h^T x) = f + F x
//! dm/dt = f + F m        dS/dt = F S + S F^T
//! ```
//!
//! (Castin, Ablin, Peyre, arXiv:2501.18322; Alcalde, Ji, Zuazua, arXiv:2606.07600). An affine flow carries mean and covariance
//! of any cloud as it carries those of the law: 2d nodes m +- sqrt(d) R e_k with R R^T = S have them at time zero and from then on.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::{Closed, Form, Limit, LimitError, Moments, Nodes, beside, serves};
use crate::{
    initial::{Law, sigma_points},
    model::{Geometry, Model, Normalization},
    problem::Problem,
};

/// The arithmetic of a Gaussian limit: nodes that have its mean and covariance, and twins.
pub struct Gaussian {
    dim: usize,
    /// Those of the nodes, which are the first tokens.
    weights: Vec<f64>,
}

impl Gaussian {
    /// The limit of `problem` from the normal law `law`, and its arithmetic.
    pub fn new(problem: &Problem, law: &Law) -> Result<(Limit, Closed<Self>), LimitError> {
        serves(&problem.model)?;
        let model = &problem.model;
        let is_closed = model.geometry == Geometry::Euclidean
            && model.attention.normalization == Normalization::Softmax
            && model.perceptron.is_none();
        if !is_closed {
            return Err(LimitError::Unserved {
                problem: "laws stay normal in R^d under softmax without a perceptron",
                remedy: "write tokens.geometry = \"euclidean\" and attention.normalization = \"softmax\", or reference.kind = \"particles\"",
            });
        }
        let dim = problem.tokens.shape.dim;
        let nodes = sigma_points(law, dim)?;
        let twins = &problem.tokens.coordinates;
        let limit = beside(problem, Nodes::Moments, nodes.coordinates, &nodes.weights, twins);
        let (form, coordinates) = (Self { dim, weights: nodes.weights }, limit.problem.tokens.coordinates.clone());
        Ok((limit, Closed::new(form, model, coordinates, problem.slots())))
    }

    /// f and F when the tokens are at `tokens`.
    fn field(&self, model: &Model, tokens: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let dim = self.dim;
        let Moments { mean, covariance } = Moments::of(&tokens[..self.weights.len() * dim], dim, |j| self.weights[j]);
        let (mean, covariance) = (DVector::from_vec(mean), DMatrix::from_row_slice(dim, dim, &covariance));
        let (mut constant, mut linear) = (DVector::zeros(dim), DMatrix::zeros(dim, dim));
        let attention = &model.attention;
        for head in &attention.heads {
            let value = DMatrix::from_row_slice(dim, dim, &head.value.dense(dim, head.weight));
            let tilt = head.query_key.dense(dim, attention.beta_of(head));
            linear += &value * &covariance * DMatrix::from_row_slice(dim, dim, &tilt).transpose();
            constant += value * &mean;
        }
        (constant, linear)
    }
}

impl Form for Gaussian {
    const NAME: &'static str = "gaussian";

    fn evaluate(&self, model: &Model, state: &[f64], velocity: &mut [f64]) {
        let (dim, (constant, linear)) = (self.dim, self.field(model, state));
        let rows = velocity.par_chunks_exact_mut(dim).zip(state.par_chunks_exact(dim)).with_min_len(256);
        rows.for_each(|(v, x)| {
            for k in 0..dim {
                v[k] = constant[k] + (0..dim).map(|l| linear[(k, l)] * x[l]).sum::<f64>();
            }
        });
    }

    fn mean(&self, state: &[f64]) -> Vec<f64> {
        Moments::of(&state[..self.weights.len() * self.dim], self.dim, |j| self.weights[j]).mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backend::{Backend, Point},
        initial::{Spread, draw},
        limit::tests::problem_of,
        model::{Attention, Field, Head, Matrix},
        scheme::Scheme,
        simulate::Beside,
        tokens::Shape,
    };

    fn problem(count: usize, law: &Law, heads: Vec<Head>, beta: f64, end: f64, dim: usize) -> Problem {
        let shape = Shape { replicas: 1, count, dim, passive: 0 };
        let attention = Attention { beta, heads, ..Attention::default() };
        let model = Model { geometry: Geometry::Euclidean, attention, ..Model::default() };
        problem_of(shape, draw(law, shape, 5).expect("tokens"), model, Scheme::Rk4, end)
    }

    /// The tokens of the limit at the end.
    fn end(problem: &Problem, law: &Law) -> Vec<f64> {
        let mut problem = problem.clone();
        problem.schedule.steps *= 20;
        let (limit, mut gaussian) = Gaussian::new(&problem, law).expect("a limit");
        Beside { limit: &limit, backend: &mut gaussian }.follow(0, problem.schedule.steps).expect("steps");
        gaussian.state
    }

    /// With A = a I, V = v I, S = s I and c = beta a v: s = s_0 / (1 - 2 c s_0 t), and d ln m = v dt + c s dt gives m = m_0 e^{v t}
    /// (1 - 2 c s_0 t)^{-1/2}; a twin goes like its distance from the mean, which grows like s^{1/2}.
    #[test]
    fn isotropic_laws_blow_up_as_on_paper() {
        let (a, v, beta, variance, t) = (0.8, 0.5, 1.5, 0.49, 1.0_f64);
        let law = Law::Gaussian { mean: Some(vec![1.0, -2.0]), spread: Spread::Scale(0.7) };
        let head = Head { query_key: Matrix::Scale(a), value: Matrix::Scale(v), ..Head::default() };
        let problem = problem(3, &law, vec![head], beta, t, 2);
        let found = end(&problem, &law);
        let growth = 1.0 / (1.0 - 2.0 * beta * a * v * variance * t);
        let mean = [1.0, -2.0].map(|m| m * (v * t).exp() * growth.sqrt());
        let moments = Moments::of(&found[..8], 2, |_| 0.25);
        for k in 0..2 {
            assert!((moments.mean[k] - mean[k]).abs() < 1e-7, "{:?} and {mean:?}", moments.mean);
            assert!((moments.covariance[3 * k] - variance * growth).abs() < 1e-7, "{:?}", moments.covariance);
            assert!(moments.covariance[1 + k].abs() < 1e-12);
        }
        for (twin, start) in found[8..].chunks(2).zip(problem.tokens.coordinates.chunks(2)) {
            for k in 0..2 {
                let expected = mean[k] + growth.sqrt() * (start[k] - [1.0, -2.0][k]);
                assert!((twin[k] - expected).abs() < 1e-7, "{} and {expected}", twin[k]);
            }
        }
    }

    /// General matrices of two heads: the velocity of a twin is the softmax over a large sample, written out, to five standard
    /// errors of weights whose variance is small.
    #[test]
    fn the_field_is_that_of_many_tokens() {
        let covariance = vec![vec![0.5, 0.2], vec![0.2, 0.3]];
        let law = Law::Gaussian { mean: Some(vec![0.3, -0.4]), spread: Spread::Covariance(covariance) };
        let head = |entries: [f64; 4], value: [f64; 4], weight| Head {
            query_key: Matrix::Dense(entries.to_vec()),
            value: Matrix::Dense(value.to_vec()),
            weight,
            ..Head::default()
        };
        let heads = vec![
            head([0.2, 0.9, -0.5, 0.1], [0.0, 1.0, 0.3, -0.2], 1.0),
            head([0.0, -0.6, 0.4, 0.5], [0.7, 0.1, 0.0, 0.4], 0.5),
        ];
        let problem = problem(400_000, &law, heads.clone(), 1.2, 1.0, 2);
        let (_, mut gaussian) = Gaussian::new(&problem, &law).expect("a limit");
        gaussian.evaluate(Point::State, Field::Tangent, 0).expect("a velocity");
        let sample = &problem.tokens.coordinates;
        for i in 0..3 {
            let x = &sample[2 * i..2 * i + 2];
            let mut expected = [0.0; 2];
            for head in &heads {
                let (Matrix::Dense(a), Matrix::Dense(v)) = (&head.query_key, &head.value) else { panic!("dense") };
                let query = [x[0] * a[0] + x[1] * a[2], x[0] * a[1] + x[1] * a[3]];
                let (mut sum, mut moment) = (0.0, [0.0; 2]);
                for y in sample.chunks(2) {
                    let weight = (1.2 * (query[0] * y[0] + query[1] * y[1])).exp();
                    sum += weight;
                    (moment[0], moment[1]) = (moment[0] + weight * y[0], moment[1] + weight * y[1]);
                }
                for k in 0..2 {
                    expected[k] += head.weight * (v[2 * k] * moment[0] + v[2 * k + 1] * moment[1]) / sum;
                }
            }
            let found = &gaussian.velocities[0][2 * (4 + i)..][..2];
            for k in 0..2 {
                assert!((found[k] - expected[k]).abs() < 5.0 * 400_000_f64.sqrt().recip(), "{found:?}, {expected:?}");
            }
        }
    }

    #[test]
    fn what_does_not_stay_normal_is_refused() {
        let law = Law::Gaussian { mean: None, spread: Spread::Scale(1.0) };
        let good = problem(3, &law, vec![Head::default()], 1.0, 1.0, 2);
        let mut unnormalized = good.clone();
        unnormalized.model.attention.normalization = Normalization::Unnormalized;
        assert!(matches!(Gaussian::new(&unnormalized, &law), Err(LimitError::Unserved { .. })));
        let mut sphere = good.clone();
        sphere.model.geometry = Geometry::Sphere;
        assert!(matches!(Gaussian::new(&sphere, &law), Err(LimitError::Unserved { .. })));
        assert!(matches!(Gaussian::new(&good, &Law::Uniform), Err(LimitError::Law(_))));
    }
}
