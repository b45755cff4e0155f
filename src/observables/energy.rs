//! The interaction energy.

use super::{Curve, Definition, Hue, Need, Numbers, Objection, Observable, Setup, View};
use crate::{
    budget::{Part, Sizes},
    model::Normalization,
    observe::Statistics,
};

/// `log_energy` = ln E with E = sum_h (c_h / 2 beta_h) sum_ij w_i w_j e^{beta_h <x_i, A_h x_j>}.
pub struct Energy;

const DEFINITION: Definition = Definition {
    word: "energy",
    documentation: "log_energy = ln E, E = sum_h c_h E_h with the weights c_h of the heads and E_h = (1 / 2 beta_h) sum_ij \
        w_i w_j e^{beta_h <x_i, A_h x_j>} over all pairs, for beta > 0, not hardmax, relu and sigmoid; not a number where E is not \
        positive. With symmetric A_h and V_h = A_h it rises along the flow of unnormalized heads, of shifted \
        ones that share their beta, and of one softmax head; several softmax heads may lower it. Where it must \
        rise (or fall, with V_h = c A_h, c < 0) between unit vectors or directions, and goes the other way by \
        more than rounding, the run says so once for each replica, because time.step is then too long",
    needs: &[Need::Energy],
    replicas_a_sample: 1,
    curve: Some(Curve { column: "log_energy", label: "ln E, interaction energy", hue: Hue::Rust, void: 0, rank: 2 }),
};

impl Observable for Energy {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["log_energy".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        if setup.normalization == Normalization::Hardmax {
            return Some(Objection::new(
                "the energy (1 / 2 beta) sum_ij .. is infinite for hardmax, which is beta = infinity",
                "leave \"energy\" out",
            ));
        }
        if let Some(objection) = foreign(setup, "leave \"energy\" out") {
            return Some(objection);
        }
        undefined(setup, "leave \"energy\" out, or write attention.beta = 1e-3")
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, _: &View, _: usize, statistics: &Statistics) -> Numbers {
        Ok(vec![statistics.log_energy])
    }
}

/// Weights that are no exponentials have another energy.
pub(super) fn foreign(setup: &Setup, remedy: &str) -> Option<Objection> {
    let foreign = "the energy (1 / 2 beta) sum_ij .. has exponentials, and relu and sigmoid do not";
    setup.normalization.is_pointwise().then(|| Objection::new(foreign, remedy))
}

/// Where beta vanishes there is no energy.
pub(super) fn undefined(setup: &Setup, remedy: &str) -> Option<Objection> {
    let undefined = "the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0";
    setup.has_zero_beta.then(|| Objection::new(undefined, remedy))
}
