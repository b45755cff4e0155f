//! The condition at which a run ends before its time.

use serde::{Serialize, Serializer};

use super::{error::ExperimentError, section::Entry};
use crate::expression::{Expression, ExpressionError};

pub(super) const EXAMPLE: &str = "\"pair_overlap > 0.99\"";

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StopTyped(pub Expression);

impl Serialize for StopTyped {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

pub(super) fn read(entry: &Entry) -> Result<StopTyped, ExperimentError> {
    let condition: Expression =
        entry.text()?.parse().map_err(|error: ExpressionError| entry.error(error.to_string()))?;
    match condition.is_condition() {
        true => Ok(StopTyped(condition)),
        false => Err(entry.error("neither holds nor does not: it compares nothing")),
    }
}
