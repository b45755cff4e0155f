//! The energy that a flow of several weighted heads climbs.

use libtest_mimic::Trial;
use tokenfield::{
    backend::reference,
    model::{Attention, Head, Matrix, Normalization},
    observables::{HeadEnergies, Quantity, columns},
    problem::{Problem, Schedule},
};

use crate::{
    backends::{self, Kind},
    clouds::{assert_close, cloud, problem, uneven},
};

pub fn all() -> Vec<Trial> {
    let mut trials = backends::trials("energy::weighted_heads_climb_their_energy", climbs);
    trials.extend(backends::laws("energy::that_of_each_head_is_of_its_pairs", of_each_head));
    trials.extend(backends::laws("energy::sums_that_are_not_positive_have_no_logarithm", not_positive));
    trials
}

fn symmetric(scale: f64, turn: f64) -> Matrix {
    Matrix::Dense(vec![scale, turn, 0.0, turn, -0.5 * scale, 0.2, 0.0, 0.2, 0.7])
}

fn head(matrix: Matrix, beta: f64, weight: f64) -> Head {
    Head { query_key: matrix.clone(), value: matrix, beta: Some(beta), weight, ..Head::default() }
}

fn with(heads: Vec<Head>) -> Problem {
    let mut problem = problem(cloud(2, 40, 3, 7), 1.0);
    problem.model = Attention { heads, normalization: Normalization::Unnormalized, ..Attention::default() }.into();
    problem.quantities = vec![Quantity::Energy];
    problem
}

/// Unnormalized heads with V_h = A_h, of different beta and of weights of either sign: the gradient of E = sum_h c_h E_h. Without the
/// weights the sum falls here.
fn climbs(kind: Kind) {
    let heads = vec![
        head(Matrix::Identity, 1.0, 0.4),
        head(symmetric(1.0, 0.3), 2.0, 1.5),
        head(symmetric(-0.6, 0.1), 1.5, -0.8),
    ];
    let mut problem = with(heads);
    problem.schedule = Schedule::even(40, 2.0, 1);
    assert_eq!(columns(&problem.quantities, 3), ["log_energy"]);
    for replica in 0..2 {
        let samples = kind.evolve(&problem).samples;
        let energies: Vec<f64> = samples.iter().filter(|s| s.replica == replica).map(|s| s.values[0]).collect();
        assert_eq!(energies.len(), 41);
        assert!(energies.windows(2).all(|pair| pair[1] > pair[0] - 1e-6), "{energies:?}");
        assert!(energies[40] > energies[0] + 0.1, "{energies:?}");
        let expected = reference::log_energy(&problem.tokens, &problem.model, replica);
        assert_close("log_energy", &energies[..1], &[expected], kind.tolerance(1e-5, 1e-12));
    }
}

/// Each pair written out, of heads of other betas, on tokens of uneven weights of which some are passive; and their weighted sum is that
/// of all heads.
fn of_each_head(kind: Kind) {
    let matrices = [
        ([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 1.0, 0.4),
        ([0.4, 1.0, -0.3, 0.2, -0.5, 0.6, 0.9, 0.1, 0.7], 2.0, 1.5),
        ([-0.6, 0.0, 0.0, 0.0, -0.6, 0.0, 0.0, 0.0, -0.6], 0.7, -0.2),
    ];
    let head = |(rows, beta, weight): ([f64; 9], f64, f64)| head(Matrix::Dense(rows.to_vec()), beta, weight);
    let mut problem = with(matrices.map(head).to_vec());
    problem.tokens.shape.passive = 3;
    problem.tokens.weights = uneven(problem.tokens.shape, 5);
    problem.quantities = vec![Quantity::HeadEnergies(HeadEnergies { heads: 3 }), Quantity::Energy];
    assert_eq!(columns(&problem.quantities, 3), ["log_energy_0", "log_energy_1", "log_energy_2", "log_energy"]);
    let outcome = kind.evolve(&problem);
    for sample in outcome.samples.iter().rev().take(2) {
        let x = |i: usize| &outcome.tokens[3 * (40 * sample.replica + i)..][..3];
        let weight = |i: usize| problem.tokens.weight(sample.replica, i);
        let mut total = 0.0;
        for (h, (rows, beta, share)) in matrices.iter().enumerate() {
            let mut energy = 0.0;
            for (i, j) in (0..37).flat_map(|i| (0..37).map(move |j| (i, j))) {
                let score: f64 = (0..9).map(|k| x(i)[k / 3] * rows[k] * x(j)[k % 3]).sum();
                energy += weight(i) * weight(j) * (beta * score).exp() / (2.0 * beta);
            }
            total += share * energy;
            assert_close("log_energy_h", &sample.values[h..=h], &[energy.ln()], 1e-11);
        }
        assert_close("log_energy", &sample.values[3..], &[total.ln()], kind.tolerance(1e-5, 1e-11));
    }
}

fn not_positive(kind: Kind) {
    let of = |weights: [f64; 2]| {
        let mut problem = with(weights.iter().map(|weight| head(Matrix::Identity, 1.0, *weight)).collect());
        problem.schedule = Schedule::even(0, 0.0, 1);
        kind.evolve(&problem).samples[0].values[0]
    };
    for weights in [[-1.0, 0.5], [0.0, 0.0], [-1.0, -1.0]] {
        assert!(of(weights).is_nan(), "{weights:?}: {}", of(weights));
    }
    let (whole, half) = (of([1.0, 0.0]), of([1.0, -0.5]));
    assert_close("half of it", &[half], &[whole - 2f64.ln()], kind.tolerance(1e-5, 1e-12));
}
