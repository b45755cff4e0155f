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
//! (Castin, Ablin, Peyre, arXiv:2501.18322; Alcalde, Ji, Zuazua, arXiv:2606.07600). The flow of an affine field is affine: what starts
//! at m_0 + y is at m + L y, with dL/dt = F L, L = I at time zero and S = L S_0 L^T. So m and L, d + d^2 numbers, say where everything
//! is. Nodes are m +- d^{1/2} L R e_k with R R^T = S_0, which have mean and covariance of the law.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::{Limit, LimitError, Motion, Nodes, motion::Models, problem_of_nodes, serves, solver::Flow};
use crate::{
    backend::BackendError,
    initial::{Form, Law, LawError},
    model::{Attention, Field, Geometry, Model, Normalization},
    problem::{Problem, ReferenceSteps as Steps},
    transport::point_moments::PointMoments,
};

/// The arithmetic of a Gaussian limit.
pub(super) struct Gaussian {
    models: Models,
    dim: usize,
    /// S_0.
    covariance: DMatrix<f64>,
    /// Where nodes and coupled tokens start, less m_0.
    starts: Vec<f64>,
}

/// The limit of `problem` from the normal law `law`, with steps of its own, or those of the tokens.
pub fn gaussian(problem: &Problem, law: &Law, steps: Steps) -> Result<Limit, LimitError> {
    serves(&problem.model)?;
    if !keeps_normal_laws(&problem.model) {
        return Err(LimitError::Unserved {
            problem: "laws stay normal in R^d under softmax without a perceptron",
            remedy: "write tokens.geometry = \"euclidean\" and attention.normalization = \"softmax\", or reference.kind = \"particles\"",
        });
    }
    let dim = problem.tokens.shape.dim;
    let nodes = match law.form() {
        Form::Normal(sigma_points) => sigma_points(dim)?,
        Form::Axial(_)
        | Form::Smooth { .. }
        | Form::Sampled
        | Form::Mixture(_)
        | Form::Equiangular { .. }
        | Form::Placed => return Err(LimitError::Law(LawError::new("law", "is not normal", "take gaussian"))),
    };
    let PointMoments { mean, covariance } = PointMoments::of(&nodes.coordinates, dim, |j| nodes.weights[j]);
    let limit = problem_of_nodes(problem, &nodes.coordinates, &nodes.weights, &problem.tokens.coordinates);
    let start = limit.tokens.coordinates.chunks_exact(dim);
    let flow = Gaussian {
        models: Models::of(problem),
        dim,
        covariance: DMatrix::from_row_slice(dim, dim, &covariance),
        starts: start.flat_map(|x| x.iter().zip(&mean).map(|(x, m)| x - m)).collect(),
    };
    let state = mean.iter().copied().chain(DMatrix::<f64>::identity(dim, dim).iter().copied()).collect();
    // A step of the layer is one of Euler's here, and nothing else.
    let motion = match problem.scheme.field() {
        Field::Tangent => Motion::of(flow, state, steps),
        Field::Ambient | Field::Perceptron => Motion::of(flow, state, Steps::Tokens),
    };
    Ok(Limit::new(limit, Nodes::Moments, motion))
}

/// Whether a model that has a limit keeps laws normal: attention alone, in R^d, under softmax, with any matrices.
fn keeps_normal_laws(model: &Model) -> bool {
    let Model { geometry, attention, perceptron: _, noise: _, frozen: _ } = model;
    let Attention { beta: _, beta_factors: _, normalization, mask: _, window: _, position: _, heads: _ } = attention;
    *geometry == Geometry::Euclidean
        && *normalization == Normalization::Softmax
        && attention.is_plain()
        && model.is_attention_alone()
}

impl Gaussian {
    /// m and L.
    fn parts(&self, state: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let (mean, linear) = state.split_at(self.dim);
        (DVector::from_column_slice(mean), DMatrix::from_column_slice(self.dim, self.dim, linear))
    }

    /// f and F under `model`.
    fn field(&self, model: &Model, state: &[f64]) -> (DVector<f64>, DMatrix<f64>) {
        let dim = self.dim;
        let (mean, linear) = self.parts(state);
        let covariance = &linear * &self.covariance * linear.transpose();
        let (mut constant, mut slope) = (DVector::zeros(dim), DMatrix::zeros(dim, dim));
        let attention = &model.attention;
        for head in &attention.heads {
            let value = DMatrix::from_row_slice(dim, dim, &head.value.dense(dim, head.weight));
            let tilt = head.query_key.dense(dim, attention.beta_of(head));
            slope += &value * &covariance * DMatrix::from_row_slice(dim, dim, &tilt).transpose();
            constant += value * &mean;
        }
        (constant, slope)
    }
}

impl Flow for Gaussian {
    fn velocity(&mut self, time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError> {
        let (constant, slope) = self.field(&self.models.at(time), state);
        let (mean, linear) = self.parts(state);
        let (of_mean, of_linear) = (constant + &slope * mean, slope * linear);
        velocity.iter_mut().zip(of_mean.iter().chain(of_linear.iter())).for_each(|(v, entry)| *v = *entry);
        Ok(())
    }

    fn tokens(&self, state: &[f64]) -> Vec<f64> {
        let (dim, (mean, linear)) = (self.dim, self.parts(state));
        let mut tokens = self.starts.clone();
        tokens.par_chunks_exact_mut(dim).with_min_len(256).for_each(|x| {
            let start = DVector::from_column_slice(x);
            let moved = &mean + &linear * start;
            x.copy_from_slice(moved.as_slice());
        });
        tokens
    }

    fn set_step(&mut self, step: u64) {
        self.models.set_step(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        initial::{Gaussian as Normal, Spread, Uniform, draw},
        limit::tests::problem_of,
        model::{Attention, Head, Matrix},
        problem::Schedule,
        scheme::Scheme,
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
        let mut limit = gaussian(problem, law, Steps::Own).expect("a limit");
        limit.advance(0, problem.schedule.steps).expect("steps");
        limit.tokens()
    }

    /// With A = a I, V = v I, S = s I and c = beta a v: s = s_0 / (1 - 2 c s_0 t), and d ln m = v dt + c s dt gives m = m_0 e^{v t}
    /// (1 - 2 c s_0 t)^{-1/2}; a coupled token goes like its distance from the mean, which grows like s^{1/2}.
    #[test]
    fn isotropic_laws_blow_up_as_on_paper() {
        let (a, v, beta, variance, t) = (0.8, 0.5, 1.5, 0.49, 1.0_f64);
        let law = Law::Gaussian(Normal { mean: Some(vec![1.0, -2.0]), spread: Spread::Scale(0.7) });
        let head = Head { query_key: Matrix::Scale(a), value: Matrix::Scale(v), ..Head::default() };
        let problem = problem(3, &law, vec![head], beta, t, 2);
        let found = end(&problem, &law);
        let growth = 1.0 / (1.0 - 2.0 * beta * a * v * variance * t);
        let mean = [1.0, -2.0].map(|m| m * (v * t).exp() * growth.sqrt());
        let moments = PointMoments::of(&found[..8], 2, |_| 0.25);
        for k in 0..2 {
            assert!((moments.mean[k] - mean[k]).abs() < 1e-9, "{:?} and {mean:?}", moments.mean);
            assert!((moments.covariance[3 * k] - variance * growth).abs() < 1e-9, "{:?}", moments.covariance);
            assert!(moments.covariance[1 + k].abs() < 1e-12);
        }
        for (coupled, start) in found[8..].chunks(2).zip(problem.tokens.coordinates.chunks(2)) {
            for k in 0..2 {
                let expected = mean[k] + growth.sqrt() * (start[k] - [1.0, -2.0][k]);
                assert!((coupled[k] - expected).abs() < 1e-9, "{} and {expected}", coupled[k]);
            }
        }
    }

    /// General matrices of two heads: the velocity of a coupled token is the softmax over a large sample, written out, to five standard
    /// errors of weights whose variance is small.
    #[test]
    fn the_field_is_that_of_many_tokens() {
        let covariance = vec![vec![0.5, 0.2], vec![0.2, 0.3]];
        let law = Law::Gaussian(Normal { mean: Some(vec![0.3, -0.4]), spread: Spread::Covariance(covariance) });
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
        // So short a time that a difference is a derivative.
        let mut short = problem.clone();
        short.schedule = Schedule::even(1, 1e-6, 1);
        let mut limit = gaussian(&short, &law, Steps::Own).expect("a limit");
        let before = limit.tokens();
        limit.advance(0, 1).expect("a step");
        let moved: Vec<f64> = limit.tokens().iter().zip(&before).map(|(b, a)| (b - a) / 1e-6).collect();
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
            let found = &moved[2 * (4 + i)..][..2];
            for k in 0..2 {
                assert!((found[k] - expected[k]).abs() < 5.0 * 400_000_f64.sqrt().recip(), "{found:?}, {expected:?}");
            }
        }
    }

    #[test]
    fn what_does_not_stay_normal_is_refused() {
        let law = Law::Gaussian(Normal { mean: None, spread: Spread::Scale(1.0) });
        let good = problem(3, &law, vec![Head::default()], 1.0, 1.0, 2);
        let mut unnormalized = good.clone();
        unnormalized.model.attention.normalization = Normalization::Unnormalized;
        assert!(matches!(gaussian(&unnormalized, &law, Steps::Own), Err(LimitError::Unserved { .. })));
        let mut sphere = good.clone();
        sphere.model.geometry = Geometry::Sphere;
        assert!(matches!(gaussian(&sphere, &law, Steps::Own), Err(LimitError::Unserved { .. })));
        assert!(matches!(gaussian(&good, &Law::Uniform(Uniform), Steps::Own), Err(LimitError::Law(_))));
    }
}
