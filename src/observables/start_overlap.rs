//! What the last token has kept of each place at the start: two-time correlations.

use super::{
    Definition, Need, Numbers, Objection, Observable, Parameter, Parametrized, Setup, View, equation::Equation,
};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    vector::dot,
};

/// `start_overlap_k` = <x_{n-1}(t), x_i(0)>, n being the number of sources and i = floor(k n / `places`): how far the last token follows what
/// stood at a place in the beginning. On the circle that is cos(theta_{n-1}(t) - theta_i(0)), whose mean over replicas is the profile of
/// "Kinetic theory for Transformers and the lost-in-the-middle phenomenon" (arXiv:2605.09213).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StartOverlap {
    /// Evenly spread from the first token on.
    pub places: usize,
}

const DEFINITION: Definition = Definition {
    word: "start_overlap",
    documentation: "start_overlap_0 .. , the overlaps <x_{n-1}(t), x_i(0)> of the last of the n tokens that are not passive \
        with those that stood at i = floor(k n / `places`) at t = 0; on the circle the cosines of the angles between \
        them (arXiv:2605.09213)",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl StartOverlap {
    pub(super) const DEFAULT: Self = Self { places: 8 };

    /// The token at a place.
    fn token(&self, place: usize, sources: usize) -> usize {
        place * sources / self.places
    }
}

impl Parametrized for StartOverlap {
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        vec![Parameter::whole("places", &mut self.places, 1..=1024)]
    }
}

impl Observable for StartOverlap {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        (0..self.places).map(|place| format!("start_overlap_{place}")).collect()
    }

    fn objection(&self, _: &Setup) -> Option<Objection> {
        None
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        let (places, sources) = (self.places, equation.tokens.shape.sources());
        let many = || {
            let problem = format!("start_overlap has observe.places = {places}, and there are {sources} tokens");
            Objection::new(problem, format!("write observe.places = {sources} or less, or leave it out"))
        };
        (places > sources).then(many)
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let tokens = view.equation.tokens;
        let (dim, sources) = (tokens.shape.dim, tokens.shape.sources());
        let last = &view.replica(replica)[(sources - 1) * dim..][..dim];
        let start = &tokens.coordinates[replica * tokens.shape.count * dim..];
        let overlap = |place: usize| dot(last, &start[self.token(place, sources) * dim..][..dim]);
        Ok((0..self.places).map(overlap).collect())
    }
}
