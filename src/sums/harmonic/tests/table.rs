//! Tables on the circle against the functions they hold.

use super::{
    super::{
        super::{columns::Columns, instructions::Instructions, real::Real},
        Lookup, Table,
    },
    direct::{Arrangement, cloud},
};
use crate::tokens::Weights;

/// Looks `table` up at `tokens`, row-major: the velocities, and the tokens that it does not know.
fn look_up<T: Real>(instructions: Instructions, table: &Table<T>, tokens: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let count = tokens.len() / 2;
    let (mut queries, mut velocity) = (Columns::<T>::zeros(1, 2, count), Columns::<T>::zeros(1, 2, count));
    for mut queries in queries.replicas_mut() {
        queries.column_mut(0).fill(T::ONE);
        queries.set_rows(2, tokens);
    }
    let mut missing = Vec::new();
    for mut velocity in velocity.replicas_mut() {
        missing = instructions.run(Lookup { table, tokens: queries.replica(0), velocity: &mut velocity });
    }
    missing.retain(|token| *token < count);
    (velocity.replica(0).rows(2, count), missing)
}

/// A front of width 1 / steepness where y = x / 2.
fn front(steepness: f64) -> impl Fn(&[f64]) -> Vec<f64> + Sync {
    move |tokens| tokens.chunks(2).map(|x| (steepness * (x[1] - 0.5 * x[0])).tanh()).collect()
}

fn tokens() -> Vec<f64> {
    let mut tokens = cloud(Arrangement::Axes, 3000, 2, Weights::Equal).coordinates;
    // Where charts meet.
    let diagonal = std::f64::consts::FRAC_1_SQRT_2;
    tokens.extend([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]].concat().iter().map(|x| diagonal * x));
    tokens
}

fn check<T: Real>(tolerance: f64) {
    let tokens = tokens();
    for instructions in Instructions::available() {
        for steepness in [0.1, 3.0, 40.0] {
            let expected = front(steepness)(&tokens);
            let table = Table::<T>::new(front(steepness), 1, 1.0, tolerance, 0);
            let (found, missing) = look_up(instructions, &table, &tokens);
            assert_eq!(missing, vec![0; 0]);
            for ((found, x), value) in found.chunks(2).zip(tokens.chunks(2)).zip(&expected) {
                // The token itself is rounded, by half a unit in the last place, and the function steep.
                let allowed = tolerance + (1.0 + steepness) * T::EPSILON;
                let error = (found[0] + x[1] * value).abs().max((found[1] - x[0] * value).abs());
                assert!(error <= allowed, "steepness {steepness}: {error:e} at {x:?}, {}", instructions.name());
            }
        }
    }
}

#[test]
fn values_are_those_of_the_function() {
    check::<f32>(1e-6);
    check::<f64>(1e-12);
}

#[test]
fn vectors_have_two_components() {
    let tokens = tokens();
    let field = |tokens: &[f64]| tokens.chunks(2).flat_map(|x| [x[0] * x[1], x[1] - 0.2]).collect::<Vec<f64>>();
    let table = Table::<f64>::new(field, 2, 1.0, 1e-12, 0);
    let (found, missing) = look_up(Instructions::detect(), &table, &tokens);
    assert!(missing.is_empty());
    for (found, expected) in found.iter().zip(field(&tokens)) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn what_the_function_does_not_know_is_missing() {
    let unknown = |x: &[f64]| x[0] < -0.9;
    let function = move |tokens: &[f64]| {
        tokens.chunks(2).map(|x| if unknown(x) { f64::NAN } else { x[1] }).collect::<Vec<f64>>()
    };
    let tokens = tokens();
    let table = Table::<f32>::new(function, 1, 1.0, 1e-6, 0);
    let (_, missing) = look_up(Instructions::detect(), &table, &tokens);
    for (token, x) in tokens.chunks(2).enumerate() {
        // A cell is unknown as soon as one of its nodes is.
        if unknown(x) || x[0] > -0.85 {
            assert_eq!(missing.contains(&token), unknown(x), "{x:?}");
        }
    }
}

#[test]
fn what_no_table_resolves_is_missing() {
    let mut tokens = tokens();
    let near_the_front = (-100..100).map(|k| 0.5f64.atan() + 1e-5 * f64::from(k));
    tokens.extend(near_the_front.flat_map(|angle| [angle.cos(), angle.sin()]));
    let table = Table::<f32>::new(front(1e5), 1, 1.0, 1e-6, 0);
    let (found, missing) = look_up(Instructions::detect(), &table, &tokens);
    assert!(!missing.is_empty(), "a front of width 1e-5 takes more cells than there are");
    for (token, (found, value)) in found.chunks(2).zip(front(1e5)(&tokens)).enumerate() {
        let x = &tokens[2 * token..][..2];
        let error = (found[0] + x[1] * value).abs();
        assert!(missing.contains(&token) || error < 1e-6, "{error:e} at {x:?}");
    }
    // Far from the front everything is known.
    assert!(missing.len() <= 210, "{} missing", missing.len());
}
