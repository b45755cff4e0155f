//! The two ways to the limit against each other, against tables and against samples.

use super::*;
use crate::{
    backend::cpu::Cpu,
    initial::{Law, Orthonormal, VonMisesFisher, draw, quadrature},
    model::{Attention, Head, Matrix, ModelSchedule, Normalization},
    problem::{ReferenceSteps, Schedule},
    scheme::Scheme,
    simulate::{Event, simulate_with_limit},
};

fn law(dim: usize) -> Law {
    let mut axis = vec![0.0; dim];
    axis[0] = 0.6;
    axis[dim - 1] = -0.8;
    Law::VonMisesFisher(VonMisesFisher { concentration: 2.0, axis })
}

/// A problem of 20 steps a unit of time.
pub(super) fn problem_of(shape: Shape, coordinates: Vec<f64>, model: Model, scheme: Scheme, end: f64) -> Problem {
    Problem {
        tokens: Tokens { shape, coordinates, weights: Weights::Equal },
        model,
        model_schedule: ModelSchedule::Constant,
        scheme,
        schedule: Schedule::even((end * 20.0) as u64, end, 1000),
        quantities: vec![crate::observables::Quantity::CouplingError],
        algorithm: Algorithm::Auto,
        tolerance: None,
    }
}

fn problem(shape: Shape, beta: f64, normalization: Normalization, end: f64) -> Problem {
    let head = Head { query_key: Matrix::Scale(0.9), value: Matrix::Scale(1.1), ..Head::default() };
    let attention = Attention { beta, normalization, heads: vec![head, Head::default()], ..Attention::default() };
    problem_of(shape, draw(&law(shape.dim), shape, 3).expect("tokens"), attention.into(), Scheme::Rk4, end)
}

/// Nodes and coupled tokens at the end.
fn end(limit: &mut Limit) -> Vec<f64> {
    limit.advance(0, limit.problem.schedule.steps).expect("steps");
    limit.tokens()
}

fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Two ways to the same limit, on the circle and on the sphere: nodes moved by the kernels, and heights moved by Bessel
/// functions.
#[test]
fn quadrature_and_zonal_limits_agree() {
    for (dim, normalization) in
        [(2, Normalization::Softmax), (3, Normalization::Softmax), (3, Normalization::Unnormalized)]
    {
        let shape = Shape { replicas: 2, count: 30, dim, passive: 3 };
        // Unnormalized, time passes e^beta times as fast.
        let time = if normalization == Normalization::Softmax { 1.0 } else { 0.15 };
        let problem = problem(shape, 2.0, normalization, time);
        for steps in [ReferenceSteps::Own, ReferenceSteps::Tokens] {
            let nodes = end(&mut quadrature_within(&problem, &law(dim), 1e-12, steps).expect("a quadrature"));
            let heights = end(&mut zonal(&problem, &law(dim), steps).expect("a zonal limit"));
            let coupled = problem.tokens.coordinates.len();
            let found = largest_difference(&nodes[nodes.len() - coupled..], &heights[heights.len() - coupled..]);
            assert!(found < 1e-10, "d = {dim}, {normalization:?}, {steps:?}: {found:e} apart");
        }
    }
}

/// The first moment from N nodes of von Mises' law on the circle converges spectrally: beta = 4, concentration 1, time 3.
#[test]
fn the_trapezoidal_rule_converges_spectrally_on_the_circle() {
    let law = Law::VonMisesFisher(VonMisesFisher { concentration: 1.0, axis: vec![1.0, 0.0] });
    let moment = |count| {
        let shape = Shape { replicas: 1, count: 1, dim: 2, passive: 0 };
        let mut problem = problem(shape, 4.0, Normalization::Softmax, 3.0);
        problem.model.attention.heads = vec![Head::default()];
        let nodes = quadrature(&law, 2, count).expect("nodes");
        let limit = problem_of_nodes(&problem, &nodes.coordinates, &nodes.weights, &[1.0, 0.0]);
        let cpu = Cpu::<f64>::new(&limit).expect("a backend");
        let x = end(&mut Limit::new(limit, Nodes::Points, Motion::backend(cpu, 0..0, &[])));
        x.chunks(2).zip(&nodes.weights).map(|(x, weight)| weight * x[0]).sum::<f64>()
    };
    let exact = moment(128);
    for (count, bound) in [(16, 2e-5), (24, 8e-7), (32, 7e-9), (48, 2e-11), (64, 1e-13)] {
        let error = (moment(count) - exact).abs();
        assert!(error < 3.0 * bound, "{count} nodes: {error:e}");
    }
}

/// In eight dimensions the field of the limit is that of a large sample, to five standard errors.
#[test]
fn the_zonal_field_is_that_of_many_tokens() {
    let shape = Shape { replicas: 1, count: 100_001, dim: 8, passive: 1 };
    let mut problem = problem(shape, 1.5, Normalization::Softmax, 1.0);
    problem.model.attention.heads = vec![Head::default()];
    let mut zonal = zonal(&problem, &law(8), ReferenceSteps::Tokens).expect("a zonal limit");
    let last = |tokens: Vec<f64>| tokens[tokens.len() - 8..].to_vec();
    // The query is one passive token; only its own row is evaluated.
    let token = last(problem.tokens.coordinates.clone());
    let sample = &problem.tokens.coordinates[..8 * 100_000];
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (mut sum, mut moment) = (0.0, [0.0; 8]);
    for y in sample.chunks(8) {
        let weight = (1.5 * dot(&token, y)).exp();
        sum += weight;
        moment.iter_mut().zip(y).for_each(|(m, y)| *m += weight * y);
    }
    let mean: Vec<f64> = moment.iter().map(|m| m / sum).collect();
    let radial = dot(&token, &mean);
    assert_eq!(last(zonal.tokens()), token);
    let velocity = last(zonal.velocity());
    for k in 0..8 {
        let (found, expected) = (velocity[k], mean[k] - radial * token[k]);
        assert!(
            (found - expected).abs() < 5.0 * (1.0f64 / 100_000.0).sqrt(),
            "component {k}: {found} and {expected}"
        );
    }
}

/// Coupled tokens of a large cloud stay near it, and nearer than those of a small one: the error falls like n^{-1/2}.
#[test]
fn the_coupling_error_falls_like_one_over_the_root_of_n() {
    let error = |count: usize| {
        let shape = Shape { replicas: 16, count, dim: 3, passive: 0 };
        let problem = problem(shape, 2.0, Normalization::Softmax, 1.0);
        let mut limit = zonal(&problem, &law(3), ReferenceSteps::Own).expect("a zonal limit");
        let mut backend = Cpu::<f64>::new(&problem).expect("a backend");
        let mut squares = Vec::new();
        let run = simulate_with_limit(&problem, &mut backend, Some(&mut limit), |event| {
            if let Event::Sample(sample) = event {
                squares.push((sample.time, sample.values[0].powi(2)));
            }
            Ok(())
        });
        pollster::block_on(run).expect("the end");
        assert!(squares.iter().filter(|(time, _)| *time == 0.0).all(|(_, square)| *square < 1e-28));
        let last: Vec<f64> = squares.iter().filter(|(time, _)| *time == 1.0).map(|(_, square)| *square).collect();
        (last.iter().sum::<f64>() / last.len() as f64).sqrt()
    };
    let slope = (error(4096) / error(64)).ln() / 64.0f64.ln();
    assert!((slope + 0.5).abs() < 0.1, "slope {slope}");
}

#[test]
fn what_has_no_limit_is_refused() {
    let shape = Shape { replicas: 1, count: 8, dim: 3, passive: 0 };
    let mut masked = problem(shape, 2.0, Normalization::Softmax, 1.0);
    masked.model.attention.mask = crate::model::Mask::Causal;
    assert!(matches!(zonal(&masked, &law(3), ReferenceSteps::Own), Err(LimitError::Unserved { .. })));
    let mut frozen = problem(shape, 2.0, Normalization::Softmax, 1.0);
    frozen.model.frozen = 1;
    assert!(matches!(zonal(&frozen, &law(3), ReferenceSteps::Own), Err(LimitError::Unserved { .. })));
    let mut general = problem(shape, 2.0, Normalization::Softmax, 1.0);
    general.model.attention.heads[0].value = Matrix::Diagonal(vec![1.0, 2.0, 3.0]);
    assert!(matches!(zonal(&general, &law(3), ReferenceSteps::Own), Err(LimitError::Unserved { .. })));
    assert!(matches!(
        zonal(&problem(shape, 2.0, Normalization::Softmax, 1.0), &Law::Orthonormal(Orthonormal), ReferenceSteps::Own),
        Err(LimitError::Law(_))
    ));
}

/// A kernel of width 3e-4 on a circle of at most 4096 nodes, 1.5e-3 apart, is never resolved.
#[test]
fn a_kernel_too_sharp_is_refused_and_says_by_how_much() {
    let shape = Shape { replicas: 1, count: 4, dim: 2, passive: 0 };
    let mut sharp = problem(shape, 1e7, Normalization::Softmax, 1.0);
    sharp.schedule = Schedule::even(2, 0.5, 2);
    let error = quadrature_within(&sharp, &law(2), 1e-8, ReferenceSteps::Own).map(|_| ()).expect_err("too sharp");
    let LimitError::Unresolved { fineness: 4096, change, tolerance: 1e-8 } = error else { panic!("{error}") };
    assert!(change > 1e-8 && change < 0.1, "{change:e}");
    for word in ["4096 nodes", "tolerance 1e-8", "smaller attention.beta"] {
        assert!(error.to_string().contains(word), "{error}");
    }
}
