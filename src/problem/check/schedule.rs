//! Whether what an equation becomes fits the tokens as well.

use super::{
    error::{Place, ProblemError},
    model::{Sizes, check as check_model, check_geometry, check_matrix, check_perceptron, one_head},
};
use crate::model::{
    Attention, Draws, Geometry, MatrixSchedule, Model, ModelSchedule, NumberSchedule, OrnsteinUhlenbeck, Part,
    Perceptron, PerceptronSchedule, Ramp, RandomMatrix,
};

pub(super) fn check(
    place: &Place,
    schedule: &ModelSchedule,
    model: &Model,
    sizes: Sizes,
) -> Result<(), ProblemError> {
    match schedule {
        ModelSchedule::Constant => Ok(()),
        ModelSchedule::Layers(layers) => {
            let mut layers = layers.iter().enumerate();
            layers.try_for_each(|(index, layer)| check_layer(&place.entry(index), layer, model, sizes))
        }
        ModelSchedule::Parts(parts) => {
            let mut parts = parts.iter().enumerate();
            parts.try_for_each(|(index, part)| check_part(&place.entry(index), part, model, sizes.dim))
        }
    }
}

/// The same tokens are frozen in all layers.
fn check_layer(place: &Place, layer: &Model, model: &Model, sizes: Sizes) -> Result<(), ProblemError> {
    let range = format!("that of the model, {}", model.frozen);
    place.field("frozen").require(layer.frozen == model.frozen, layer.frozen, &range)?;
    check_model(place, layer, sizes)
}

/// Why steps of this equation all have one length, if they have.
pub(crate) fn needs_even_steps(model: &Model, schedule: &ModelSchedule) -> Option<&'static str> {
    let Model { geometry, attention: _, perceptron: _, noise, frozen: _ } = model;
    let diffuses = match geometry {
        Geometry::Sphere => noise.is_some(),
        Geometry::Euclidean
        | Geometry::Rescaled
        | Geometry::PreNorm
        | Geometry::PeriNorm
        | Geometry::Ngpt { .. }
        | Geometry::LayerNorm { .. } => false,
    };
    if diffuses {
        return Some("has several lengths, and noise on the sphere is one motion for all steps");
    }
    let wanders = |part: &Part| match part {
        Part::Matrix { head: _, operand: _, schedule } => match schedule {
            MatrixSchedule::OrnsteinUhlenbeck(_) => true,
            MatrixSchedule::Layers(_)
            | MatrixSchedule::Oscillating { .. }
            | MatrixSchedule::Random(_)
            | MatrixSchedule::OfQueryKey(_) => false,
        },
        Part::Beta(_)
        | Part::Weight { .. }
        | Part::Perceptron(_)
        | Part::Alpha(_)
        | Part::Geometry { .. }
        | Part::Rescaled { .. } => false,
    };
    let parts = match schedule {
        ModelSchedule::Constant | ModelSchedule::Layers(_) => &[][..],
        ModelSchedule::Parts(parts) => parts.as_slice(),
    };
    parts
        .iter()
        .any(wanders)
        .then_some("has several lengths, and the numbers of an Ornstein-Uhlenbeck matrix are of one")
}

/// Why steps of this equation cannot be as many as an estimate of their error asks for, if they cannot: it counts them, or draws noise in
/// each.
pub(crate) fn needs_whole_steps(model: &Model, schedule: &ModelSchedule) -> Option<&'static str> {
    let Model { geometry: _, attention: _, perceptron: _, noise, frozen: _ } = model;
    if noise.is_some() {
        return Some("controls an error, and noise has no smooth path");
    }
    let counts_numbers = |schedule: &NumberSchedule| match schedule {
        NumberSchedule::Layers(_) => true,
        NumberSchedule::Ramp(_) => false,
    };
    let counts = |part: &Part| match part {
        Part::Beta(schedule) | Part::Weight { head: _, schedule } | Part::Alpha(schedule) => counts_numbers(schedule),
        Part::Perceptron(PerceptronSchedule { layers, weight }) => {
            layers.len() > 1 || weight.as_ref().is_some_and(counts_numbers)
        }
        Part::Matrix { head: _, operand: _, schedule } => match schedule {
            MatrixSchedule::Layers(_) | MatrixSchedule::OrnsteinUhlenbeck(_) => true,
            MatrixSchedule::Random(random) => random.every.is_some(),
            MatrixSchedule::Oscillating { .. } | MatrixSchedule::OfQueryKey(_) => false,
        },
        Part::Geometry { .. } => true,
        Part::Rescaled { .. } => false,
    };
    let is_counted = match schedule {
        ModelSchedule::Constant => false,
        ModelSchedule::Layers(_) => true,
        ModelSchedule::Parts(parts) => parts.iter().any(counts),
    };
    is_counted.then_some("makes as many steps as its error asks for, and terms of the equation count steps")
}

fn check_part(place: &Place, part: &Part, model: &Model, dim: usize) -> Result<(), ProblemError> {
    let attention = &model.attention;
    match part {
        Part::Beta(schedule) => check_numbers(place, schedule),
        Part::Weight { head, schedule } => {
            check_head_number(place, *head, attention)?;
            check_numbers(place, schedule)
        }
        Part::Perceptron(PerceptronSchedule { layers, weight }) => {
            let width = model.perceptron.as_ref().map(Perceptron::width);
            place.require(width.is_some(), "a perceptron", "of a model that has one")?;
            let place_of = place.field("layers");
            place_of.require(!layers.is_empty(), layers.len(), "one or more")?;
            for (index, layer) in layers.iter().enumerate() {
                let place = place_of.entry(index);
                check_perceptron(&place, layer, dim)?;
                let range = format!("as wide as that of the model, {}", width.unwrap_or(0));
                place.field("bias").require(Some(layer.width()) == width, layer.width(), &range)?;
            }
            weight.as_ref().map_or(Ok(()), |weight| check_numbers(&place.field("weight"), weight))
        }
        Part::Alpha(schedule) => {
            let is_ngpt = matches!(model.geometry, Geometry::Ngpt { .. });
            place.require(is_ngpt, "alpha", "of a model with Geometry::Ngpt")?;
            check_numbers(place, schedule)
        }
        Part::Matrix { head, operand: _, schedule } => {
            check_head_number(place, *head, attention)?;
            check_matrices(&place.field("schedule"), schedule, dim)
        }
        Part::Geometry { from: _, geometry } => check_geometry(&place.field("geometry"), geometry, attention, dim),
        Part::Rescaled { dim: own } => {
            place.field("dim").require(*own == dim, own, &format!("tokens.shape.dim = {dim}"))?;
            one_head(place, attention)
        }
    }
}

fn check_head_number(place: &Place, head: usize, attention: &Attention) -> Result<(), ProblemError> {
    let range = format!("below {}, the number of heads", attention.heads.len());
    place.field("head").require(head < attention.heads.len(), head, &range)
}

fn check_numbers(place: &Place, schedule: &NumberSchedule) -> Result<(), ProblemError> {
    match schedule {
        NumberSchedule::Ramp(Ramp { times, values }) => {
            place.field("times").numbers(times, times.len(), "times")?;
            place.field("values").numbers(values, times.len(), "as many as times")?;
            let is_sorted = times.is_sorted_by(|a, b| a < b);
            place.field("times").require(is_sorted, format!("{times:?}"), "ascending")
        }
        NumberSchedule::Layers(values) => place.field("layers").numbers(values, values.len(), "numbers"),
    }
}

fn check_draws(place: &Place, draws: Draws) -> Result<(), ProblemError> {
    match draws {
        Draws::Shared => Ok(()),
        Draws::Replicas(replicas) | Draws::Pairs(replicas) => {
            place.field("draws").require(replicas > 0, replicas, "of at least one replica")
        }
    }
}

fn check_matrices(place: &Place, schedule: &MatrixSchedule, dim: usize) -> Result<(), ProblemError> {
    match schedule {
        MatrixSchedule::Layers(layers) => {
            let mut layers = layers.iter().enumerate();
            layers.try_for_each(|(index, matrix)| check_matrix(&place.entry(index), matrix, dim))
        }
        MatrixSchedule::Oscillating { base, amplitude, frequency } => {
            place.field("base").numbers(base, dim * dim, "dim * dim")?;
            place.field("amplitude").numbers(amplitude, dim * dim, "dim * dim")?;
            place.field("frequency").finite(*frequency)
        }
        MatrixSchedule::Random(RandomMatrix { ensemble: _, variance, every: _, dim: own, seed: _, draws }) => {
            let holds = variance.is_finite() && *variance >= 0.0;
            place.field("variance").require(holds, variance, "finite and at least 0")?;
            check_draws(place, *draws)?;
            place.field("dim").require(*own == dim, own, &format!("tokens.shape.dim = {dim}"))
        }
        MatrixSchedule::OrnsteinUhlenbeck(OrnsteinUhlenbeck {
            mean,
            rate,
            intensity,
            start: _,
            is_symmetric: _,
            draws,
            step,
            seed: _,
        }) => {
            check_draws(place, *draws)?;
            place.field("mean").numbers(mean, dim * dim, "dim * dim")?;
            place.field("rate").require(rate.is_finite() && *rate > 0.0, rate, "finite and greater than 0")?;
            place.field("intensity").finite(*intensity)?;
            place.field("step").require(step.is_finite() && *step >= 0.0, step, "finite and at least 0")
        }
        MatrixSchedule::OfQueryKey(factor) => place.finite(*factor),
    }
}
