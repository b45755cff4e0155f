//! Steps whose length follows from an estimate of their error.

/// Each step is as long as an estimate of its error allows: |h sum_s e_s k_s| of every token is at most `tolerance`, e being the difference
/// of the scheme from the one that is embedded in it (Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", II.4).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Control {
    /// Of a step, in the unit of tokens; greater than 0.
    pub tolerance: f64,
    /// The length at which the first step is tried.
    pub first: Option<f64>,
    /// No step is longer.
    pub most: Option<f64>,
}
