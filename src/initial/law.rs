//! The one list of laws of initial tokens, and the mixtures of these.

use rand::RngExt;
use serde::Serialize;

use super::{
    definition::{Form, InitialLaw, Placement},
    error::LawError,
    laws::{
        Cap, Fourier, FromFile, Gaussian, Orthonormal, Points, Simplex, TwoClusters, Uniform, UniformBox,
        VonMisesFisher,
    },
};
use crate::tokens::Shape;

/// Makes the enum of all laws, whose methods ask their definitions.
macro_rules! laws {
    ($($kind:ident($law:ident),)*) => {
        /// A law of initial tokens, written as `{ law = "uniform" }` in an experiment file.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "law", rename_all = "kebab-case")]
        #[non_exhaustive]
        pub enum Law {
            $(
                #[doc = concat!("See [`", stringify!($law), "`].")]
                $kind($law),
            )*
        }

        /// Which law is meant, before its parameters are read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum LawKind {
            $($kind,)*
        }

        impl LawKind {
            /// The words of all laws.
            pub const WORDS: &[(&str, LawKind)] = &[$(($law::WORD, LawKind::$kind),)*];

            /// `law`, and the keys beside it.
            pub fn keys(self) -> &'static [&'static str] {
                match self {
                    $(LawKind::$kind => $law::KEYS,)*
                }
            }
        }

        impl Law {
            pub(super) fn check(&self) -> Result<(), LawError> {
                match self {
                    $(Law::$kind(law) => law.check(),)*
                }
            }

            pub(super) fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
                if shape.dim < 2 {
                    self.suits_a_line()?;
                }
                match self {
                    $(Law::$kind(law) => law.place(shape),)*
                }
            }

            /// What is known of the measure.
            pub(crate) fn form(&self) -> Form<'_> {
                match self {
                    $(Law::$kind(law) => law.form(),)*
                }
            }

            /// Whether all tokens have length one.
            pub(crate) fn is_on_sphere(&self) -> bool {
                match self {
                    $(Law::$kind(law) => law.is_on_sphere(),)*
                }
            }

            /// Writes down parameters that were left out, as far as they are numbers.
            pub(crate) fn write_defaults(&mut self, dim: usize) {
                match self {
                    $(Law::$kind(law) => law.write_defaults(dim),)*
                }
            }
        }
    };
}

laws! {
    Uniform(Uniform),
    VonMisesFisher(VonMisesFisher),
    Cap(Cap),
    Fourier(Fourier),
    Simplex(Simplex),
    Orthonormal(Orthonormal),
    Points(Points),
    TwoClusters(TwoClusters),
    Gaussian(Gaussian),
    Box(UniformBox),
    Mixture(Mixture),
    File(FromFile),
}

/// Each token is drawn from one of these laws, chosen with its own numbers: from law k with the probability `weights`_k.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mixture {
    #[serde(skip_serializing_if = "Option::is_none")]
    /// Greater than 0 and of sum one; equal if there are none.
    pub weights: Option<Vec<f64>>,
    /// Laws that draw every token alike.
    pub laws: Vec<Law>,
}

/// How far weights that are typed with few digits may be from a sum of one.
const ROUNDED: f64 = 1e-6;

impl InitialLaw for Mixture {
    const WORD: &'static str = "mixture";
    const KEYS: &'static [&'static str] = &["law", "weights", "laws"];

    fn check(&self) -> Result<(), LawError> {
        if self.laws.is_empty() {
            return Err(LawError::outside("laws", "a list of at least one law", "[{ law = \"uniform\" }]"));
        }
        if let Some(weights) = &self.weights {
            self.check_weights(weights)?;
        }
        for (index, law) in self.laws.iter().enumerate() {
            law.draws_alone().and_then(|()| law.check()).map_err(|error| error.within(index))?;
        }
        Ok(())
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        let mut samplers = Vec::new();
        for (index, law) in self.laws.iter().enumerate() {
            match law.place(shape).map_err(|error| error.within(index))? {
                Placement::Alike(draw) => samplers.push(draw),
                Placement::Numbered(_) | Placement::Given(_) => return Err(not_alone("law").within(index)),
            }
        }
        let mut ends = self.probabilities();
        (1..ends.len()).for_each(|k| ends[k] += ends[k - 1]);
        Ok(Placement::alike(move |stream, token| {
            let part: f64 = stream.random();
            // The last end may be rounded to less than one.
            let law = ends.partition_point(|end| *end <= part).min(samplers.len() - 1);
            samplers[law](stream, token)
        }))
    }

    fn form(&self) -> Form<'_> {
        Form::Mixture(self.probabilities().into_iter().zip(self.laws.iter().map(Law::form)).collect())
    }

    fn is_on_sphere(&self) -> bool {
        self.laws.iter().all(Law::is_on_sphere)
    }

    fn write_defaults(&mut self, dim: usize) {
        let count = self.laws.len();
        self.weights.get_or_insert_with(|| equal(count));
        self.laws.iter_mut().for_each(|law| law.write_defaults(dim));
    }
}

impl Mixture {
    fn check_weights(&self, weights: &[f64]) -> Result<(), LawError> {
        let wrong = |problem: String, remedy: String| Err(LawError::new("weights", problem, remedy));
        let (count, laws) = (weights.len(), self.laws.len());
        if count != laws {
            let problem = format!("has {count} numbers, and there are {laws} laws");
            return wrong(problem, format!("write {laws} numbers, or leave it out for equal weights"));
        }
        if let Some((index, weight)) = weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w > 0.0)) {
            let problem = format!("must be greater than 0, and is {weight} for law {index}, counted from 0");
            return wrong(problem, "write a positive weight, or leave the law out".into());
        }
        let sum: f64 = weights.iter().sum();
        if (sum - 1.0).abs() > ROUNDED {
            return wrong(format!("has the sum {sum}"), format!("write weights of sum 1: divide each by {sum}"));
        }
        Ok(())
    }

    /// The probability of each law, of sum one.
    fn probabilities(&self) -> Vec<f64> {
        let weights = self.weights.clone().unwrap_or_else(|| equal(self.laws.len()));
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect()
    }
}

fn equal(count: usize) -> Vec<f64> {
    vec![1.0 / count as f64; count]
}

impl Law {
    /// Refuses laws that place a token by its number: there is none among the tokens of one law of a mixture.
    fn draws_alone(&self) -> Result<(), LawError> {
        match self {
            Law::Uniform(_)
            | Law::VonMisesFisher(_)
            | Law::Cap(_)
            | Law::Gaussian(_)
            | Law::Box(_)
            | Law::Mixture(_)
            | Law::Fourier(Fourier { amplitudes: _, quiet: false }) => Ok(()),
            Law::Fourier(Fourier { amplitudes: _, quiet: true }) => Err(not_alone("quiet")),
            Law::Simplex(_) | Law::Orthonormal(_) | Law::Points(_) | Law::TwoClusters(_) | Law::File(_) => {
                Err(not_alone("law"))
            }
        }
    }

    /// Refuses laws on the sphere, of which tokens of one component have no directions to draw.
    fn suits_a_line(&self) -> Result<(), LawError> {
        match self {
            Law::Gaussian(_) | Law::Box(_) | Law::Points(_) | Law::Mixture(_) => Ok(()),
            Law::Uniform(_)
            | Law::VonMisesFisher(_)
            | Law::Cap(_)
            | Law::Fourier(_)
            | Law::Simplex(_)
            | Law::Orthonormal(_)
            | Law::TwoClusters(_)
            | Law::File(_) => {
                let problem = "is a law on the sphere, and tokens of one component have no directions";
                Err(LawError::new("law", problem, "write tokens.dim = 2 or more, or gaussian, box or points"))
            }
        }
    }

    /// The key of a law in R^d, if this is one or a mixture that has one: `law`, or `laws.1.law`.
    pub(crate) fn off_sphere(&self) -> Option<String> {
        if let Law::Mixture(Mixture { weights: _, laws }) = self {
            let off = |(index, law): (usize, &Law)| law.off_sphere().map(|key| format!("laws.{index}.{key}"));
            return laws.iter().enumerate().find_map(off);
        }
        (!self.is_on_sphere()).then(|| "law".to_owned())
    }
}

fn not_alone(key: &str) -> LawError {
    let problem = "places tokens by their number, and the law of a token of a mixture is chosen by chance";
    let remedy = "take uniform, von-mises-fisher, cap, gaussian, box, a mixture, or fourier without quiet";
    LawError::new(key, problem, remedy)
}
