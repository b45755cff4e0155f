//! In which format numbers are summed.

use serde::{Deserialize, Serialize};

/// The floating-point format of the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Precision {
    /// Tokens and sums in f32, but the factors of the two products of a reduction, queries and keys, weights and values,
    /// rounded to f16. Only some GPUs have it, and only where it is asked for.
    Half,
    /// f32.
    Single,
    /// f64.
    Double,
}

impl Precision {
    /// The word for it in manifests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Half => "half",
            Precision::Single => "single",
            Precision::Double => "double",
        }
    }
}
