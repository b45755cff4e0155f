//! How far two replicas, which are independent copies, are from each other.

use rayon::prelude::*;

use super::{
    Definition, Need, Numbers, Objection, Observable, Setup, View,
    equation::Equation,
    wasserstein::{self, COSTS},
};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    tokens::Tokens,
    transport::{Measure, Order, TransportError},
};

/// `w1_copies` = W_1 of the tokens of replicas 2k and 2k + 1, which share the number: exact on the circle, geodesic;
/// elsewhere by assignment, chordal.
pub struct W1Copies;

const DEFINITION: Definition = Definition {
    word: "w1_copies",
    documentation: "W_1 of replicas 2k and 2k + 1, independent copies, and both have the number (fits of sweeps count it \
        once). In arcs on the circle; elsewhere by assignment, in chords, n^3 operations, for at most 8192 \
        tokens of equal weights",
    needs: &[Need::Tokens],
    replicas_a_sample: 2,
    curve: None,
};

impl Observable for W1Copies {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["w1_copies".into()]
    }

    fn objection(&self, _: &Setup) -> Option<Objection> {
        None
    }

    fn objection_to_tokens(&self, setup: &Setup, tokens: &Tokens) -> Option<Objection> {
        let replicas = tokens.shape.replicas;
        if !replicas.is_multiple_of(2) {
            return Some(Objection::new(
                "w1_copies compares replicas 2k and 2k + 1, and one replica has no other",
                format!("write tokens.replicas = {}", replicas + 1),
            ));
        }
        if setup.is_circle(tokens.shape.dim) {
            return None;
        }
        wasserstein::unpaired("w1_copies", tokens, "leave it out")
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        wasserstein::memory(sizes)
    }

    /// Measured of all replicas at once.
    fn measure(&self, _: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(vec![f64::NAN])
    }

    fn measure_together(&self, view: &View) -> Result<Option<Vec<Vec<f64>>>, TransportError> {
        let copies = copies(&view.equation, view.tokens)?;
        let of_replica = |replica: usize| vec![copies[replica / 2]];
        Ok(Some((0..view.equation.tokens.shape.replicas).map(of_replica).collect()))
    }
}

/// W_1 of the tokens of replicas 2k and 2k + 1, one number for both. A replica left over has no other: not a number.
pub(super) fn copies(equation: &Equation, tokens: &[f64]) -> Result<Vec<f64>, TransportError> {
    let replicas = equation.tokens.shape.replicas;
    let measure = |replica| Measure::later(equation.tokens, tokens, replica);
    let pair = |k: usize| match 2 * k + 1 {
        other if other < replicas => wasserstein::exact(equation, Order::One, &measure(2 * k)?, &measure(other)?),
        _ => Ok(f64::NAN),
    };
    let pairs: Vec<usize> = (0..replicas.div_ceil(2)).collect();
    let at_once = (COSTS / (8 * equation.tokens.shape.sources().pow(2))).max(1);
    let distances = |pairs: &[usize]| pairs.par_iter().map(|k| pair(*k)).collect::<Result<Vec<f64>, _>>();
    Ok(pairs.chunks(at_once).map(distances).collect::<Result<Vec<_>, _>>()?.concat())
}
