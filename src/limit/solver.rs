//! How the equation of a limit advances in time: with steps of its own, as short as an error control asks for.
//!
//! The method is that of Dormand and Prince of order 8. A step of length h is kept if its estimated error
//! e_5^2 / (e_5^2 + 0.01 e_3^2)^{1/2} (Hairer, Norsett, Wanner, II.10) is at most [`TOLERANCE`], else it is tried again with a shorter one.

use super::dop853::{A, B, C, E3, E5, STAGES};
use crate::{backend::BackendError, observables::EquiangularTokens};

/// The largest error of one step, in the units of [`Flow::size`]: far below the 1e-10 that is promised for all of them together.
const TOLERANCE: f64 = 1e-13;
/// Steps between two times: beyond, the equation is stiff.
const MOST_STEPS: usize = 100_000;
/// How much shorter or longer than the last a step may be.
const SHORTER: f64 = 0.2;
const LONGER: f64 = 5.0;
/// Steps aim below the tolerance, so that few are tried twice.
const SAFETY: f64 = 0.9;
/// A step that is shorter than this part of the time that it starts from leads nowhere.
const SHORTEST: f64 = 1e-14;

/// An equation dy/dt = f(t, y).
pub(crate) trait Flow: Send + Sync {
    /// f(t, y).
    fn velocity(&mut self, time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError>;

    /// The largest of the components of `error`, an error of `state`, in the units in which errors are controlled.
    fn size(&self, state: &[f64], error: &[f64]) -> f64 {
        state.iter().zip(error).map(|(y, e)| e.abs() / y.abs().max(1.0)).fold(0.0, largest)
    }

    /// Takes a state back to where states live, which rounding may have left.
    fn retract(&self, _state: &mut [f64]) {}

    /// From now on times are those of this step of the tokens, whose equation may differ from that of the next.
    fn set_step(&mut self, _step: u64) {}

    /// Nodes and coupled tokens, ordered (token, component), when the state is this one.
    fn tokens(&self, state: &[f64]) -> Vec<f64> {
        state.to_vec()
    }

    /// Lengths and overlap, where the state is that of equiangular tokens.
    fn equiangular(&self, _state: &[f64]) -> Option<EquiangularTokens> {
        None
    }

    /// The angles of the tokens whose quantiles are known, counted on over full turns; none where none are known.
    fn angles(&self, _state: &[f64]) -> Vec<f64> {
        Vec::new()
    }
}

/// The larger number; not a number if one of them is not.
pub(super) fn largest(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// Why a state could not be brought to a time.
#[derive(Debug)]
pub(crate) enum SolverError {
    Backend(BackendError),
    /// The solution leaves every bound near this time.
    NotFinite {
        time: f64,
    },
    /// The equation needs too many steps from this time on.
    Stiff {
        time: f64,
    },
}

impl From<BackendError> for SolverError {
    fn from(error: BackendError) -> Self {
        Self::Backend(error)
    }
}

/// Steps of their own length, which is remembered from one call to the next.
#[derive(Debug, Default)]
pub(crate) struct Solver {
    step: Option<f64>,
}

impl Solver {
    /// One whose next step has this length, where it has taken steps already.
    pub(crate) fn with_step(step: Option<f64>) -> Self {
        Self { step }
    }

    /// The length of the next step, if there was one.
    pub(crate) fn step(&self) -> Option<f64> {
        self.step
    }

    /// Brings `state` from the time `from` to the time `to`.
    pub(crate) fn advance(
        &mut self,
        flow: &mut dyn Flow,
        state: &mut Vec<f64>,
        from: f64,
        to: f64,
    ) -> Result<(), SolverError> {
        let mut stages = vec![vec![0.0; state.len()]; STAGES];
        let mut time = from;
        let mut length = self.step.unwrap_or(to - from);
        for _ in 0..MOST_STEPS {
            if time >= to {
                return Ok(());
            }
            let left = to - time;
            let is_last = length >= left;
            let h = if is_last { left } else { length };
            if h < SHORTEST * to.abs().max(left) {
                return Err(SolverError::NotFinite { time });
            }
            let (next, error) = step(flow, state, &mut stages, time, h)?;
            let ratio = TOLERANCE / error;
            if error <= TOLERANCE {
                *state = next;
                time = if is_last { to } else { time + h };
            }
            // Not a number, where the step has left the domain of the equation.
            let factor = if error.is_nan() { SHORTER } else { (SAFETY * ratio.powf(0.125)).clamp(SHORTER, LONGER) };
            // The last step says nothing against the length of those before it.
            if !(is_last && error <= TOLERANCE && factor * h < length) {
                length = factor * h;
            }
            self.step = Some(length);
        }
        Err(SolverError::Stiff { time })
    }
}

/// The state after a step of length `h`, and the size of its error.
fn step(
    flow: &mut dyn Flow,
    state: &[f64],
    stages: &mut [Vec<f64>],
    time: f64,
    h: f64,
) -> Result<(Vec<f64>, f64), BackendError> {
    let mut point = state.to_vec();
    for s in 0..STAGES {
        point.copy_from_slice(state);
        add(&mut point, h, A[s], stages);
        flow.velocity(time + C[s] * h, &point, &mut stages[s])?;
    }
    let mut next = state.to_vec();
    add(&mut next, h, &B, stages);
    flow.retract(&mut next);
    let mut size = |weights: &[f64]| {
        point.fill(0.0);
        add(&mut point, h, weights, stages);
        flow.size(&next, &point)
    };
    let (fifth, third) = (size(&E5), size(&E3));
    // Where the square of an error underflows there is none.
    let square = fifth * fifth;
    let error = if square == 0.0 { 0.0 } else { square / (square + 0.01 * third * third).sqrt() };
    let is_finite = next.iter().all(|y| !y.is_nan());
    Ok((next, if is_finite { error } else { f64::NAN }))
}

/// `target` + h sum_s weights_s k_s.
pub(super) fn add(target: &mut [f64], h: f64, weights: &[f64], stages: &[Vec<f64>]) {
    for (weight, stage) in weights.iter().zip(stages).filter(|(weight, _)| **weight != 0.0) {
        target.iter_mut().zip(stage).for_each(|(y, k)| *y += h * weight * k);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Field<F>(F);

    impl<F: Fn(f64, &[f64]) -> Vec<f64> + Send + Sync> Flow for Field<F> {
        fn velocity(&mut self, time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError> {
            velocity.copy_from_slice(&self.0(time, state));
            Ok(())
        }

        fn tokens(&self, state: &[f64]) -> Vec<f64> {
            state.to_vec()
        }
    }

    /// A digit that is wrong in a table breaks one of these: the nodes are the sums of rows, and the weights integrate polynomials
    /// of degree 7 over the nodes, those of the estimates nothing.
    #[test]
    fn the_tables_satisfy_the_conditions_of_quadrature() {
        for s in 0..STAGES {
            let sum: f64 = A[s].iter().sum();
            assert!((sum - C[s]).abs() < 1e-13, "stage {s}: {sum}");
        }
        let moment = |weights: &[f64], power| -> f64 { weights.iter().zip(&C).map(|(w, c)| w * c.powi(power)).sum() };
        for power in 0..8 {
            assert!((moment(&B, power) - 1.0 / f64::from(power + 1)).abs() < 1e-13, "power {power}");
        }
        for power in 0..5 {
            assert!(moment(&E5, power).abs() < 1e-13, "power {power}");
        }
        for power in 0..3 {
            assert!(moment(&E3, power).abs() < 1e-13, "power {power}");
        }
    }

    /// A pendulum for four units of time, against steps of 1/50.
    #[test]
    fn steps_have_order_eight() {
        let end = |steps: u32| {
            let mut stages = vec![vec![0.0; 2]; STAGES];
            let mut flow = Field(|_, y: &[f64]| vec![y[1], -y[0].sin()]);
            let mut state = vec![1.0, 0.0];
            for _ in 0..steps {
                state = step(&mut flow, &state, &mut stages, 0.0, 4.0 / f64::from(steps)).expect("a step").0;
            }
            state
        };
        let exact = end(200);
        let error = |steps| (end(steps)[0] - exact[0]).hypot(end(steps)[1] - exact[1]);
        let order = (error(8) / error(16)).log2();
        assert!((order - 8.0).abs() < 0.5, "order {order}");
    }

    /// The orbit of Kepler of eccentricity 0.9 closes after one turn; and what is bounded by nothing says so.
    #[test]
    fn steps_are_as_short_as_they_must_be() {
        let e: f64 = 0.9;
        let start = vec![1.0 - e, 0.0, 0.0, ((1.0 + e) / (1.0 - e)).sqrt()];
        let mut kepler = Field(|_, y: &[f64]| {
            let cube = y[0].hypot(y[1]).powi(3);
            vec![y[2], y[3], -y[0] / cube, -y[1] / cube]
        });
        let mut state = start.clone();
        Solver::default().advance(&mut kepler, &mut state, 0.0, std::f64::consts::TAU).expect("one turn");
        let error = state.iter().zip(&start).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(error < 1e-9, "{error:e}");

        let mut square = Field(|_, y: &[f64]| vec![y[0] * y[0]]);
        let mut state = vec![1.0];
        let mut solver = Solver::default();
        solver.advance(&mut square, &mut state, 0.0, 0.9).expect("before the end");
        assert!((state[0] - 10.0).abs() < 1e-9, "{}", state[0]);
        match solver.advance(&mut square, &mut state, 0.9, 2.0) {
            Err(SolverError::NotFinite { time }) => assert!((time - 1.0).abs() < 1e-9, "{time}"),
            other => panic!("{other:?}"),
        }
        let mut stiff = Field(|t: f64, y: &[f64]| vec![-1e9 * (y[0] - t.sin())]);
        let outcome = Solver::default().advance(&mut stiff, &mut vec![1.0], 0.0, 1.0);
        assert!(matches!(outcome, Err(SolverError::Stiff { .. })), "{outcome:?}");
    }
}
