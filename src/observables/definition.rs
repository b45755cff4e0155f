//! What an observable says of itself: the trait that every file of an observable implements once.
//!
//! What is the same for all values of its parameters is a [`Definition`], whose fields must all be filled in. What depends on these, on
//! an experiment or on tokens is a method. Only what is rare has a default: it is about limits, devices and replicas that are
//! measured together.

use std::ops::RangeInclusive;

use super::{
    among::Among,
    equation::Equation,
    limit::Limit,
    objection::{Objection, Setup},
    on_device::OnDevice,
    resolution::Resolution,
    view::View,
};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    tokens::Tokens,
    transport::TransportError,
};

/// What is the same whatever the parameters are.
#[derive(Debug)]
pub(crate) struct Definition {
    /// As typed in `observe.quantities`.
    pub word: &'static str,
    /// Its paragraph in `assets/reference.toml`.
    pub documentation: &'static str,
    pub needs: &'static [Need],
    /// Of how many neighbouring replicas a number is, all of which have it: those are one sample.
    pub replicas_a_sample: usize,
    /// The column that is drawn against time, if one is.
    pub curve: Option<Curve>,
}

/// What has to be there before an observable can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Need {
    /// sum_j w_j x_j x_j^T.
    SecondMoment,
    /// ln E.
    Energy,
    /// Distances from the direction of the mean, and overlaps with it.
    MeanDirection,
    /// Tokens, which are read back unless a backend has measured the observable where they are.
    Tokens,
    /// Directions of tokens, which are read back as well; it tells nothing where tokens of one direction may be far apart.
    Directions,
    /// dx/dt of tokens, which is evaluated for it and read back.
    Velocities,
    /// The limit, or the tokens coupled to others in it.
    Reference,
}

/// How a column is drawn against time.
#[derive(Debug, PartialEq)]
pub(crate) struct Curve {
    /// Its column in `samples.csv`, and the name of its files.
    pub column: &'static str,
    pub label: &'static str,
    pub hue: Hue,
    /// Samples at the start that are zero by definition: what they show is rounding.
    pub void: usize,
    /// Pictures of a run come in the order of these.
    pub rank: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hue {
    Blue,
    Rust,
    Teal,
}

/// The numbers of one replica, in the order of the columns.
pub(crate) type Numbers = Result<Vec<f64>, TransportError>;

/// One observable: a functional of mu = sum_j w_j delta_{x_j} of one replica, or of two.
pub(crate) trait Observable {
    fn definition(&self) -> &'static Definition;

    /// The names of its numbers for tokens of width `dim`.
    fn columns(&self, dim: usize) -> Vec<String>;

    /// Why it means nothing for what was typed.
    fn objection(&self, setup: &Setup) -> Option<Objection>;

    /// Why it cannot be measured of these tokens, whose places do not matter.
    fn objection_to_tokens(&self, _setup: &Setup, _tokens: &Tokens) -> Option<Objection> {
        None
    }

    /// Why it means nothing for the problem that an experiment has been resolved to.
    fn objection_to_problem(&self, _equation: &Equation) -> Option<Objection> {
        None
    }

    /// What it takes while it is measured on the host.
    fn memory(&self, sizes: &Sizes) -> Part;

    /// Its numbers of one replica, from what a backend reduced and from tokens that were read back if it needs these.
    fn measure(&self, view: &View, replica: usize, statistics: &Statistics) -> Numbers;

    /// Whether it can be told of a limit of equiangular tokens of which nothing but lengths and overlap is known.
    fn is_known_of_overlaps(&self) -> bool {
        false
    }

    /// Its numbers of every replica, where it is measured of all of them at once.
    fn measure_together(&self, _view: &View) -> Result<Option<Vec<Vec<f64>>>, TransportError> {
        Ok(None)
    }

    fn on_device(&self) -> Option<OnDevice> {
        None
    }

    /// Its numbers of one replica from what was measured on a device, or of all replicas at once.
    fn complete(&self, _view: &View, _replica: usize, measured: &[f64]) -> Vec<f64> {
        measured.to_vec()
    }

    /// What it asks of a limit that so many tokens are compared with.
    fn resolution(&self, _sources: usize) -> Resolution {
        Resolution::default()
    }

    /// About how far what stands for the law is from it, as a part of the first column; none unless it compares measures, and not
    /// tokens one by one or their means.
    fn law_error(&self, _limit: &Limit) -> Option<f64> {
        None
    }

    /// Nodes, quantiles or heights that stood for the law; none where no law was needed, or its moments are known.
    fn law_nodes(&self, _limit: &Limit) -> Option<usize> {
        None
    }
}

/// An observable with parameters, which are public fields of a `DEFAULT`.
pub(crate) trait Parametrized {
    /// In the order in which they are written down.
    fn parameters(&mut self) -> Vec<Parameter<'_>>;

    /// What draws its sample, if it may be one of a sample that replicas decide.
    fn seed(&mut self) -> Option<&mut u64> {
        None
    }
}

/// A number of an observable that stands beside `observe.quantities`.
#[derive(Debug)]
pub(crate) struct Parameter<'a> {
    /// In the table `[observe]`.
    pub key: &'static str,
    pub range: Range,
    pub value: Value<'a>,
}

/// The numbers that may be typed.
#[derive(Clone, Debug)]
pub(crate) enum Range {
    /// Finite ones for which `holds` is true; `words` say so.
    Number {
        words: &'static str,
        holds: fn(f64) -> bool,
    },
    Whole(RangeInclusive<u64>),
    /// The words of [`Among`].
    Among,
}

/// Where a parameter is held.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Number(&'a mut f64),
    Whole(&'a mut usize),
    Whole32(&'a mut u32),
    Among(&'a mut Among),
}

impl<'a> Parameter<'a> {
    pub fn number(
        key: &'static str,
        value: &'a mut f64,
        words: &'static str,
        holds: fn(f64) -> bool,
    ) -> Parameter<'a> {
        Self { key, range: Range::Number { words, holds }, value: Value::Number(value) }
    }

    pub fn among(value: &'a mut Among) -> Self {
        Self { key: "of", range: Range::Among, value: Value::Among(value) }
    }

    pub fn whole(key: &'static str, value: &'a mut usize, range: RangeInclusive<u64>) -> Self {
        Self { key, range: Range::Whole(range), value: Value::Whole(value) }
    }
}
