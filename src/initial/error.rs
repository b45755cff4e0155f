//! Why a law cannot start tokens.

/// Why a law cannot start the tokens it is asked for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{key}: {problem}; {remedy}")]
#[non_exhaustive]
pub struct LawError {
    /// The parameter of the law, or `law` itself; `laws.1.angle` where it is one of the second law of a mixture.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl LawError {
    pub(crate) fn new(key: &str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { key: key.to_owned(), problem: problem.into(), remedy: remedy.into() }
    }

    pub(super) fn outside(key: &str, range: &str, example: &str) -> Self {
        Self::new(key, format!("must be {range}"), format!("write e.g. {key} = {example}"))
    }

    /// The same of a law of a mixture, by its number.
    pub(super) fn within(self, index: usize) -> Self {
        Self { key: format!("laws.{index}.{}", self.key), ..self }
    }

    /// Refuses what is no inner product of unit vectors.
    pub(super) fn unless_overlap(overlap: f64) -> Result<(), Self> {
        if (-1.0..=1.0).contains(&overlap) { Ok(()) } else { Err(Self::outside("overlap", "from -1 to 1", "0.5")) }
    }
}
