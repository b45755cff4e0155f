//! What a law of initial tokens says of itself, once and in one place.

use std::rc::Rc;

use super::{axis::unit_axis, error::LawError, nodes::Nodes};
use crate::{random::Stream, tokens::Shape, vector::dot};

/// A law of initial tokens.
pub(crate) trait InitialLaw {
    /// How it is typed: `{ law = WORD }`.
    const WORD: &'static str;
    /// `law`, and the keys beside it.
    const KEYS: &'static [&'static str];

    /// Whether every parameter is in its range; lists, counts and files are judged when tokens are drawn.
    fn check(&self) -> Result<(), LawError>;

    /// How tokens of this shape are placed.
    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError>;

    /// What is known of the measure.
    fn form(&self) -> Form<'_>;

    /// Whether all tokens have length one.
    fn is_on_sphere(&self) -> bool;

    /// Writes down parameters that were left out, as far as they are numbers.
    fn write_defaults(&mut self, dim: usize);
}

/// How the tokens of a law are placed. Tokens are zero before.
pub(crate) enum Placement<'a> {
    /// Each is drawn like the others, and needs to know nothing of these.
    Alike(Draw<'a>),
    /// Each by its number in its replica.
    Numbered(Place<'a>),
    /// The coordinates of all.
    Given(Vec<f64>),
}

type Draw<'a> = Box<dyn Fn(&mut Stream, &mut [f64]) + Sync + 'a>;
type Place<'a> = Box<dyn Fn(&mut Stream, usize, &mut [f64]) + Sync + 'a>;

impl<'a> Placement<'a> {
    pub fn alike(draw: impl Fn(&mut Stream, &mut [f64]) + Sync + 'a) -> Self {
        Self::Alike(Box::new(draw))
    }

    pub fn numbered(place: impl Fn(&mut Stream, usize, &mut [f64]) + Sync + 'a) -> Self {
        Self::Numbered(Box::new(place))
    }
}

/// What is known of the measure that a law stands for: limits make of it what they need, or refuse it.
pub(crate) enum Form<'a> {
    /// Drawn by chance, with a density on the sphere that is symmetric about an axis.
    Axial(Axial<'a>),
    /// Drawn by chance, with another density on the sphere.
    Smooth {
        density: Density,
        /// Angles on the circle about which the mass crowds.
        centres: Vec<f64>,
    },
    /// Drawn from a normal law in R^d, and points that have its mean and covariance.
    Normal(SigmaPoints<'a>),
    /// Drawn by chance, and nothing is known but how.
    Sampled,
    /// Drawn from one of these laws, each with its probability.
    Mixture(Vec<(f64, Form<'a>)>),
    /// The same for every seed: any two tokens have this inner product, by default -1 / (count - 1).
    Equiangular { overlap: Option<f64> },
    /// The same for every seed, and nothing is known but where tokens are.
    Placed,
}

/// A density up to a factor, as a function of a unit vector.
pub(crate) type Density = Rc<dyn Fn(&[f64]) -> f64>;

/// Points in R^d, as a function of d.
pub(crate) type SigmaPoints<'a> = Box<dyn Fn(usize) -> Result<Nodes, LawError> + 'a>;

impl Form<'_> {
    /// Whether tokens are drawn by chance, each like the others: then larger samples come nearer to a measure.
    pub fn is_drawn(&self) -> bool {
        match self {
            Form::Axial(_) | Form::Smooth { .. } | Form::Normal(_) | Form::Sampled => true,
            Form::Mixture(laws) => laws.iter().all(|(_, law)| law.is_drawn()),
            Form::Equiangular { .. } | Form::Placed => false,
        }
    }
}

/// The density e^{concentration <axis, x>}, up to a factor, on the points at most `end` away from the axis.
pub(crate) struct Axial<'a> {
    /// The last basis vector if there is none.
    pub axis: Option<&'a [f64]>,
    pub concentration: f64,
    /// A geodesic distance, if the density ends.
    pub end: Option<f64>,
}

impl Axial<'_> {
    pub fn unit_axis(&self, dim: usize) -> Result<Vec<f64>, LawError> {
        match self.axis {
            Some(axis) => unit_axis(axis, dim),
            None => Ok((0..dim).map(|k| f64::from(u8::from(k + 1 == dim))).collect()),
        }
    }

    /// The density where it does not vanish.
    pub fn density(&self, dim: usize) -> Result<Density, LawError> {
        let (axis, concentration) = (self.unit_axis(dim)?, self.concentration);
        Ok(Rc::new(move |x: &[f64]| (concentration * (dot(&axis, x) - 1.0)).exp()))
    }
}
