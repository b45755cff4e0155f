//! Distances from limits that are known on paper, and one limit against another.

use std::f64::consts::PI;

use super::super::{MmdReference, Quantity, SinkhornReference, SlicedW2Reference, limit::SEED, w1_copies::copies};
use crate::{
    backend::cpu::Cpu,
    initial::{Law, Uniform, VonMisesFisher, draw, quadrature},
    limit::{particles, quadrature_within, zonal},
    model::{Attention, ModelSchedule},
    observe::Sample,
    problem::{Algorithm, Problem, ReferenceSteps, Schedule},
    scheme::Scheme,
    simulate::{Event, simulate_with_limit},
    tokens::{Shape, Tokens, Weights},
    transport::{
        Masses, Measure, Order,
        sliced::{along, directions},
    },
};

const DISTANCES: [Quantity; 6] = [
    Quantity::W1Reference,
    Quantity::W2Reference,
    Quantity::SlicedW2Reference(SlicedW2Reference { projections: 40 }),
    Quantity::SinkhornReference(SinkhornReference { epsilon: 0.1 }),
    Quantity::MmdReference(MmdReference { beta: 3.0 }),
    Quantity::MomentsReference,
];

fn law(dim: usize) -> Law {
    let mut axis = vec![0.0; dim];
    axis[0] = 0.6;
    axis[dim - 1] = -0.8;
    Law::VonMisesFisher(VonMisesFisher { concentration: 2.0, axis })
}

fn problem(tokens: Tokens, quantities: &[Quantity]) -> Problem {
    Problem {
        tokens,
        model: Attention { beta: 2.0, ..Attention::default() }.into(),
        model_schedule: ModelSchedule::Constant,
        scheme: Scheme::Rk4,
        schedule: Schedule::even(10, 1.0, 10),
        quantities: quantities.to_vec(),
        algorithm: Algorithm::Auto,
        tolerance: None,
    }
}

fn drawn(law: &Law, replicas: usize, count: usize, dim: usize) -> Tokens {
    let shape = Shape { replicas, count, dim, passive: 0 };
    Tokens { shape, coordinates: draw(law, shape, 3).expect("tokens"), weights: Weights::Equal }
}

fn samples(problem: &Problem, limit: &mut crate::limit::Limit) -> Vec<Sample> {
    let mut samples = Vec::new();
    let mut cpu = Cpu::<f64>::new(problem).expect("a backend");
    let run = simulate_with_limit(problem, &mut cpu, Some(limit), |event| {
        if let Event::Sample(sample) = event {
            samples.push(sample.clone());
        }
        Ok(())
    });
    pollster::block_on(run).expect("the end");
    samples
}

#[track_caller]
fn close(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected} to {tolerance:e}");
}

/// Tokens that are the nodes of the limit stay there, and have its moments: what sees no more of a law than these is zero. The roots of
/// rounding are 1e-8.
#[test]
fn nodes_have_the_moments_of_the_law() {
    let quantities = [
        Quantity::SinkhornReference(SinkhornReference { epsilon: 0.5 }),
        Quantity::MmdReference(MmdReference { beta: 3.0 }),
        Quantity::MomentsReference,
    ];
    let bounds = [1e-9, 1e-6, 1e-11, 1e-11];
    // Of the tokens' steps.
    let after_steps = 1e-6;
    for dim in [2, 3] {
        // On the sphere the number of nodes follows that of tokens where a discrepancy is asked for.
        let (quantities, bounds) = if dim == 2 {
            (quantities.to_vec(), bounds.to_vec())
        } else {
            (vec![quantities[0], quantities[2]], vec![bounds[0], bounds[2], bounds[3]])
        };
        let quantities = &quantities[..];
        // As fine as the tolerance makes the limit.
        let probe = problem(drawn(&law(dim), 1, 64, dim), quantities);
        let limit = quadrature_within(&probe, &law(dim), 1e-4, ReferenceSteps::Own).expect("a quadrature");
        let nodes = limit.problem.tokens.shape.sources();
        let Weights::Each(weights) = &limit.problem.tokens.weights else { panic!("nodes have weights") };
        let tokens = Tokens {
            shape: Shape { replicas: 1, count: nodes, dim, passive: 0 },
            coordinates: limit.problem.tokens.coordinates[..nodes * dim].to_vec(),
            weights: Weights::Each(weights[..nodes].to_vec()),
        };
        let problem = problem(tokens, quantities);
        let mut limit = quadrature_within(&problem, &law(dim), 1e-4, ReferenceSteps::Own).expect("a quadrature");
        assert_eq!(limit.problem.tokens.shape.sources(), nodes);
        for sample in samples(&problem, &mut limit) {
            for (k, (value, bound)) in sample.values.iter().zip(&bounds).enumerate() {
                let bound = if sample.time == 0.0 { *bound } else { f64::max(*bound, after_steps) };
                assert!(value.abs() < bound, "d = {dim}, time {}, column {k}: {value:e}", sample.time);
            }
        }
    }
}

/// From a token to the uniform law of the circle: W_1 = pi / 2 and W_2 = pi / sqrt 3, arcs; the token is on no axis, so that both
/// meridians count.
#[test]
fn a_token_is_a_quarter_turn_from_the_uniform_law() {
    let (sin, cos) = 1.0_f64.sin_cos();
    let shape = Shape { replicas: 1, count: 1, dim: 2, passive: 0 };
    let tokens = Tokens { shape, coordinates: vec![cos, sin], weights: Weights::Equal };
    let problem = problem(tokens, &[Quantity::W1Reference, Quantity::W2Reference]);
    let mut limit = zonal(&problem, &Law::Uniform(Uniform), ReferenceSteps::Own).expect("a zonal limit");
    let start = &samples(&problem, &mut limit)[0].values;
    close("W_1", start[0], PI / 2.0, 1e-12);
    close("W_2", start[1], PI / 3.0_f64.sqrt(), 1e-12);
}

/// Three ways to one number: the sum as it is written, the reduction over nodes, and Bessel functions of heights. Moments too,
/// from nodes and from heights.
#[test]
fn the_discrepancy_from_nodes_is_that_from_heights_and_the_literal_sum() {
    for dim in [2, 3] {
        let problem = problem(
            drawn(&law(dim), 2, 50, dim),
            &[Quantity::MmdReference(MmdReference { beta: 3.0 }), Quantity::MomentsReference],
        );
        let mut nodes = quadrature_within(&problem, &law(dim), 1e-12, ReferenceSteps::Own).expect("a quadrature");
        let mut heights = zonal(&problem, &law(dim), ReferenceSteps::Own).expect("a zonal limit");
        let (by_nodes, by_heights) = (samples(&problem, &mut nodes), samples(&problem, &mut heights));
        for (a, b) in by_nodes.iter().zip(&by_heights) {
            assert_eq!((a.replica, a.time), (b.replica, b.time));
            for (k, (a, b)) in a.values.iter().zip(&b.values).enumerate() {
                close(&format!("d = {dim}, column {k}"), *b, *a, 1e-9);
            }
        }
        let points = quadrature(&law(dim), dim, 64).expect("nodes");
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let kernel = |x: &[f64], y: &[f64]| (3.0 * (dot(x, y) - 1.0)).exp();
        let mean = |a: &[f64], v: &[f64], b: &[f64], w: &[f64]| -> f64 {
            let row = |x| b.chunks(dim).zip(w).map(|(y, w)| w * kernel(x, y)).sum::<f64>();
            a.chunks(dim).zip(v).map(|(x, v)| v * row(x)).sum()
        };
        for replica in 0..2 {
            let (x, w) = (problem.tokens.replica(replica), [1.0 / 50.0; 50]);
            let (y, v) = (&points.coordinates, &points.weights);
            let square = mean(x, &w, x, &w) + mean(y, v, y, v) - 2.0 * mean(x, &w, y, v);
            // On the circle cubics between quantiles leave moments off by 1e-8.
            let tolerance = if dim == 2 { 1e-7 } else { 1e-12 };
            close("literal", by_nodes[replica].values[0], square.sqrt(), tolerance);
        }
    }
}

/// A larger sample is an approximation whose coupled tokens go astray like count^{-1/2}.
#[test]
fn particles_approach_the_quadrature_like_one_over_the_root_of_their_number() {
    let problem = problem(drawn(&law(3), 1, 40, 3), &[Quantity::CouplingError]);
    let coupled = |limit: &mut crate::limit::Limit| {
        limit.advance(0, 10).expect("steps");
        let tokens = limit.tokens();
        tokens[tokens.len() - 120..].to_vec()
    };
    let exact =
        coupled(&mut quadrature_within(&problem, &law(3), 1e-8, ReferenceSteps::Tokens).expect("a quadrature"));
    let error = |count| {
        let square = |seed| {
            let found = coupled(&mut particles(&problem, &law(3), count, seed).expect("particles"));
            found.iter().zip(&exact).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
        };
        ((0..24).map(square).sum::<f64>() / 24.0).sqrt()
    };
    let slope = (error(1024) / error(64)).ln() / 16.0_f64.ln();
    assert!((slope + 0.5).abs() < 0.1, "slope {slope}");
}

/// Particles do not start where tokens start, whatever the seed: none of their distances is zero; and the assignment sees as
/// many of them as there are tokens.
#[test]
fn particles_are_drawn_apart_from_the_tokens() {
    let problem = problem(drawn(&law(3), 1, 200, 3), &DISTANCES);
    let mut limit = particles(&problem, &law(3), 200, 3).expect("particles");
    let first = &samples(&problem, &mut limit)[0].values;
    assert!(first[0] > 0.05 && first[1] > first[0], "{first:?}");
    assert!(first.iter().all(|value| *value > 1e-4), "{first:?}");
}

/// Each replica has the sliced distance of its own sources.
#[test]
fn slices_are_those_of_each_replica() {
    let mut tokens = drawn(&law(3), 3, 30, 3);
    tokens.shape.passive = 4;
    let problem = problem(tokens, &[Quantity::SlicedW2Reference(SlicedW2Reference { projections: 12 })]);
    let mut limit = particles(&problem, &law(3), 70, 1).expect("particles");
    let nodes = limit.problem.tokens.coordinates[..70 * 3].to_vec();
    let nodes = Measure::new(&nodes, 3, Masses::Equal).expect("a measure");
    let samples = samples(&problem, &mut limit);
    let expected = [0, 1, 2].map(|replica| {
        let own = Measure::of(&problem.tokens, replica).expect("a measure");
        root_and_error(&costs_along(&own, &nodes))
    });
    for (sample, expected) in samples[..3].iter().zip(&expected) {
        close(&format!("replica {}", sample.replica), sample.values[0], expected[0], 1e-12);
        close(&format!("error, replica {}", sample.replica), sample.values[1], expected[1], 1e-12);
    }
    assert!((expected[0][0] - expected[1][0]).abs() > 1e-3, "no test: {expected:?}");
}

/// Of each direction by itself.
fn costs_along(a: &Measure, b: &Measure) -> [f64; 12] {
    let thetas = directions(3, 12, SEED);
    std::array::from_fn(|k| {
        let twice = thetas[3 * k..][..3].repeat(2);
        along(Order::Two, a, b, &twice).expect("a distance").distance.powi(2)
    })
}

/// sqrt(m) of the mean m of `costs`, and the change of it when m changes by one standard deviation.
fn root_and_error(costs: &[f64; 12]) -> [f64; 2] {
    let mean = costs.iter().sum::<f64>() / 12.0;
    let squares: f64 = costs.iter().map(|cost| cost * cost).sum();
    let deviation = ((squares / 12.0 - mean * mean) / 11.0).sqrt();
    [mean.sqrt(), deviation / (2.0 * mean.sqrt())]
}

/// All tokens of a replica at one point: W_1 of two copies is the arc in the plane and the chord in space, whatever the order;
/// both replicas of a pair have the number.
#[test]
fn copies_are_as_far_as_their_points() {
    let at = |dim: usize, angle: f64| {
        let mut point = vec![0.0; dim];
        (point[0], point[1]) = (angle.cos(), angle.sin());
        point
    };
    for (dim, expected) in [(2, 2.0), (3, 2.0 * 1.0_f64.sin())] {
        let shape = Shape { replicas: 4, count: 3, dim, passive: 1 };
        // Passive tokens are far away and do not count; the second pair are permuted.
        let angles = [[0.5, 0.5, 3.0], [2.5, 2.5, 0.0], [1.0, 2.0, 0.0], [2.0, 1.0, 3.0]];
        let coordinates = angles.concat().into_iter().flat_map(|angle| at(dim, angle)).collect();
        let problem = problem(Tokens { shape, coordinates, weights: Weights::Equal }, &[Quantity::W1Copies]);
        let found = copies(&problem.equation(), &problem.tokens.coordinates).expect("distances");
        close("apart", found[0], expected, 1e-14);
        close("permuted", found[1], 0.0, 1e-14);
        let mut limit = particles(&problem, &law(dim), 4, 1).expect("particles");
        let first: Vec<f64> = samples(&problem, &mut limit)[..4].iter().map(|sample| sample.values[0]).collect();
        assert_eq!(first, [found[0], found[0], found[1], found[1]]);
    }
}
