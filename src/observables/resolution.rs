//! What an observable asks of a limit.

/// How finely the law of a limit has to be known for a distance from it; by default not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Resolution {
    /// Pieces of a law on the circle.
    pub pieces: f64,
    /// Nodes of a law on the sphere in every direction.
    pub nodes: usize,
    /// Whether moments of a law on the sphere are read.
    pub reads_moments: bool,
    /// The largest degree of the modes of a law on the circle or the sphere that are read.
    pub degree: usize,
    /// The inverse temperature of the kernel under which laws are compared.
    pub kernel_beta: Option<f64>,
}
