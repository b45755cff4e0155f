//! The path of equiangular tokens, which stay equiangular: one overlap rho = <x_i, x_j>, i != j, says where all are.
//!
//! ```text
//! d rho / dt = sum_h c_h v_h 2 e^{kappa rho} (1 - rho) ((n - 1) rho + 1) / (e^kappa + (n - 1) e^{kappa rho})      (softmax)
//! d rho / dt = sum_h c_h v_h (2 / n) e^{kappa rho} (1 - rho) ((n - 1) rho + 1)                                  (unnormalized)
//! ```
//!
//! with A_h = a_h I, V_h = v_h I and kappa = beta_h a_h; shifted weights have the latter times e^{-beta_h} (Rigollet,
//! arXiv:2512.01868, section on the equiangular model). No n goes to infinity: for these n tokens it is exact. Token i lies in
//! the plane of its start and of the sum c of all, at the height ((1 + (n - 1) rho) / n)^{1/2} over c / |c|.
//!
//! What is solved is y = ln(((n - 1) rho + 1) / (1 - rho)): both factors that vanish leave dy/dt = 2 n sum_h c_h v_h s_h(rho), s_h
//! being the share above, and an overlap that settles at one is no stiff equation.

use super::{Limit, LimitError, Motion, Nodes, is_isotropic, on_sphere, problem_of_nodes, serves, solver::Flow};
use crate::{
    backend::BackendError,
    initial::{Form, Law, LawError},
    model::{Field, Head, Matrix, Model, Normalization},
    problem::Problem,
    tokens::{Tokens, Weights},
};

/// The arithmetic of one overlap.
pub(super) struct Equiangular {
    model: Model,
    dim: usize,
    replicas: usize,
    /// Where tokens start, (count, dim).
    start: Vec<f64>,
}

/// The path of `problem` from the configuration `law`; the tokens that have the overlap are the nodes, and the coupled tokens of each
/// replica once more.
pub fn equiangular(problem: &Problem, law: &Law) -> Result<Limit, LimitError> {
    serves(&problem.model)?;
    on_sphere(&problem.model)?;
    let (model, tokens) = (&problem.model, &problem.tokens);
    if !keeps_tokens_equiangular(problem) {
        return Err(LimitError::Unserved {
            problem: "tokens stay equiangular where all are alike and matrices are multiples of the identity",
            remedy: "leave out matrices, perceptron, changing weights, scheme = \"layer\", tokens.weights and tokens.passive",
        });
    }
    let (count, dim) = (tokens.shape.count, tokens.shape.dim);
    let overlap = match law.form() {
        Form::Equiangular { overlap } if count > 1 => overlap.unwrap_or(-1.0 / (count - 1) as f64),
        Form::Equiangular { .. }
        | Form::Axial(_)
        | Form::Smooth { .. }
        | Form::Normal(_)
        | Form::Sampled
        | Form::Mixture(_)
        | Form::Placed => {
            let remedy = "take simplex or orthonormal, of two tokens or more";
            return Err(LimitError::Law(LawError::new("law", "is not equiangular", remedy)));
        }
    };
    if (1..tokens.shape.replicas).any(|replica| tokens.replica(replica) != tokens.replica(0)) {
        let problem = "replicas that start next to each other are not equiangular";
        return Err(LimitError::Unserved { problem, remedy: "leave out tokens.perturbation" });
    }
    let start = tokens.replica(0).to_vec();
    let weights = vec![1.0 / count as f64; count];
    let limit = problem_of_nodes(problem, &start, &weights, &tokens.coordinates);
    let flow = Equiangular { model: model.clone(), dim, replicas: tokens.shape.replicas, start };
    let state = vec![flow.logarithm(overlap)];
    Ok(Limit::new(limit, Nodes::Points, Motion::own(flow, state)).of_tokens())
}

/// Whether a problem that has a limit on the sphere keeps tokens equiangular that are.
fn keeps_tokens_equiangular(problem: &Problem) -> bool {
    let Problem { tokens, model, model_schedule, scheme, schedule: _, quantities: _, algorithm: _, tolerance: _ } =
        problem;
    let Tokens { shape, coordinates: _, weights } = tokens;
    is_isotropic(model)
        && model_schedule.is_constant()
        && scheme.field() == Field::Tangent
        && *weights == Weights::Equal
        && shape.passive == 0
}

impl Equiangular {
    fn count(&self) -> f64 {
        (self.start.len() / self.dim) as f64
    }

    /// y at the overlap rho; the regular simplex is at minus infinity, where rounding must not leave it finite.
    fn logarithm(&self, rho: f64) -> f64 {
        let n = self.count();
        let least = (n - 1.0) * rho + 1.0;
        if least <= n * f64::EPSILON { f64::NEG_INFINITY } else { (least / (1.0 - rho)).ln() }
    }

    /// (1 - rho, rho) at y: (n - 1 + e^y) (1 - rho) = n.
    fn overlap(&self, y: f64) -> (f64, f64) {
        let n = self.count();
        let rest = if y > 0.0 { n * (-y).exp() / (1.0 + (n - 1.0) * (-y).exp()) } else { n / (n - 1.0 + y.exp()) };
        (rest, 1.0 - rest)
    }

    /// sum_h c_h v_h s_h, s_h being e^{kappa rho} over the normalization.
    fn speed(&self, y: f64) -> f64 {
        let (n, attention) = (self.count(), &self.model.attention);
        let (rest, rho) = self.overlap(y);
        let share = |head: &Head| {
            let multiple = |matrix: &Matrix| matrix.multiple_of_identity().unwrap_or(0.0);
            let beta = attention.beta_of(head);
            let kappa = beta * multiple(&head.query_key);
            let weight = match attention.normalization {
                // Divided by e^{kappa rho}, so that nothing overflows where the overlap is near one.
                Normalization::Softmax => 1.0 / ((kappa * rest).exp() + n - 1.0),
                Normalization::Shifted => (kappa * rho - beta).exp() / n,
                Normalization::Unnormalized | Normalization::Hardmax | Normalization::Sinkhorn { .. } => {
                    (kappa * rho).exp() / n
                }
            };
            head.weight * multiple(&head.value) * weight
        };
        attention.heads.iter().map(share).sum::<f64>()
    }

    /// Tokens of the overlap at y.
    fn places(&self, y: f64) -> Vec<f64> {
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
        let (rest, rho) = self.overlap(y);
        let height = ((1.0 + (n - 1.0) * rho) / n).clamp(0.0, 1.0).sqrt();
        // 1 - height^2, without the digits that this would lose near the pole.
        let across = ((n - 1.0) * rest / n).clamp(0.0, 1.0).sqrt();
        let place = |x: &[f64]| {
            let along = dot(x, &pole);
            let side: Vec<f64> = x.iter().zip(&pole).map(|(x, c)| x - along * c).collect();
            let width = dot(&side, &side).sqrt();
            pole.iter().zip(side).map(|(c, side)| height * c + across * side / width).collect::<Vec<_>>()
        };
        self.start.chunks_exact(dim).flat_map(place).collect()
    }
}

impl Flow for Equiangular {
    fn velocity(&mut self, _time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError> {
        velocity[0] = 2.0 * self.count() * self.speed(state[0]);
        Ok(())
    }

    /// That of rho: d rho / dy = (1 - rho) ((n - 1) rho + 1) / n.
    fn size(&self, state: &[f64], error: &[f64]) -> f64 {
        let n = self.count();
        let (rest, rho) = self.overlap(state[0]);
        error[0].abs() * rest * ((n - 1.0) * rho + 1.0).max(0.0) / n
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
        initial::{Orthonormal, Simplex, Uniform, draw, perturb},
        limit::tests::problem_of,
        model::Attention,
        observables::Quantity,
        problem::Samples,
        scheme::Scheme,
        simulate::{Event, simulate_beside},
        tokens::Shape,
    };

    fn problem(law: &Law, count: usize, attention: Attention, end: f64) -> Problem {
        let shape = Shape { replicas: 2, count, dim: count, passive: 0 };
        problem_of(shape, draw(law, shape, 0).expect("tokens"), attention.into(), Scheme::Rk4, end)
    }

    /// The overlap at the end.
    fn end(problem: &Problem, law: &Law) -> f64 {
        let mut limit = equiangular(problem, law).expect("a limit");
        limit.advance(0, problem.schedule.steps).expect("steps");
        let (tokens, dim) = (limit.tokens(), problem.tokens.shape.dim);
        tokens[..dim].iter().zip(&tokens[dim..]).map(|(x, y)| x * y).sum()
    }

    /// tanh t for two tokens at beta = 0; and n = 8, beta = 2 at t = 2 as another program has it.
    #[test]
    fn overlaps_are_those_on_paper() {
        let attention = |beta| Attention { beta, ..Attention::default() };
        let found =
            end(&problem(&Law::Orthonormal(Orthonormal), 2, attention(0.0), 1.0), &Law::Orthonormal(Orthonormal));
        assert!((found - 1.0_f64.tanh()).abs() < 1e-9, "{found}");
        let found =
            end(&problem(&Law::Orthonormal(Orthonormal), 8, attention(2.0), 2.0), &Law::Orthonormal(Orthonormal));
        assert!((found - 0.659_873_709_505).abs() < 1e-9, "{found}");
    }

    /// Tokens and coupled tokens in double precision, steps of 1/800: 1e-10 apart for all normalizations, and overlaps as well.
    #[test]
    fn tokens_stay_equiangular_and_follow_the_overlap() {
        let laws = [
            Law::Orthonormal(Orthonormal),
            Law::Simplex(Simplex { overlap: Some(-0.1) }),
            Law::Simplex(Simplex { overlap: None }),
        ];
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
                problem.schedule.samples = Samples::Every(200);
                problem.quantities = vec![Quantity::CouplingError, Quantity::OverlapReference];
                let mut limit = equiangular(&problem, law).expect("a limit");
                let mut cpu = Cpu::<f64>::new(&problem).expect("a backend");
                let run = simulate_beside(&problem, &mut cpu, Some(&mut limit), |event| {
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
        let good = problem(&Law::Orthonormal(Orthonormal), 4, Attention::default(), 1.0);
        assert!(matches!(equiangular(&good, &Law::Uniform(Uniform)), Err(LimitError::Law(_))));
        let mut passive = good.clone();
        passive.tokens.shape.passive = 1;
        assert!(matches!(equiangular(&passive, &Law::Orthonormal(Orthonormal)), Err(LimitError::Unserved { .. })));
        let mut perturbed = good.clone();
        perturb(&mut perturbed.tokens.coordinates, perturbed.tokens.shape, 1e-6, 0);
        let error =
            equiangular(&perturbed, &Law::Orthonormal(Orthonormal)).map(|_| ()).expect_err("perturbed replicas");
        let says = "replicas that start next to each other are not equiangular; leave out tokens.perturbation";
        assert_eq!(error.to_string(), says);
        let mut general = good;
        general.model.attention.heads[0].value = Matrix::Diagonal(vec![1.0, 2.0, 1.0, 1.0]);
        assert!(matches!(equiangular(&general, &Law::Orthonormal(Orthonormal)), Err(LimitError::Unserved { .. })));
    }
}
