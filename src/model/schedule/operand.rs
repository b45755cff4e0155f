//! The matrices of a head.

use crate::model::{Head, Matrix};

/// Which of the two matrices of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A = Q^T K.
    QueryKey,
    /// V.
    Value,
}

/// One of the two matrices of the head of a number.
#[derive(Clone, Copy)]
pub(super) struct HeadOperand {
    pub head: usize,
    pub operand: Operand,
}

impl Operand {
    pub(super) fn of(self, head: &mut Head) -> &mut Matrix {
        match self {
            Operand::QueryKey => &mut head.query_key,
            Operand::Value => &mut head.value,
        }
    }
}
