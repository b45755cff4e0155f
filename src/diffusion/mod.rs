//! How noise moves tokens of length one: as a motion of its own between the stages of the scheme, made of numbers that the host
//! works out in f64 once, so that all backends move a token alike.
//!
//! A step of length h is half a step of noise, the step of the scheme without noise, and half a step of noise (Strang's splitting):
//! of second order wherever its parts are. On the sphere noise has the same law by Ito's calculus and by Stratonovich's, because
//! no field makes its own draws drift.
//!
//! Each half is taken in as many equal parts as keep what a part is good for; all parts have draws of their own.

mod projective;
mod turn;

pub use self::{projective::Projective, turn::Turn};
use crate::{
    model::{Activation, Noise, NoiseField},
    warning::{Warning, WarningKind},
};

/// Parts of half a step at most.
pub const MOST_PARTS: u64 = 1024;
/// The error of the decay of the mean of tokens that parts are to stay below.
pub const ERROR: f64 = 0.005;
/// After so many times 1 / (d - 1) nothing is left of any harmonic in double precision: e^{-40} of the first.
const MIXED: f64 = 80.0;

/// What noise does in half a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diffusion {
    /// How many parts, one after the other, make up half a step.
    pub parts: u64,
    /// In each part.
    pub motion: Motion,
    /// s^2 h (d - 1) of each part: in units of what half of the mean forgets. Times the variance of a perceptron's field.
    pub reach: f64,
    /// Up to which reach a part is good to [`ERROR`].
    pub good: f64,
}

/// How tokens move in a part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Motion {
    /// Along great circles, in the direction of the projected field.
    Turn(Turn),
    /// By boosts along each axis, which are the flows of the fields P_x e_k.
    Boosts {
        /// The standard deviation of the length of each boost.
        spread: f64,
    },
    /// By matrices whose directions are seen: I + w e_l^T for each column, and the diagonal.
    Shears {
        /// The standard deviation of each entry.
        spread: f64,
    },
}

impl Diffusion {
    /// Of noise for a time h in dimension d >= 2; none if it moves nothing that double precision would see.
    pub fn new(noise: &Noise, h: f64, dim: usize) -> Option<Diffusion> {
        let free = dim.saturating_sub(1) as f64;
        let (unit, good) = match noise.field {
            NoiseField::Independent => (1.0, 1.0),
            NoiseField::CommonAdditive | NoiseField::CommonMatrix => (1.0, (dim as f64 / 40.0).min(0.75)),
            NoiseField::CommonPerceptron { width, activation } => {
                let moments = Moments::of(activation);
                // |P G|^2 is a chi-squared times the mean of `width` squares: E cos |P G| says how much slower that is.
                let slower = (free + 2.0) * moments.excess / (12.0 * f64::from(width) * free);
                (moments.variance, (ERROR / slower).min(0.1))
            }
        };
        let time = noise.intensity * noise.intensity * h;
        let reach = match noise.field {
            NoiseField::Independent => (time * free).min(MIXED),
            NoiseField::CommonAdditive | NoiseField::CommonMatrix | NoiseField::CommonPerceptron { .. } => {
                time * unit * free
            }
        };
        if dim < 2 || reach < 1e-32 {
            return None;
        }
        let parts = (reach / good).ceil().clamp(1.0, MOST_PARTS as f64);
        let (part, reach) = (reach / free / parts, reach / parts);
        let motion = match noise.field {
            NoiseField::Independent | NoiseField::CommonPerceptron { .. } => {
                let turn = Turn::new(part.min(1.0 / free), dim);
                Motion::Turn(Turn { rate: turn.rate / unit.sqrt(), ..turn })
            }
            NoiseField::CommonAdditive => Motion::Boosts { spread: part.sqrt() },
            NoiseField::CommonMatrix => Motion::Shears { spread: part.sqrt() },
        };
        Some(Diffusion { parts: parts as u64, motion, reach, good })
    }

    /// What is to be said of a step of length `step` whose parts are longer than they should be.
    pub fn warning(&self, step: f64) -> Option<Warning> {
        let excess = self.reach / self.good;
        if excess <= 1.0 {
            return None;
        }
        let error = match self.motion {
            Motion::Turn(_) => ERROR * excess,
            Motion::Boosts { .. } | Motion::Shears { .. } => ERROR * excess * excess,
        };
        let sentence = format!(
            "time.step = {step} is too long for this noise: of half a step, taken in {MOST_PARTS} parts, the decay of the mean of \
             tokens is off by about {:.1} % where {:.1} % is promised; take a time.step of at most {:.3e}",
            100.0 * error.min(1.0),
            100.0 * ERROR,
            step / excess,
        );
        Some(Warning::new(WarningKind::LongNoise, sentence))
    }

    /// The first draw of a half of step `step`, of all that are numbered in the order of their use.
    pub fn draw(&self, step: u64, half: u64) -> u64 {
        step.wrapping_mul(2).wrapping_add(half).wrapping_mul(self.parts)
    }
}

/// Of sigma(z)^2 with z standard normal.
struct Moments {
    variance: f64,
    /// Var sigma^2 / (E sigma^2)^2.
    excess: f64,
}

impl Moments {
    /// By the trapezoidal rule, which is exact to rounding for what is smooth, and nearly for half of a parabola.
    fn of(activation: Activation) -> Moments {
        const STEP: f64 = 1.0 / 64.0;
        let moment = |power: i32| -> f64 {
            let term = |k: i32| {
                let z = STEP * f64::from(k);
                activation.of(z).powi(power) * (-0.5 * z * z).exp()
            };
            STEP * (-640..=640).map(term).sum::<f64>() / (2.0 * std::f64::consts::PI).sqrt()
        };
        let (square, fourth) = (moment(2), moment(4));
        Moments { variance: square, excess: fourth / (square * square) - 1.0 }
    }
}

#[cfg(test)]
mod tests;
