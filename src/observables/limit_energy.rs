//! The interaction energy of the limit.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use super::{
    Definition, Limit, Need, Nodes, Numbers, Objection, Observable, Setup, View,
    attention::images,
    dissipation::log_sum,
    distances,
    energy::{Energy, foreign, undefined},
    head_energies::ACCURACY,
    limit_values,
};
use crate::{
    budget::{Part, Sizes},
    model::{Head, Model},
    observe::Statistics,
    sums::sources::Sources,
    transport::{TransportError, point_moments::PointMoments, zonal},
    vector::{dot, norm},
};

/// `limit_log_energy` = ln sum_h (c_h / 2 beta_h) int int e^{beta_h <x, A_h y>} dmu(x) dmu(y), mu being the measure of the limit.
pub struct LimitEnergy;

const DEFINITION: Definition = Definition {
    word: "limit_energy",
    documentation: limit_values::DOCUMENTATION,
    needs: &[Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for LimitEnergy {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, dim: usize) -> Vec<String> {
        limit_values::columns(Energy.columns(dim))
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let remedy = "leave \"limit_energy\" out, or write attention.beta = 1e-3";
        limit_values::objection(setup, DEFINITION.word)
            .or_else(|| foreign(setup, "leave \"limit_energy\" out"))
            .or_else(|| undefined(setup, remedy))
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        distances::memory(sizes)
    }

    /// Measured of all replicas at once, but for tokens without a limit.
    fn measure(&self, _: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(vec![f64::NAN])
    }

    fn measure_together(&self, view: &View) -> Result<Option<Vec<Vec<f64>>>, TransportError> {
        limit_values::everywhere(view, |limit| vec![log_energy(limit, view.model)])
    }

    fn is_known_of_overlaps(&self) -> bool {
        true
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.node_count()
    }
}

/// ln sum_h c_h E_h; not a number where the sum is not positive.
fn log_energy(limit: &Limit, model: &Model) -> f64 {
    let attention = &model.attention;
    let of_head = |head: &Head| {
        let beta = attention.beta_of(head);
        (log_mean(limit, model, head, beta) - (2.0 * beta).ln(), head.weight)
    };
    let heads: Vec<(f64, f64)> = attention.heads.iter().map(of_head).filter(|(_, weight)| *weight != 0.0).collect();
    let largest = heads.iter().map(|(log, _)| *log).fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::INFINITY {
        let is_positive = heads.iter().all(|(log, weight)| *log < largest || *weight > 0.0);
        return if is_positive { largest } else { f64::NAN };
    }
    let sum: f64 = heads.iter().map(|(log, weight)| weight * (log - largest).exp()).sum();
    if sum > 0.0 { largest + sum.ln() } else { f64::NAN }
}

/// ln int int e^{beta <x, A y>} dmu(x) dmu(y).
fn log_mean(limit: &Limit, model: &Model, head: &Head, beta: f64) -> f64 {
    let dim = limit.state.shape.dim;
    let (points, weights) = limit.nodes();
    // A limit of an axis or of equiangular tokens is one of multiples of the identity.
    let kappa = || beta * head.query_key.multiple_of_identity().unwrap_or(f64::NAN);
    if let Some(tokens) = limit.state.equiangular {
        return tokens.log_mean(kappa());
    }
    match limit.state.nodes {
        Nodes::Points => {
            let heavy = points.chunks_exact(dim).zip(weights).filter(|(_, weight)| **weight > 0.0);
            let log_weights: Vec<f64> = heavy.clone().map(|(_, weight)| weight.ln()).collect();
            let is_seen_along = model.geometry.sees_directions();
            let seen = |x: &[f64]| -> Vec<f64> {
                let length = if is_seen_along { norm(x) } else { 1.0 };
                x.iter().map(|component| component / length).collect()
            };
            let points: Vec<f64> = heavy.flat_map(|(x, _)| seen(x)).collect();
            let queries = images(&points, &head.query_key.dense(dim, 1.0), &[], dim);
            let sums = Sources::new(&points, dim).log_sums(&queries, beta, &log_weights, ACCURACY);
            log_sum(&sums.iter().zip(log_weights).map(|(sum, weight)| sum + weight).collect::<Vec<_>>())
        }
        Nodes::Meridian { axis } => {
            let heights: Vec<f64> = points.chunks_exact(dim).map(|x| dot(x, axis)).collect();
            let kappa = kappa();
            let row = |(t, weight): (&f64, &f64)| {
                let (sum, _, log) = zonal::sums(&heights, weights, dim, kappa, *t);
                weight.ln() + sum.ln() + log
            };
            log_sum(&heights.par_iter().zip(weights).map(row).collect::<Vec<_>>())
        }
        Nodes::Moments => of_normal(limit.moments(), &head.query_key.dense(dim, beta)),
        Nodes::Overlap => f64::NAN,
    }
}

/// ln E e^{<x, B y>} for independent x and y of the normal law N(m, S), by rows of B.
///
/// Over y the mean is e^{<x, B m> + <x, Q x> / 2} with Q = B S B^T. With x = m + R z, z of unit covariance, R R^T = S, G = R^T Q R and
/// g = R^T (B m + Q m) that over x is e^{<m, B m> + <m, Q m> / 2 + <g, (1 - G)^{-1} g> / 2} / det(1 - G)^{1/2}, and infinite where G has an
/// eigenvalue of one or more.
fn of_normal(law: PointMoments, rows: &[f64]) -> f64 {
    let dim = law.mean.len();
    let mean = DVector::from_vec(law.mean);
    let spectrum = DMatrix::from_row_slice(dim, dim, &law.covariance).symmetric_eigen();
    let scales = spectrum.eigenvalues.map(|eigenvalue| eigenvalue.max(0.0).sqrt());
    let root = &spectrum.eigenvectors * DMatrix::from_diagonal(&scales);
    let matrix = DMatrix::from_row_slice(dim, dim, rows);
    let slopes = &matrix * &root;
    let (square, linear) = (&slopes * slopes.transpose(), &matrix * &mean);
    let pull = root.transpose() * (&linear + &square * &mean);
    let spread = (root.transpose() * &square * &root).symmetric_eigen();
    let along = spread.eigenvectors.transpose() * pull;
    let of_axis = |(eigenvalue, g): (&f64, &f64)| match 1.0 - eigenvalue {
        rest if rest > 0.0 => 0.5 * (g * g / rest - rest.ln()),
        _ => f64::INFINITY,
    };
    let axes: f64 = spread.eigenvalues.iter().zip(along.iter()).map(of_axis).sum();
    mean.dot(&linear) + 0.5 * mean.dot(&(&square * &mean)) + axes
}
