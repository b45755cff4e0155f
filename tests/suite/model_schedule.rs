//! Laws of equations that change with layer-time, on the CPU.

use libtest_mimic::Trial;
use tokenfield::{
    model::{
        Attention, Draws, Ensemble, Geometry, Head, Matrix, MatrixSchedule, Model, ModelSchedule, Operand, Part,
        RandomMatrix,
    },
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::Tokens,
};

use crate::{
    backends::Kind,
    clouds::{assert_close, cloud, problem},
};

pub fn all() -> Vec<Trial> {
    let trial = |name: &str, test: fn()| {
        Trial::test(format!("cpu::model_schedule::{name}"), move || {
            test();
            Ok(())
        })
    };
    vec![
        trial("random_values_attract_and_repel_at_the_lyapunov_exponents", lyapunov),
        trial("rescaled_tokens_are_tokens_rescaled", rescaled),
        trial("rescaled_tokens_stay_finite", rescaled_for_long),
    ]
}

/// Two tokens on S^3 under x <- N(x + eta V sum_j a_ij x_j), the entries of V standard normal and fresh in every layer, in the
/// time t = eta^2 l ("Clustering in Deep Stochastic Transformers", arXiv:2601.21942): near consensus 1 - u, and near antipodes 1 + u,
/// changes like e^{lambda t} with lambda = -(d - 1) and (d - 1) sech^2 beta - 2. Averages over runs have a standard error
/// below 0.05.
fn lyapunov() {
    let (eta, layers, runs) = (0.05, 1200, 1000);
    for (beta, sign, expected) in [(0.5, 1.0, -3.0), (0.5, -1.0, 0.359), (1.0, -1.0, -0.740)] {
        let gap = 1e-3f64;
        let law = RandomMatrix {
            ensemble: Ensemble::Gaussian,
            variance: 1.0,
            every: Some(1),
            dim: 4,
            seed: 1,
            draws: Draws::Replicas(runs),
        };
        let part = Part::Matrix { head: 0, operand: Operand::Value, schedule: MatrixSchedule::Random(law) };
        let second = [sign * gap.cos(), gap.sin(), 0.0, 0.0];
        let coordinates = [[1.0, 0.0, 0.0, 0.0], second].concat().repeat(runs);
        let attention = Attention { beta, ..Attention::default() };
        let tokens = Tokens { coordinates, ..cloud(runs, 2, 4, 1) };
        let schedule = Schedule::even(layers, eta * layers as f64, layers);
        let problem = Problem {
            model_schedule: ModelSchedule::Parts(vec![part]),
            schedule,
            scheme: Scheme::Layer,
            quantities: Vec::new(),
            model: attention.into(),
            ..problem(tokens, beta)
        };
        let tokens = Kind::CpuDouble.evolve(&problem).tokens;
        let growth = |x: &[f64]| {
            let apart = (0..4).map(|k| (x[k] - sign * x[4 + k]).powi(2)).sum::<f64>();
            (apart / (gap * gap)).ln() / (eta * eta * layers as f64)
        };
        let mean = tokens.chunks(8).map(growth).sum::<f64>() / runs as f64;
        assert!((mean - expected).abs() < 0.25, "beta {beta}, sign {sign}: exponent {mean}, expected {expected}");
    }
}

/// V symmetric with eigenvalues up to 2, and scores of a general A.
fn model(geometry: Geometry) -> Model {
    let value = Matrix::Dense(vec![1.7, 0.4, 0.2, 0.4, 1.2, -0.3, 0.2, -0.3, 0.5]);
    let query_key = Matrix::Dense(vec![0.5, 0.2, 0.0, -0.1, 0.4, 0.1, 0.0, 0.3, 0.6]);
    let heads = vec![Head { query_key, value, ..Head::default() }];
    Model { geometry, ..Attention { heads, ..Attention::default() }.into() }
}

fn evolved(kind: Kind, geometry: Geometry, model_schedule: ModelSchedule, end: f64) -> Vec<f64> {
    let schedule = Schedule::even((end * 400.0) as u64, end, u64::MAX);
    let tokens = cloud(1, 12, 3, 5);
    let problem =
        Problem { model_schedule, schedule, scheme: Scheme::Rk4, quantities: Vec::new(), ..problem(tokens, 1.0) };
    kind.evolve(&Problem { model: model(geometry), ..problem }).tokens
}

fn rescaling() -> ModelSchedule {
    ModelSchedule::Parts(vec![Part::Rescaled { dim: 3 }])
}

/// z(t) = e^{-tV} x(t), with the exponential by its series.
fn rescaled() {
    let end = 1.0;
    let x = evolved(Kind::CpuDouble, Geometry::Euclidean, ModelSchedule::Constant, end);
    let z = evolved(Kind::CpuDouble, Geometry::Rescaled, rescaling(), end);
    let Matrix::Dense(value) = &model(Geometry::Rescaled).attention.heads[0].value else {
        unreachable!("V is dense")
    };
    let image = |x: &[f64]| -> Vec<f64> {
        let (mut term, mut sum) = (x.to_vec(), x.to_vec());
        for k in 1..60 {
            let next = |row: &[f64]| -row.iter().zip(&term).map(|(v, x)| v * x).sum::<f64>() * end / f64::from(k);
            term = value.chunks(3).map(next).collect();
            sum.iter_mut().zip(&term).for_each(|(sum, term)| *sum += term);
        }
        sum
    };
    let expected: Vec<f64> = x.chunks(3).flat_map(image).collect();
    assert_close("z", &z, &expected, 1e-7);
}

/// At t = 50 the tokens x themselves are of size e^100, their scores e^200.
fn rescaled_for_long() {
    for kind in [Kind::CpuSingle, Kind::CpuDouble] {
        let end = evolved(kind, Geometry::Rescaled, rescaling(), 50.0);
        assert!(end.iter().all(|z| z.is_finite() && z.abs() < 10.0), "{kind:?}: {end:?}");
    }
}
