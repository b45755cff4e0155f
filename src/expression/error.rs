//! What is wrong with a formula.

use pest::error::{Error, LineColLocation};

use super::grammar::Rule;

/// What is wrong with a formula.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum ExpressionError {
    #[error("is empty")]
    Empty,
    #[error("is no formula: nothing fits at character {column}, before \"{rest}\"")]
    Syntax { column: usize, rest: String },
    #[error("{problem}")]
    Function { text: String, problem: String },
    #[error("knows no {name}")]
    Unknown { text: String, name: String },
}

impl ExpressionError {
    pub(super) fn syntax(text: &str, error: &Error<Rule>) -> Self {
        if text.trim().is_empty() {
            return Self::Empty;
        }
        let (LineColLocation::Pos((_, column)) | LineColLocation::Span((_, column), _)) = error.line_col;
        let rest: String = text.lines().next().unwrap_or_default().chars().skip(column - 1).collect();
        Self::Syntax { column, rest }
    }
}
