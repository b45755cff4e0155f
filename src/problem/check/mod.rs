//! What the types of a problem do not say: lengths that go together, and ranges.

mod error;
mod model;
mod schedule;
#[cfg(test)]
mod tests;

pub use self::error::ProblemError;
pub(crate) use self::schedule::{needs_even_steps, needs_whole_steps};
use self::{error::Place, model::Sizes};
use super::{Control, Problem, Samples, Schedule};
use crate::{
    model::{Geometry, Model, ModelSchedule},
    observables::columns,
    scheme::Scheme,
    tokens::{Shape, Tokens, Weights},
};

/// How far the length of a token may be from one, and the sum of weights.
const LENGTH: f64 = 1e-3;
const SUM: f64 = 1e-6;

impl Problem {
    /// Refuses what no backend computes. All of them ask when they are made.
    pub fn check(&self) -> Result<(), ProblemError> {
        let Problem { tokens, model, model_schedule, scheme, schedule, quantities, algorithm: _, tolerance } = self;
        let Tokens { shape, coordinates: _, weights: _ } = tokens;
        let Model { geometry, attention: _, perceptron: _, noise: _, frozen: _ } = model;
        check_tokens(tokens, geometry)?;
        let sizes = Sizes::of(*shape);
        model::check(&Place::new("model"), model, sizes)?;
        schedule::check(&Place::new("model_schedule"), model_schedule, model, sizes)?;
        let Schedule { steps, end, uneven, control, samples, stop } = schedule;
        let (steps, end) = (*steps, *end);
        let range =
            if steps > 0 { "finite and greater than 0, because there are steps" } else { "finite and at least 0" };
        let holds = end.is_finite() && if steps > 0 { end > 0.0 } else { end >= 0.0 };
        Place::new("schedule.end").require(holds, end, range)?;
        if let Some(uneven) = uneven {
            let (lengths, last) = (uneven.lengths(), uneven.ends().last().copied().unwrap_or(0.0));
            let place = Place::new("schedule.uneven");
            let range = format!("as many as schedule.steps = {steps}, up to schedule.end = {end}");
            let holds = lengths.len() as u64 == steps && last == end;
            place.require(holds, format!("{} steps up to {last}", lengths.len()), &range)?;
            let odd = lengths.iter().find(|length| !(length.is_finite() && **length > 0.0));
            place.require(
                odd.is_none(),
                odd.copied().unwrap_or(0.0),
                "of lengths that are finite and greater than 0",
            )?;
            if let Some(problem) = needs_even_steps(model, model_schedule) {
                return Err(place.error(problem, "it must be none"));
            }
        }
        if let Some(control) = control {
            check_control(control, *scheme, model, model_schedule)?;
        }
        if let Samples::After(list) = samples {
            let holds = list.is_sorted_by(|a, b| a < b) && list.last().is_none_or(|last| *last <= steps);
            let range = format!("ascending, and at most schedule.steps = {steps}");
            Place::new("schedule.samples").require(holds, format!("{list:?}"), &range)?;
        }
        if let Some(stop) = stop {
            let columns = columns(quantities, shape.dim);
            let is_known = |name: &&str| *name == "time" || columns.iter().any(|column| column == name);
            if let Some(unknown) = stop.names().into_iter().find(|name| !is_known(name)) {
                let remedy = format!("it must be of time and the columns of the quantities, and {unknown} is none");
                return Err(Place::new("schedule.stop").error("has a name that no sample has", remedy));
            }
        }
        let tolerance = tolerance.unwrap_or(1.0);
        Place::new("tolerance").require(
            tolerance > 0.0 && tolerance.is_finite(),
            tolerance,
            "finite and greater than 0",
        )
    }
}

fn check_control(
    control: &Control,
    scheme: Scheme,
    model: &Model,
    model_schedule: &ModelSchedule,
) -> Result<(), ProblemError> {
    let place = Place::new("schedule.control");
    let Control { tolerance, first, most } = control;
    for (name, number) in [("tolerance", Some(tolerance)), ("first", first.as_ref()), ("most", most.as_ref())] {
        let number = number.copied().unwrap_or(1.0);
        let holds = number.is_finite() && number > 0.0;
        place.field(name).require(holds, number, "finite and greater than 0")?;
    }
    if !scheme.estimates_errors() {
        let remedy = "take Scheme::Heun or Scheme::BogackiShampine";
        return Err(place.error(format!("needs an estimate of errors, which {scheme:?} has not"), remedy));
    }
    match needs_whole_steps(model, model_schedule) {
        Some(problem) => Err(place.error(problem, "it must be none")),
        None => Ok(()),
    }
}

fn check_tokens(tokens: &Tokens, geometry: &Geometry) -> Result<(), ProblemError> {
    let Tokens { shape, coordinates, weights } = tokens;
    let Shape { replicas, count, dim, passive } = *shape;
    let place = Place::new("tokens");
    for (name, number) in [("replicas", replicas), ("count", count), ("dim", dim)] {
        place.field("shape").field(name).require(number > 0, number, "at least 1")?;
    }
    let range = format!("below tokens.shape.count = {count}, so that there is a source");
    place.field("shape").field("passive").require(passive < count, passive, &range)?;
    let Some(length) = replicas.checked_mul(count).and_then(|tokens| tokens.checked_mul(dim)) else {
        return Err(place
            .field("shape")
            .error("is larger than any memory", "take fewer replicas, tokens or components"));
    };
    place.field("coordinates").numbers(coordinates, length, "replicas * count * dim")?;
    if geometry.is_unit() {
        let length = |token: &[f64]| token.iter().map(|x| x * x).sum::<f64>().sqrt();
        let is_off = |token: &[f64]| (length(token) - 1.0).abs() > LENGTH;
        if let Some(index) = coordinates.chunks_exact(dim).position(is_off) {
            let length = length(&coordinates[index * dim..][..dim]);
            let problem = format!("hold a token of length {length}: {} of replica {}", index % count, index / count);
            return Err(place.field("coordinates").error(problem, "divide every token by its length"));
        }
    }
    match weights {
        Weights::Equal => Ok(()),
        Weights::Each(weights) => check_weights(&place.field("weights"), weights, *shape),
    }
}

fn check_weights(place: &Place, weights: &[f64], shape: Shape) -> Result<(), ProblemError> {
    place.numbers(weights, shape.tokens(), "replicas * count")?;
    for (replica, weights) in weights.chunks_exact(shape.count).enumerate() {
        for (token, weight) in weights.iter().enumerate() {
            let place = place.entry(replica * shape.count + token);
            place.require(*weight >= 0.0, weight, "at least 0")?;
            let is_passive = token >= shape.sources();
            place.require(!is_passive || *weight == 0.0, weight, "0, because the token is passive")?;
        }
        let sum: f64 = weights.iter().sum();
        if (sum - 1.0).abs() > SUM {
            return Err(place.error(format!("of replica {replica} sum to {sum}"), format!("divide them by {sum}")));
        }
    }
    Ok(())
}
