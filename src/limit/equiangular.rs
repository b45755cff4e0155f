//! The course of equiangular tokens, which stay equiangular: one overlap rho = <x_i, x_j>, i != j, says where all are.
//!
//! ```text
//! d rho / dt = sum_h c_h v_h 2 e^{kappa rho} (1 - rho) ((n - 1) rho + 1) / (e^kappa + (n - 1) e^{kappa rho})      (softmax)
//! d rho / dt = sum_h c_h v_h (2 / n) e^{kappa rho} (1 - rho) ((n - 1) rho + 1)                                  (unnormalized)
//! ```
//!
//! with A_h = a_h I, V_h = v_h I and kappa = beta_h a_h; shifted weights have the latter times e^{-beta_h} (Rigollet,
//! arXiv:2512.01868, section on the equiangular model). No n goes to infinity: for these n tokens it is exact. Token i lies in
//! the plane of its start and of the sum c of all, at the height ((1 + (n - 1) rho) / n)^{1/2} over c / |c|.

use super::{Closed, Form, Limit, LimitError, Nodes, beside, on_sphere, serves};
use crate::{
    initial::{Law, LawError},
    model::{Field, Head, Matrix, Model, Normalization},
    problem::Problem,
    tokens::Weights,
};

/// The arithmetic of one overlap, which is all of its state; the tokens that have it are the nodes, and the twins of each replica once more.
pub struct Equiangular {
    dim: usize,
    replicas: usize,
    /// Where tokens start, (count, dim).
    start: Vec<f64>,
}

impl Equiangular {
    /// The course of `problem` from the configuration `law`, and its arithmetic.
    pub fn new(problem: &Problem, law: &Law) -> Result<(Limit, Closed<Self>), LimitError> {
        serves(&problem.model)?;
        on_sphere(&problem.model)?;
        let (model, tokens) = (&problem.model, &problem.tokens);
        let multiple = |matrix: &Matrix| matrix.multiple_of_identity().is_some();
        let is_closed = model.attention.heads.iter().all(|head| multiple(&head.query_key) && multiple(&head.value))
            && model.perceptron.is_none()
            && problem.course.is_constant()
            && problem.scheme.field() == Field::Tangent
            && tokens.weights == Weights::Equal
            && tokens.shape.passive == 0;
        if !is_closed {
            return Err(LimitError::Unserved {
                problem: "tokens stay equiangular where all are alike and matrices are multiples of the identity",
                remedy: "leave out matrices, perceptron, changing weights, scheme = \"layer\", tokens.weights and tokens.passive",
            });
        }
        let (count, dim) = (tokens.shape.count, tokens.shape.dim);
        let overlap = match law {
            Law::Orthonormal if count > 1 => 0.0,
            Law::Simplex { overlap } if count > 1 => overlap.unwrap_or(-1.0 / (count - 1) as f64),
            _ => {
                let remedy = "take simplex or orthonormal, of two tokens or more".into();
                return Err(LimitError::Law(LawError { key: "law", problem: "is not equiangular".into(), remedy }));
            }
        };
        if (1..tokens.shape.replicas).any(|replica| tokens.replica(replica) != tokens.replica(0)) {
            let problem = "replicas that start next to each other are not equiangular";
            return Err(LimitError::Unserved { problem, remedy: "leave out tokens.perturbation" });
        }
        let start = tokens.replica(0).to_vec();
        let weights = vec![1.0 / count as f64; count];
        let limit = beside(problem, Nodes::Points, start.clone(), &weights, &tokens.coordinates);
        let form = Self { dim, replicas: tokens.shape.replicas, start };
        Ok((limit, Closed::new(form, model, vec![overlap], problem.slots())))
    }

    fn count(&self) -> f64 {
        (self.start.len() / self.dim) as f64
    }

    /// d rho / dt.
    fn speed(&self, model: &Model, rho: f64) -> f64 {
        let (n, attention) = (self.count(), &model.attention);
        let share = |head: &Head| {
            let multiple = |matrix: &Matrix| matrix.multiple_of_identity().unwrap_or(0.0);
            let beta = attention.beta_of(head);
            let kappa = beta * multiple(&head.query_key);
            let weight = match attention.normalization {
                // Divided by e^{kappa rho}, so that nothing overflows where the overlap is near one.
                Normalization::Softmax => 1.0 / ((kappa * (1.0 - rho)).exp() + n - 1.0),
                Normalization::Shifted => (kappa * rho - beta).exp() / n,
                _ => (kappa * rho).exp() / n,
            };
            head.weight * multiple(&head.value) * weight
        };
        2.0 * (1.0 - rho) * ((n - 1.0) * rho + 1.0) * attention.heads.iter().map(share).sum::<f64>()
    }

    /// Tokens of this overlap.
    fn places(&self, rho: f64) -> Vec<f64> {
        let (n, dim) = (self.count(), self.dim);
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let mut pole = vec![0.0; dim];
        self.start.chunks_exact(dim).for_each(|x| pole.iter_mut().zip(x).for_each(|(c, x)| *c += x));
        let length = dot(&pole, &pole).sqrt();
        // The regular simplex, whose sum is nothing but rounding, stays where it is.
        if length < 1e-9 {
            return self.start.clone();
        }
        pole.iter_mut().for_each(|c| *c /= length);
        let height = ((1.0 + (n - 1.0) * rho) / n).clamp(0.0, 1.0).sqrt();
        let across = (1.0 - height * height).sqrt();
        let place = |x: &[f64]| {
            let along = dot(x, &pole);
            let side: Vec<f64> = x.iter().zip(&pole).map(|(x, c)| x - along * c).collect();
            let width = dot(&side, &side).sqrt();
            pole.iter().zip(side).map(|(c, side)| height * c + across * side / width).collect::<Vec<_>>()
        };
        self.start.chunks_exact(dim).flat_map(place).collect()
    }
}

impl Form for Equiangular {
    const NAME: &'static str = "equiangular";

    fn evaluate(&self, model: &Model, state: &[f64], velocity: &mut [f64]) {
        velocity[0] = self.speed(model, state[0]);
    }

    fn mean(&self, state: &[f64]) -> Vec<f64> {
        let mut mean = vec![0.0; self.dim];
        let places = self.places(state[0]);
        places.chunks_exact(self.dim).for_each(|x| mean.iter_mut().zip(x).for_each(|(m, x)| *m += x / self.count()));
        mean
    }

    fn tokens(&self, state: &[f64]) -> Vec<f64> {
        self.places(state[0]).repeat(self.replicas + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backend::cpu::Cpu,
        initial::{draw, perturb},
        limit::tests::problem_of,
        model::Attention,
        observe::Quantity,
        scheme::Scheme,
        simulate::{Beside, Event, simulate_beside},
        tokens::Shape,
    };

    fn problem(law: &Law, count: usize, attention: Attention, end: f64) -> Problem {
        let shape = Shape { replicas: 2, count, dim: count, passive: 0 };
        problem_of(shape, draw(law, shape, 0).expect("tokens"), attention.into(), Scheme::Rk4, end)
    }

    /// The overlap at the end.
    fn end(problem: &Problem, law: &Law) -> f64 {
        let mut problem = problem.clone();
        problem.schedule.steps *= 20;
        let (limit, mut overlap) = Equiangular::new(&problem, law).expect("a limit");
        Beside { limit: &limit, backend: &mut overlap }.follow(0, problem.schedule.steps).expect("steps");
        overlap.state[0]
    }

    /// tanh t for two tokens at beta = 0; and n = 8, beta = 2 at t = 2 as another program has it.
    #[test]
    fn overlaps_are_those_on_paper() {
        let attention = |beta| Attention { beta, ..Attention::default() };
        let found = end(&problem(&Law::Orthonormal, 2, attention(0.0), 1.0), &Law::Orthonormal);
        assert!((found - 1.0_f64.tanh()).abs() < 1e-9, "{found}");
        let found = end(&problem(&Law::Orthonormal, 8, attention(2.0), 2.0), &Law::Orthonormal);
        assert!((found - 0.659_873_709_505).abs() < 1e-9, "{found}");
    }

    /// Tokens and twins in double precision, steps of 1/800: 1e-10 apart for all normalizations, and overlaps as well.
    #[test]
    fn tokens_stay_equiangular_and_follow_the_overlap() {
        let laws = [Law::Orthonormal, Law::Simplex { overlap: Some(-0.1) }, Law::Simplex { overlap: None }];
        for normalization in [Normalization::Softmax, Normalization::Unnormalized, Normalization::Shifted] {
            for law in &laws {
                let other = Head {
                    query_key: Matrix::Scale(-0.5),
                    value: Matrix::Scale(0.7),
                    weight: 0.4,
                    ..Head::default()
                };
                let heads = vec![Head::default(), other];
                let attention = Attention { beta: 1.5, normalization, heads, ..Attention::default() };
                let mut problem = problem(law, 6, attention, 1.0);
                problem.schedule.steps = 800;
                problem.schedule.observe_every = 200;
                problem.quantities = vec![Quantity::CouplingError, Quantity::OverlapReference];
                let (limit, mut overlap) = Equiangular::new(&problem, law).expect("a limit");
                let mut cpu = Cpu::<f64>::new(&problem).expect("a backend");
                let beside = Beside { limit: &limit, backend: &mut overlap };
                let run = simulate_beside(&problem, &mut cpu, Some(beside), |event| {
                    if let Event::Sample(sample) = event {
                        assert!(
                            sample.values.iter().all(|value| *value < 1e-10),
                            "{law:?}, {normalization:?}: {sample:?}"
                        );
                    }
                    Ok(())
                });
                pollster::block_on(run).expect("the end");
            }
        }
    }

    #[test]
    fn what_is_not_equiangular_is_refused() {
        let good = problem(&Law::Orthonormal, 4, Attention::default(), 1.0);
        assert!(matches!(Equiangular::new(&good, &Law::Uniform), Err(LimitError::Law(_))));
        let mut passive = good.clone();
        passive.tokens.shape.passive = 1;
        assert!(matches!(Equiangular::new(&passive, &Law::Orthonormal), Err(LimitError::Unserved { .. })));
        let mut perturbed = good.clone();
        perturb(&mut perturbed.tokens.coordinates, perturbed.tokens.shape, 1e-6, 0);
        let error = Equiangular::new(&perturbed, &Law::Orthonormal).map(|_| ()).expect_err("perturbed replicas");
        let says = "replicas that start next to each other are not equiangular; leave out tokens.perturbation";
        assert_eq!(error.to_string(), says);
        let mut general = good;
        general.model.attention.heads[0].value = Matrix::Diagonal(vec![1.0, 2.0, 1.0, 1.0]);
        assert!(matches!(Equiangular::new(&general, &Law::Orthonormal), Err(LimitError::Unserved { .. })));
    }
}
