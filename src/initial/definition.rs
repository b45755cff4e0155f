//! What a law of initial tokens says of itself, once and in one place.

use std::rc::Rc;

use super::{axis::unit_axis, draws::Draws, error::LawError, nodes::Nodes};
use crate::vector::dot;

/// A law of initial tokens.
pub(crate) trait InitialLaw {
    /// How it is typed: `{ law = WORD }`.
    const WORD: &'static str;
    /// `law`, and the keys beside it.
    const KEYS: &'static [&'static str];

    /// Whether every parameter is in its range; lists, counts and files are judged when tokens are drawn.
    fn check(&self) -> Result<(), LawError>;

    /// The coordinates of all tokens.
    fn draw(&self, draws: &Draws) -> Result<Vec<f64>, LawError>;

    /// What is known of the measure.
    fn form(&self) -> Form<'_>;

    /// Whether all tokens have length one.
    fn is_on_sphere(&self) -> bool;

    /// Writes down parameters that were left out, as far as they are numbers.
    fn write_defaults(&mut self, dim: usize);
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
