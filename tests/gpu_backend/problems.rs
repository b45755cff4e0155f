//! The problems that the tests pose, all repeatable.

use tokenfield::{
    model::{Attention, Head, Mask, Matrix, ModelSchedule},
    problem::{Algorithm, Problem, Schedule},
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

/// A repeatable stream of numbers in [-1, 1): the high bits of a linear congruence (Knuth's MMIX constants).
pub struct Stream(pub u64);

impl Stream {
    pub fn number(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    pub fn matrix(&mut self, dim: usize) -> Matrix {
        let scale = 1.0 / (dim as f64).sqrt();
        Matrix::Dense((0..dim * dim).map(|_| f64::from((scale * self.number()) as f32)).collect())
    }
}

/// Unit tokens whose coordinates single precision holds exactly, so that rounding the input is no error.
fn unit_tokens(shape: Shape, seed: u64) -> Vec<f64> {
    let mut stream = Stream(seed);
    let mut coordinates: Vec<f64> = (0..shape.coordinates()).map(|_| stream.number()).collect();
    for token in coordinates.chunks_exact_mut(shape.dim) {
        let norm = token.iter().map(|c| c * c).sum::<f64>().sqrt();
        token.iter_mut().for_each(|c| *c = f64::from((*c / norm) as f32));
    }
    coordinates
}

pub fn shape(count: usize, dim: usize) -> Shape {
    Shape { replicas: 1, count, dim, passive: 0 }
}

pub fn identity() -> Head {
    Head::default()
}

pub fn problem(shape: Shape, beta: f64) -> Problem {
    Problem {
        tokens: Tokens { shape, coordinates: unit_tokens(shape, 7), weights: Weights::Equal },
        model: Attention { beta, ..Attention::default() }.into(),
        model_schedule: ModelSchedule::Constant,
        scheme: Scheme::Heun,
        schedule: Schedule::even(1, 0.1, 1),
        quantities: vec![],
        algorithm: Algorithm::Direct,
        tolerance: None,
    }
}

/// Weights of very different sizes, one of them zero.
pub fn uneven_weights(shape: Shape) -> Weights {
    let mut stream = Stream(11);
    let mut weights = vec![0.0; shape.tokens()];
    for replica in weights.chunks_exact_mut(shape.count) {
        let sources = &mut replica[..shape.sources()];
        sources.iter_mut().for_each(|weight| *weight = (3.0 * stream.number()).exp());
        if shape.sources() > 1 {
            sources[shape.sources() / 2] = 0.0;
        }
        let sum: f64 = sources.iter().sum();
        sources.iter_mut().for_each(|weight| *weight /= sum);
    }
    Weights::Each(weights)
}

/// Problems that take every path of the layout: narrow and wide, fixed and running shifts, general matrices.
pub fn varied_problems() -> Vec<Problem> {
    let mut problems = Vec::new();
    for (dim, count, replicas, passive) in [(3, 700, 1, 0), (3, 700, 2, 50), (3, 40, 9, 4), (18, 150, 2, 70)] {
        let mut problem = problem(Shape { replicas, count, dim, passive }, 3.0);
        problems.push(problem.clone());
        problem.tokens.weights = uneven_weights(problem.tokens.shape);
        let mut stream = Stream(13);
        problem.model.attention.heads.push(Head {
            query_key: stream.matrix(dim),
            value: stream.matrix(dim),
            ..Head::default()
        });
        problems.push(problem.clone());
        problem.model.attention.mask = Mask::Causal;
        problems.push(problem.clone());
        problem.model.attention.mask = Mask::StrictlyCausal;
        problems.push(problem);
    }
    problems
}
