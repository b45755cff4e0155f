//! What the limit says that tokens are to show: columns of other observables, of the law in place of a sample.

use super::{Limit, Objection, Setup, View};
use crate::transport::TransportError;

/// Of each such observable: its columns are those of the observable behind "limit_", each with that before it.
pub const DOCUMENTATION: &str = "the columns of moments, pair_overlap, energy and modes in the limit at the same time, each with \
    limit_ before its name, the same for all replicas. limit_pair_overlap is |mean|^2 of the law; of the equiangular \
    reference it is |x|^2 rho, and of particles the mean over their pairs. limit_log_energy is infinite where a normal law \
    has no energy. Of particles all are those of the sample, some count^{-1/2} from the law";

/// Where nothing stands for the limit.
pub fn objection(setup: &Setup, word: &str) -> Option<Objection> {
    let none = || {
        Objection::new(
            format!("\"{word}\" is of the limit, and there is none"),
            format!("write a table [reference], or leave \"{word}\" out"),
        )
    };
    setup.reference.is_none().then(none)
}

/// The names of the columns of another observable, of the limit.
pub fn columns(measured: Vec<String>) -> Vec<String> {
    measured.into_iter().map(|name| format!("limit_{name}")).collect()
}

/// The same numbers for every replica; none without a limit.
pub fn everywhere(
    view: &View,
    numbers: impl FnOnce(&Limit) -> Vec<f64>,
) -> Result<Option<Vec<Vec<f64>>>, TransportError> {
    let replicas = view.equation.tokens.shape.replicas;
    Ok(view.limit.map(|limit| vec![numbers(limit); replicas]))
}
