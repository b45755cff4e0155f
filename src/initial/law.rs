//! The one list of laws of initial tokens.

use serde::Serialize;

use super::{
    definition::{Form, InitialLaw},
    draws::Draws,
    error::LawError,
    laws::{
        Cap, Fourier, FromFile, Gaussian, Orthonormal, Points, Simplex, TwoClusters, Uniform, UniformBox,
        VonMisesFisher,
    },
};

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

            pub(super) fn draw(&self, draws: &Draws) -> Result<Vec<f64>, LawError> {
                match self {
                    $(Law::$kind(law) => law.draw(draws),)*
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
    File(FromFile),
}
