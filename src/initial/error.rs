//! Why a law cannot start tokens.

/// Why a law cannot start the tokens it is asked for. The key is the parameter of the law, or `law` itself.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{key}: {problem}; {remedy}")]
#[non_exhaustive]
pub struct LawError {
    /// The parameter of the law, or `law`.
    pub key: &'static str,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl LawError {
    pub(super) fn outside(key: &'static str, range: &str, example: &str) -> Self {
        Self { key, problem: format!("must be {range}"), remedy: format!("write e.g. {key} = {example}") }
    }

    /// Refuses what is no inner product of unit vectors.
    pub(super) fn unless_overlap(overlap: f64) -> Result<(), Self> {
        if (-1.0..=1.0).contains(&overlap) { Ok(()) } else { Err(Self::outside("overlap", "from -1 to 1", "0.5")) }
    }
}
