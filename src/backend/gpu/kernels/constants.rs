//! The numbers that kernels are compiled for.

/// Where the exponent of the softmax is measured from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// From a bound known beforehand.
    Fixed,
    /// From the largest score so far.
    Running,
}

/// Which sources a query may attend to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Every source of the replica.
    All,
    /// The leading ones, up to a number that grows with the query.
    Leading,
    /// Some of those.
    Chosen,
}

/// The numbers that a kernel is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constants {
    /// Components of a token; of a value of a head, and of an output of a product.
    pub dim: u32,
    /// Components of a key of a head, and of an input of a product; as many elsewhere.
    pub inner: u32,
    /// Threads of a workgroup of the reduction.
    pub threads: u32,
    /// Queries of one thread of `reduce_narrow` and `advance`.
    pub queries: u32,
    /// Keys in a tile of the reduction: a multiple of four.
    pub tile: u32,
    /// Keys in a chunk: a multiple of the tile.
    pub chunk: u32,
    /// Where the shift of a row of scores comes from.
    pub shift: Shift,
    /// Which sources a query may attend to.
    pub visibility: Visibility,
    /// Degrees of a series whose radial coefficients each query has of its own; zero where they are all the same.
    pub degrees: u32,
    /// Whether tokens are multiplied by matrices.
    pub matrices: Matrices,
    /// Replicas that a workgroup of `advance` keeps, each in a tile of its own; one elsewhere.
    pub tiles: u32,
    /// Stages of a step of `advance`; one elsewhere.
    pub stages: u32,
    /// The matrices of `reduce_half`; the smallest elsewhere.
    pub half: Half,
}

/// How an adapter multiplies matrices of f16 that are summed in f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Half {
    /// Rows and columns of each matrix: 8 or 16.
    pub edge: u32,
    /// Threads of the largest subgroup; a subgroup multiplies matrices together.
    pub lanes: u32,
}

impl Half {
    /// Matrices of 8 rows, of subgroups of 8 threads.
    pub const SMALLEST: Half = Half { edge: 8, lanes: 8 };
}

/// Whether a kernel that knows the heads must be able to multiply tokens by matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrices {
    /// All are multiples of the identity, or multiplied elsewhere.
    Multiples,
    /// Any d x d matrix.
    General,
}

impl Constants {
    /// Vectors of four components that hold one token.
    pub fn width(&self) -> u32 {
        self.dim.div_ceil(4)
    }
}
