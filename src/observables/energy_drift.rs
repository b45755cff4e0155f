//! How fast the energy changes as its weights do, with tokens held where they are.

use super::{
    Definition, Need, Numbers, Objection, Observable, Setup, View,
    attention::images,
    dissipation::{Pulls, heavy, is_in_place, name_of},
    energy::{foreign, undefined},
    equation::Equation,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    model::{Head, Normalization},
    observe::Statistics,
    vector::dot,
};

/// `log_energy_drift` = (d_s E_s) / E at fixed tokens, E_s being the energy of the equation at layer-time s; together with
/// `log_energy_rate` the derivative of `log_energy` (arXiv:2605.18870).
pub struct EnergyDrift;

const DEFINITION: Definition = Definition {
    word: "energy_drift",
    documentation: "log_energy_drift = (d_s E_s) / E at fixed tokens, s the layer-time of the beta, the c_h and the A_h of the E of energy \
        (arXiv:2605.18870): ln E changes by the integral of log_energy_rate + log_energy_drift. From the formulas of \
        ramps and oscillating matrices; at a kink of a ramp the derivative to the right, at the last of its times \
        that to the left; 0 for a constant equation. Not for layers, random matrices that are drawn anew and \
        ornstein-uhlenbeck; on the sphere and in R^d, without mask and position",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for EnergyDrift {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["log_energy_drift".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let remedy = "leave \"energy_drift\" out";
        if setup.normalization == Normalization::Hardmax {
            let infinite = "the energy (1 / 2 beta) sum_ij .. is infinite for hardmax, which is beta = infinity";
            return Some(Objection::new(infinite, remedy));
        }
        foreign(setup, remedy).or_else(|| undefined(setup, &format!("{remedy}, or write attention.beta = 1e-3")))
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        if let Err(jump) = equation.model_schedule.rates(equation.model.attention.heads.len(), 0.0) {
            let problem = format!("{} has no derivative in layer-time, and energy_drift is one", name_of(jump));
            return Some(Objection::new(
                problem,
                "write a ramp or an oscillating matrix, or leave \"energy_drift\" out",
            ));
        }
        let other = || {
            Objection::new(
                "energy_drift is that of softmax, unnormalized or shifted attention to all, on the sphere or in R^d",
                "leave \"energy_drift\" out",
            )
        };
        (!is_in_place(equation)).then(other)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        Part::new("means of attention of a replica", 4 * DOUBLE, &sizes.shape()[1..])
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(vec![log_energy_drift(view, replica)])
    }
}

/// (d_s E) / E: with the softmax means m_i^h of x_j,
///
/// ```text
/// 2 d_s E_h = sum_i w_i Z_i^h ((beta_h' / beta_h) <x_i, A_h m_i^h> + <x_i, A_h' m_i^h> - beta_h' / beta_h^2)
/// ```
///
/// and d_s E = sum_h c_h' E_h + c_h d_s E_h. Not a number where E vanishes.
fn log_energy_drift(view: &View, replica: usize) -> f64 {
    let (attention, dim) = (&view.model.attention, view.equation.tokens.shape.dim);
    let Ok(rates) = view.equation.model_schedule.rates(attention.heads.len(), view.time) else { return f64::NAN };
    let (points, log_weights) = heavy(view, replica);
    let all: Vec<Pulls> = attention
        .heads
        .iter()
        .map(|head| Pulls::new(&points, &log_weights, head, attention.beta_in(head, replica), dim))
        .collect();
    let height = all.iter().flat_map(|pulls| &pulls.log_sums).copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut energy, mut drift) = (0.0, 0.0);
    for ((head, pulls), rate) in attention.heads.iter().zip(&all).zip(&rates.heads) {
        let Head { query_key, value: _, biases: _, beta: own, decay: _, weight } = head;
        let beta = attention.beta_in(head, replica);
        let growth = if own.is_some() { 0.0 } else { rates.beta / beta };
        // (beta' / beta) A + A'.
        let mut matrix = query_key.dense(dim, growth);
        matrix.iter_mut().zip(&rate.query_key).for_each(|(entry, rate)| *entry += rate);
        let moved = images(&pulls.means, &matrix, &[], dim);
        for (row, log_sum) in pulls.log_sums.iter().enumerate() {
            let sum = log_weights[row].exp() * (log_sum - height).exp();
            let [x, moved] = [&points, &moved].map(|rows| &rows[row * dim..][..dim]);
            energy += weight / (2.0 * beta) * sum;
            drift += 0.5 * sum * (weight * (dot(x, moved) - growth / beta) + rate.weight / beta);
        }
    }
    drift / energy
}
