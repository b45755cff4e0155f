//! The energy of a perceptron that is the gradient of a potential, and of attention beside it.

use super::{
    Definition, Need, Numbers, Objection, Observable, Setup, View, attention,
    dissipation::{is_in_place, value_over_query_key},
    energy::undefined,
    equation::Equation,
    head_energies::log_energy,
};
use crate::{
    budget::{Part, Sizes},
    model::{Attention, Head, Model, Normalization, Perceptron},
    observe::Statistics,
    tokens::Tokens,
    vector::dot,
};

/// `potential_energy` = F = sum_i w_i sum_k c_k Phi(<a_k, x_i>) with Phi' = sigma and Phi(0) = 0, and `total_energy` = E + F, of which tokens
/// follow the gradient (arXiv:2601.21366).
pub struct PotentialEnergy;

const DEFINITION: Definition = Definition {
    word: "potential_energy",
    documentation: "potential_energy = F = sum_i w_i sum_k c_k Phi(<a_k, x_i>) of perceptron.gradient, with Phi' = sigma and Phi(0) = 0: \
        s^2 / 2 (identity, and relu for s > 0), ln cosh s (tanh), ((s^2 - 1) Phi(s) + s phi(s)) / 2 + 1/4 of the normal law (gelu); and \
        total_energy = E + F with the E of energy, both as they are and not as logarithms. For unnormalized attention with V_h = A_h \
        symmetric that does not change, without mask, position and noise, on the sphere and in R^d, where dx_i/dt is P grad_i (E + F) / w_i \
        and the total rises (arXiv:2601.21366)",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

const LEAVE: &str = "leave \"potential_energy\" out";

impl Observable for PotentialEnergy {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["potential_energy".into(), "total_energy".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        if setup.normalization != Normalization::Unnormalized {
            let problem = "potential_energy is beside an energy that unnormalized attention is the gradient of";
            let remedy = format!("write attention.normalization = \"unnormalized\", or {LEAVE}");
            return Some(Objection::new(problem, remedy));
        }
        undefined(setup, &format!("{LEAVE}, or write attention.beta = 1e-3"))
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        if potential(equation).is_none() {
            let problem =
                "potential_energy is that of a perceptron which is the gradient of a potential, and there is none";
            return Some(Objection::new(problem, format!("write perceptron.gradient, or {LEAVE}")));
        }
        let other = || {
            Objection::new(
                "potential_energy is beside the energy of attention to all with V_h = A_h symmetric, on the sphere or in R^d, of an equation \
                 that does not change, without noise and frozen tokens",
                LEAVE,
            )
        };
        (!is_gradient(equation)).then(other)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        attention::memory_of_operands(sizes)
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let seen = attention::seen(view, replica);
        let of_head = |head: &Head| head.weight * log_energy(view, head, replica, &seen).exp();
        let energy: f64 = view.model.attention.heads.iter().map(of_head).sum();
        let potential = potential_energy(view, replica);
        Ok(vec![potential, energy + potential])
    }
}

/// F.
fn potential_energy(view: &View, replica: usize) -> f64 {
    let tokens = view.equation.tokens;
    let dim = tokens.shape.dim;
    let Some((perceptron, weights)) = potential(&view.equation) else { return f64::NAN };
    let of_token = |(i, x): (usize, &[f64])| {
        let units = perceptron.inner.chunks_exact(dim).zip(&weights);
        let potential: f64 = units.map(|(a, c)| c * perceptron.activation.integral(dot(a, x))).sum();
        tokens.weight(replica, i) * potential
    };
    view.replica(replica).chunks_exact(dim).enumerate().take(tokens.shape.sources()).map(of_token).sum()
}

/// The perceptron and its c_k, if it is the gradient of a potential.
fn potential<'a>(equation: &Equation<'a>) -> Option<(&'a Perceptron, Vec<f64>)> {
    let perceptron = equation.model.perceptron.as_ref()?;
    Some((perceptron, perceptron.gradient_weights(equation.tokens.shape.dim)?))
}

/// Whether tokens follow the gradients of E, the energy of unnormalized heads, and of the potential of their perceptron, and nothing else.
fn is_gradient(equation: &Equation) -> bool {
    let Equation { tokens, model, model_schedule } = *equation;
    let Model { geometry: _, attention, perceptron: _, noise, frozen } = model;
    let Attention { beta: _, beta_factors: _, normalization, mask: _, window: _, position: _, heads } = attention;
    let Tokens { shape, coordinates: _, weights: _ } = tokens;
    let is_own_value =
        |head: &Head| value_over_query_key(head, shape.dim).is_some_and(|factor| (factor - 1.0).abs() < 1e-12);
    is_in_place(equation)
        && *normalization == Normalization::Unnormalized
        && model_schedule.is_constant()
        && *frozen == 0
        && noise.is_none()
        && potential(equation).is_some()
        && heads.iter().all(is_own_value)
}
