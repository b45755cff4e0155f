//! The measurements of all replicas at one layer-time.

use std::collections::BTreeMap;

use super::error::SimulateError;
use crate::{
    backend::{Backend, BackendError, Point, SlicedTargets},
    limit::{Limit, LimitError},
    model::{Field, Model},
    observables::{self, Centres, Need, Quantity, SlicedW2Reference, View, columns},
    observe::{Sample, Statistics},
    problem::Problem,
    warning::{Warning, WarningKind},
};

/// What was measured, and what it took.
pub(super) struct Measured {
    pub samples: Vec<Sample>,
    /// Empty unless a quantity reads them.
    pub tokens: Vec<f64>,
    /// About a distance that what stands for the limit is too far from it for.
    pub unresolved: Option<Warning>,
    pub reference_nodes: BTreeMap<String, usize>,
}

/// The measurements of every replica.
pub(super) async fn measure(
    problem: &Problem,
    backend: &mut dyn Backend,
    limit: Option<&Limit>,
    centres: &[Centres],
    model: &Model,
    time: f64,
) -> Result<Measured, SimulateError> {
    let mut statistics = backend.observe(&problem.quantities).await?;
    let diverged = |mean: &[f64]| mean.iter().any(|component| !component.is_finite());
    if let Some(replica) = statistics.iter().position(|statistics| diverged(&statistics.mean)) {
        return Err(SimulateError::NotFinite { replica, time });
    }
    let limit = match limit {
        Some(limit) if problem.needs(Need::Reference) => Some((limit, limit.tokens())),
        _ => None,
    };
    if limit.iter().any(|(_, tokens)| tokens.iter().any(|component| !component.is_finite())) {
        return Err(LimitError::NotFinite { time }.into());
    }
    let sources = problem.tokens.shape.sources();
    let resolutions: Vec<_> = problem.quantities.iter().map(|quantity| quantity.resolution(sources)).collect();
    let state = limit.as_ref().map(|(limit, tokens)| limit.state(tokens));
    let limit = state.map(|state| observables::Limit::new(state, &resolutions, sources)).transpose()?;
    if let Some(limit) = &limit {
        slice(problem, backend, limit, &mut statistics).await?;
    }
    let lacks = |quantity: &Quantity| statistics.iter().any(|statistics| quantity.is_lacking_in(statistics));
    let reads = problem.quantities.iter().any(lacks);
    let tokens = if reads { backend.tokens().await? } else { Vec::new() };
    let velocities = if problem.needs(Need::Velocities) { velocities(backend).await? } else { Vec::new() };
    let view = View {
        equation: problem.equation(),
        model,
        time,
        tokens: &tokens,
        velocities: &velocities,
        limit: limit.as_ref(),
        centres,
    };
    observables::measure_together(&problem.quantities, &view, &mut statistics)?;
    let sample = |(replica, statistics)| {
        let values = observables::values(&problem.quantities, &view, replica, statistics)?;
        Ok(Sample { replica, time, values })
    };
    let samples = statistics.iter().enumerate().map(sample).collect::<Result<Vec<Sample>, SimulateError>>()?;
    let unresolved = samples.iter().find_map(|sample| unresolved(&problem.quantities, &view, sample));
    let nodes = |limit: &observables::Limit<'_>| {
        let named = |quantity: &Quantity| {
            let names = columns(&[*quantity], problem.tokens.shape.dim);
            Some((names.into_iter().next()?, quantity.law_nodes(limit)?))
        };
        problem.quantities.iter().filter_map(named).collect()
    };
    let reference_nodes = limit.as_ref().map(nodes).unwrap_or_default();
    Ok(Measured { samples, tokens, unresolved, reference_nodes })
}

/// dx/dt of all tokens, without noise.
async fn velocities(backend: &mut dyn Backend) -> Result<Vec<f64>, BackendError> {
    backend.evaluate(Point::State, Field::Tangent, 0)?;
    backend.velocity(0).await
}

/// What is to be said about distances from the limit.
fn unresolved(quantities: &[Quantity], view: &View, sample: &Sample) -> Option<Warning> {
    let observables::Unresolved { column, value, error } = observables::unresolved(quantities, view, &sample.values)?;
    let time = sample.time;
    let sentence = match error {
        Some(error) => format!(
            "{column} = {value:.3e} at time {time} may be off by {error:.1e}, which is how far what stands for the limit is from it; \
             an earlier time.end or a smaller attention.beta is resolved better"
        ),
        None => format!(
            "{column} is a distance from a sample of the limit, and reference.count tokens are some count^(-1/2) from it themselves; \
             write reference.kind = \"quadrature\" or \"zonal\", or a larger reference.count"
        ),
    };
    Some(Warning::new(WarningKind::LimitUnresolved, sentence))
}

/// Has the backend measure sliced distances from the limit where it holds the tokens, if it can.
async fn slice(
    problem: &Problem,
    backend: &mut dyn Backend,
    limit: &observables::Limit<'_>,
    statistics: &mut [Statistics],
) -> Result<(), SimulateError> {
    for quantity in &problem.quantities {
        let Quantity::SlicedW2Reference(SlicedW2Reference { projections }) = *quantity else { continue };
        let (slices, error) = limit.slices(projections)?;
        let line = |direction| slices.line(direction);
        let targets = SlicedTargets { directions: slices.directions(), values: slices.count(), law: &line };
        if let Some(costs) = backend.sliced_costs(&targets).await? {
            observables::add(*quantity, observables::roots(&costs, statistics.len(), error), statistics);
        }
    }
    Ok(())
}
