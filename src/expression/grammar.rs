//! The grammar of formulas, which is the file beside this one.

/// Reads formulas by it.
#[derive(pest_derive::Parser)]
#[grammar = "expression/grammar.pest"]
pub(super) struct Grammar;
