//! Numbers that stand in tables or series elsewhere.

mod bessel;
mod recurrence;
mod truncation;
