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
