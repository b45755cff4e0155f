//! The path of equiangular tokens, which stay equiangular: one overlap rho = <theta_i, theta_j>, i != j, theta = x / |x|, says where
//! all are, and with pre-norm and peri-norm one length r.
//!
//! ```text
//! d rho / dt = sum_h c_h v_h 2 e^{kappa rho} (1 - rho) ((n - 1) rho + 1) / (e^kappa + (n - 1) e^{kappa rho}) / s      (softmax)
//! d rho / dt = sum_h c_h v_h (2 / n) e^{kappa rho} (1 - rho) ((n - 1) rho + 1) / s                              (unnormalized)
//! d rho / dt = sum_h c_h v_h (2 / n) phi(kappa rho) (1 - rho) ((n - 1) rho + 1) / s                             (relu, sigmoid)
//! ```
//!
//! with A_h = a_h I, V_h = v_h I and kappa = beta_h a_h; shifted weights have the second times e^{-beta_h} (Rigollet,
//! arXiv:2512.01868, section on the equiangular model). With A the attention of a token ("Normalization in attention dynamics",
//! arXiv:2510.22026) s is 1 on the sphere, r for pre-norm, r |A| for peri-norm and |A| / alpha for nGPT; dr / dt is <theta, A> and
//! <theta, A> / |A| for pre-norm and peri-norm. No n goes to infinity: for these n tokens it is exact. Token i lies in
//! the plane of its start and of the sum c of all, at the height ((1 + (n - 1) rho) / n)^{1/2} over c / |c|.
//!
//! What is solved is y = ln(((n - 1) rho + 1) / (1 - rho)): both factors that vanish leave dy/dt = 2 q / s, q = n sum_h c_h v_h b_h, b_h being
//! the weight of another token, and an overlap that settles at one is no stiff equation. With p = sum_h c_h v_h (a_h - b_h), a_h being the
//! weight of a token for itself, and the height h, <theta, A> = p + q h^2 and |A|^2 = p^2 + (2 p + q) q h^2. All of these are finite for any n.

use super::{
    Limit, LimitError, Motion, Nodes, is_isotropic, is_known, problem_of_nodes, serves,
    solver::{Flow, largest},
};
use crate::{
    backend::BackendError,
    initial::{Form, Law, LawError},
    model::{Field, Geometry, Head, Matrix, Model, Normalization},
    observables::EquiangularTokens,
    problem::Problem,
    tokens::{Tokens, Weights},
};

/// The arithmetic of one overlap and one length.
pub(super) struct Equiangular {
    model: Model,
    /// n.
    count: f64,
    dim: usize,
    places: Option<Places>,
}

/// Where tokens of the problem are.
struct Places {
    replicas: usize,
    /// At time zero, (count, dim).
    start: Vec<f64>,
}

/// The path of `problem` from the configuration `law`; the tokens that have the overlap are the nodes, and the coupled tokens of each
/// replica once more.
pub fn equiangular(problem: &Problem, law: &Law) -> Result<Limit, LimitError> {
    requires_overlaps(problem)?;
    let tokens = &problem.tokens;
    if !are_alike(tokens) {
        return Err(LimitError::Unserved {
            problem: "tokens stay equiangular where all are alike",
            remedy: "leave out tokens.weights and tokens.passive",
        });
    }
    let count = tokens.shape.count;
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
    let (dim, places) = (tokens.shape.dim, Places { replicas: tokens.shape.replicas, start });
    let flow = Equiangular { model: problem.model.clone(), count: count as f64, dim, places: Some(places) };
    let state = flow.state(overlap);
    Ok(Limit::new(limit, Nodes::Points, Motion::own(flow, state)).of_tokens())
}

/// The path of `count` tokens of length one that have this overlap at time zero and move as those of `problem` do.
pub fn overlap(problem: &Problem, count: u64, overlap: f64) -> Result<Limit, LimitError> {
    requires_overlaps(problem)?;
    let dim = problem.tokens.shape.dim;
    let flow = Equiangular { model: problem.model.clone(), count: count as f64, dim, places: None };
    let limit = problem_of_nodes(problem, &flow.nowhere(), &[1.0], &[]);
    let state = flow.state(overlap);
    Ok(Limit::new(limit, Nodes::Overlap, Motion::own(flow, state)).of_tokens())
}

/// Refuses what moves equiangular tokens elsewhere.
fn requires_overlaps(problem: &Problem) -> Result<(), LimitError> {
    if problem.model.attention.normalization.is_pointwise() {
        is_known(&problem.model)?;
    } else {
        serves(&problem.model)?;
    }
    geometry_of(&problem.model)?;
    if !keeps_overlaps(problem) {
        return Err(LimitError::Unserved {
            problem: "tokens stay equiangular where matrices are multiples of the identity and nothing changes",
            remedy: "leave out matrices, perceptron, changing weights and scheme = \"layer\"",
        });
    }
    Ok(())
}

/// Whether a problem that has such a limit keeps tokens equiangular that are.
fn keeps_overlaps(problem: &Problem) -> bool {
    let Problem { tokens: _, model, model_schedule, scheme, schedule: _, quantities: _, algorithm: _, tolerance: _ } =
        problem;
    is_isotropic(model) && model_schedule.is_constant() && scheme.field() == Field::Tangent
}

/// Whether all tokens attract all others alike.
fn are_alike(tokens: &Tokens) -> bool {
    let Tokens { shape, coordinates: _, weights } = tokens;
    *weights == Weights::Equal && shape.passive == 0
}

/// Refuses geometries in which lengths or coordinates tell tokens apart.
fn geometry_of(model: &Model) -> Result<(), LimitError> {
    let Model { geometry, attention: _, perceptron: _, noise: _, frozen: _ } = model;
    match geometry {
        Geometry::Sphere | Geometry::PreNorm | Geometry::PeriNorm | Geometry::Ngpt { .. } => Ok(()),
        Geometry::Euclidean | Geometry::Rescaled | Geometry::LayerNorm { .. } => Err(LimitError::Unserved {
            problem: "the overlap of equiangular tokens is one of directions",
            remedy: "write tokens.geometry = \"sphere\", \"pre-norm\", \"peri-norm\" or \"ngpt\", or reference.kind = \"particles\"",
        }),
    }
}

impl Equiangular {
    /// That of the overlap rho and length one: y, and r where it changes.
    fn state(&self, rho: f64) -> Vec<f64> {
        let n = self.count;
        let least = (n - 1.0) * rho + 1.0;
        // The regular simplex is at minus infinity, where rounding must not leave it finite.
        let y = if least <= 8.0 * f64::EPSILON { f64::NEG_INFINITY } else { (least / (1.0 - rho)).ln() };
        match self.model.geometry.is_unit() {
            true => vec![y],
            false => vec![y, 1.0],
        }
    }

    fn tokens_at(&self, state: &[f64]) -> EquiangularTokens {
        let (rest, _) = self.angle(state[0]);
        let (n, y) = (self.count, state[0]);
        let overlap = if y > 1.0 { 1.0 - rest } else { y.exp_m1() / (n - 1.0 + y.exp()) };
        EquiangularTokens { count: n, overlap, rest, length: state.get(1).copied().unwrap_or(1.0) }
    }

    /// (1 - rho, h^2) at y: (n - 1 + e^y) (1 - rho) = n, and e^y (1 - rho) = n h^2.
    fn angle(&self, y: f64) -> (f64, f64) {
        let n = self.count;
        if y > 0.0 {
            let below = 1.0 + (n - 1.0) * (-y).exp();
            (n * (-y).exp() / below, 1.0 / below)
        } else {
            let below = n - 1.0 + y.exp();
            (n / below, y.exp() / below)
        }
    }

    /// (p, q).
    fn shares(&self, tokens: &EquiangularTokens) -> (f64, f64) {
        let (n, attention) = (self.count, &self.model.attention);
        let of_head = |head: &Head| {
            let multiple = |matrix: &Matrix| matrix.multiple_of_identity().unwrap_or(0.0);
            let beta = attention.beta_of(head);
            let kappa = beta * multiple(&head.query_key);
            let gap = kappa * tokens.rest;
            let (own, other) = match attention.normalization {
                // Divided by the larger of e^kappa and e^{kappa rho}, so that nothing overflows.
                Normalization::Softmax if gap > 0.0 => {
                    let sum = 1.0 + (n - 1.0) * (-gap).exp();
                    (-(-gap).exp_m1() / sum, n * (-gap).exp() / sum)
                }
                Normalization::Softmax => {
                    let sum = gap.exp() + n - 1.0;
                    (gap.exp_m1() / sum, n / sum)
                }
                Normalization::Shifted => unnormalized(kappa, kappa * tokens.overlap, gap, beta, n),
                Normalization::Relu => pointwise([kappa, kappa * tokens.overlap].map(|score| score.max(0.0)), n),
                Normalization::Sigmoid => {
                    pointwise([kappa, kappa * tokens.overlap].map(|score| 1.0 / (1.0 + (-score).exp())), n)
                }
                Normalization::Unnormalized | Normalization::Hardmax | Normalization::Sinkhorn { .. } => {
                    unnormalized(kappa, kappa * tokens.overlap, gap, 0.0, n)
                }
            };
            let value = head.weight * multiple(&head.value);
            (value * own, value * other)
        };
        attention.heads.iter().map(of_head).fold((0.0, 0.0), |(p, q), (own, other)| (p + own, q + other))
    }

    /// What stands for tokens whose places are not known, and is not read.
    fn nowhere(&self) -> Vec<f64> {
        (0..self.dim).map(|k| if k == 0 { 1.0 } else { 0.0 }).collect()
    }

    /// Tokens of the overlap at y.
    fn places(&self, places: &Places, y: f64) -> Vec<f64> {
        let (n, dim, start) = (self.count, self.dim, &places.start);
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let mut pole = vec![0.0; dim];
        start.chunks_exact(dim).for_each(|x| pole.iter_mut().zip(x).for_each(|(c, x)| *c += x));
        let length = dot(&pole, &pole).sqrt();
        // The regular simplex, whose sum is nothing but rounding, stays where it is.
        if length < 1e-9 {
            return start.clone();
        }
        pole.iter_mut().for_each(|c| *c /= length);
        let (rest, square) = self.angle(y);
        let height = square.clamp(0.0, 1.0).sqrt();
        // 1 - height^2, without the digits that this would lose near the pole.
        let across = ((n - 1.0) * rest / n).clamp(0.0, 1.0).sqrt();
        let place = |x: &[f64]| {
            let along = dot(x, &pole);
            let side: Vec<f64> = x.iter().zip(&pole).map(|(x, c)| x - along * c).collect();
            let width = dot(&side, &side).sqrt();
            pole.iter().zip(side).map(|(c, side)| height * c + across * side / width).collect::<Vec<_>>()
        };
        start.chunks_exact(dim).flat_map(place).collect()
    }
}

/// The same of weights phi / n for a token itself and for others.
fn pointwise([own, other]: [f64; 2], n: f64) -> (f64, f64) {
    ((own - other) / n, other)
}

/// ((e^kappa - e^{kappa rho}) / n, e^{kappa rho}) e^{-shift} from both scores and their difference.
fn unnormalized(own: f64, other: f64, gap: f64, shift: f64, n: f64) -> (f64, f64) {
    let between =
        if gap > 0.0 { (own - shift).exp() * -(-gap).exp_m1() } else { (other - shift).exp() * gap.exp_m1() };
    (between / n, (other - shift).exp())
}

impl Flow for Equiangular {
    fn velocity(&mut self, _time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError> {
        let (tokens, (_, square)) = (self.tokens_at(state), self.angle(state[0]));
        let (p, q) = self.shares(&tokens);
        let along = p + q * square;
        let length = (p * p + (2.0 * p + q) * q * square).max(0.0).sqrt();
        let (turn, growth) = match &self.model.geometry {
            Geometry::PreNorm => (1.0 / tokens.length, along),
            Geometry::PeriNorm => (1.0 / (tokens.length * length), along / length),
            Geometry::Ngpt { alpha } => (alpha / length, 0.0),
            Geometry::Sphere | Geometry::Euclidean | Geometry::Rescaled | Geometry::LayerNorm { .. } => (1.0, 0.0),
        };
        velocity[0] = 2.0 * q * turn;
        if let Some(velocity) = velocity.get_mut(1) {
            *velocity = growth;
        }
        Ok(())
    }

    /// That of rho, d rho / dy = (1 - rho) h^2, and of the length.
    fn size(&self, state: &[f64], error: &[f64]) -> f64 {
        let (rest, square) = self.angle(state[0]);
        let length = state.iter().zip(error).skip(1).map(|(r, error)| error.abs() / r.abs().max(1.0));
        length.fold(error[0].abs() * rest * square, largest)
    }

    fn tokens(&self, state: &[f64]) -> Vec<f64> {
        match &self.places {
            Some(places) => {
                let length = self.tokens_at(state).length;
                let tokens = self.places(places, state[0]);
                tokens.iter().map(|x| length * x).collect::<Vec<_>>().repeat(places.replicas + 1)
            }
            None => self.nowhere(),
        }
    }

    fn equiangular(&self, state: &[f64]) -> Option<EquiangularTokens> {
        Some(self.tokens_at(state))
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
        simulate::{Event, simulate_with_limit},
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

    /// Two tokens under relu: tan theta falls by e^{-beta t}, of acute angles.
    #[test]
    fn a_positive_part_turns_the_tangent_of_two_tokens() {
        let law = Law::Simplex(Simplex { overlap: Some(0.3) });
        let attention = Attention { beta: 1.5, normalization: Normalization::Relu, ..Attention::default() };
        let found = end(&problem(&law, 2, attention, 1.0), &law);
        let tangent = (1.0 - 0.09_f64).sqrt() / 0.3 * (-1.5_f64).exp();
        assert!((found - (1.0 + tangent * tangent).sqrt().recip()).abs() < 1e-9, "{found}");
    }

    /// Tokens and coupled tokens in double precision, steps of 1/800: 1e-10 apart for all normalizations, and overlaps as well.
    #[test]
    fn tokens_stay_equiangular_and_follow_the_overlap() {
        let laws = [
            Law::Orthonormal(Orthonormal),
            Law::Simplex(Simplex { overlap: Some(-0.1) }),
            Law::Simplex(Simplex { overlap: None }),
        ];
        use Normalization::{Relu, Shifted, Sigmoid, Softmax, Unnormalized};
        for normalization in [Softmax, Unnormalized, Shifted, Relu, Sigmoid] {
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
                let run = simulate_with_limit(&problem, &mut cpu, Some(&mut limit), |event| {
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
