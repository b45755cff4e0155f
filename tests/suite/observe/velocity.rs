//! How fast tokens move, against two tokens by hand and against the field of the reference.

use tokenfield::{
    backend::reference::field,
    model::{Field, Geometry, Mask, Normalization},
    observables::{Among, Quantity, Velocity},
    problem::{Problem, Schedule},
    tokens::{Shape, Tokens, Weights},
};

use super::{ends, weighted};
use crate::{
    backends::Kind,
    clouds::{assert_close, problem},
};

const NAMES: &[&str] = &["velocity_largest", "velocity_rms"];

/// Of two tokens of the circle at the angle phi, of weights w and 1 - w, token i moves with a_ij sin phi; a passive one moves faster, and
/// counts where it is asked for.
pub fn two_tokens(kind: Kind) {
    let (beta, phi, w) = (1.3f64, 2.0f64, [0.3, 0.7]);
    let coordinates = vec![1.0, 0.0, phi.cos(), phi.sin(), 0.0, -1.0];
    let shape = Shape { replicas: 1, count: 3, dim: 2, passive: 1 };
    let tokens = Tokens { shape, coordinates, weights: Weights::Each(vec![w[0], w[1], 0.0]) };
    for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
        let mut problem = Problem {
            quantities: vec![Quantity::Velocity(Velocity { of: Among::Sources })],
            ..problem(tokens.clone(), beta)
        };
        problem.model.attention.normalization = normalization;
        problem.schedule = Schedule::even(0, 0.0, 1);
        let speed = |i: usize| {
            let far = w[1 - i] * (beta * phi.cos()).exp();
            let sum = if normalization == Normalization::Softmax { far + w[i] * beta.exp() } else { 1.0 };
            far / sum * phi.sin()
        };
        let expected = [speed(0).max(speed(1)), (w[0] * speed(0).powi(2) + w[1] * speed(1).powi(2)).sqrt()];
        let found = ends(&problem, &kind.evolve(&problem), 0, NAMES);
        assert_close("velocities", &found, &expected, kind.tolerance(1e-6, 1e-14));
        // The tangent at (0, -1) is the first axis.
        problem.quantities = vec![Quantity::Velocity(Velocity { of: Among::Passive })];
        let pulls = [w[0], w[1] * (-beta * phi.sin()).exp()];
        let sum = if normalization == Normalization::Softmax { pulls[0] + pulls[1] } else { 1.0 };
        let speed = (pulls[0] + pulls[1] * phi.cos()).abs() / sum;
        let found = ends(&problem, &kind.evolve(&problem), 0, NAMES);
        assert_close("of the passive token", &found, &[speed, speed], kind.tolerance(1e-6, 1e-14));
    }
}

/// After some steps, and a mask and geometries for which no formula is at hand: of the tokens where they are.
pub fn of_the_field(kind: Kind) {
    for geometry in [Geometry::Sphere, Geometry::Euclidean, Geometry::PreNorm, Geometry::Ngpt { alpha: 0.4 }] {
        for mask in [Mask::None, Mask::Causal] {
            let mut problem = weighted(3, Quantity::Velocity(Velocity { of: Among::Sources }));
            problem.model.geometry = geometry.clone();
            problem.model.attention.mask = mask;
            problem.schedule = Schedule::even(3, 0.3, 2);
            let outcome = kind.evolve(&problem);
            let tokens = Tokens { coordinates: outcome.tokens.clone(), ..problem.tokens.clone() };
            let velocities = field(&tokens, &problem.model, Field::Tangent);
            for replica in 0..2 {
                let (mut largest, mut square) = (0.0f64, 0.0);
                for i in 0..41 {
                    let v = &velocities[3 * (45 * replica + i)..][..3];
                    let speed = v.iter().map(|v| v * v).sum::<f64>();
                    largest = largest.max(speed.sqrt());
                    square += tokens.weight(replica, i) * speed;
                }
                assert!(largest > 1.001 * square.sqrt(), "no test: all are as fast");
                let found = ends(&problem, &outcome, replica, NAMES);
                assert_close("velocities", &found, &[largest, square.sqrt()], kind.tolerance(1e-5, 1e-12));
            }
        }
    }
}
