//! The numbers that kernels are compiled for, and the header of constants that they become.

use std::fmt::Write;

use super::shaders::{
    EDGE, HARMONICS, MOMENT_KEYS, OVERLAP_BINS, OVERLAP_COLUMNS, OVERLAP_ROWS, PANEL, PROJECT_ROWS, PROJECT_VECTORS,
    SERIES_QUERIES, SHADOW_DIRECTIONS, SILENT, SORT_KEYS, SURVEY_ROWS, TRANSPORT_STEPS, WIDE_QUERIES,
};
use crate::{harmonic::SEED, model::TIE};

/// Where the exponent of the softmax is measured from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// From a bound known beforehand.
    Fixed,
    /// From the largest score so far.
    Running,
}

/// Which sources a query sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
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
    pub shift: Shift,
    pub sight: Sight,
    /// Degrees of a series whose radial coefficients each query has of its own; zero where they are all the same.
    pub degrees: u32,
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
    pub const SMALLEST: Half = Half { edge: 8, lanes: 8 };
}

/// Whether a kernel that knows the heads must be able to multiply tokens by matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrices {
    /// All are multiples of the identity, or multiplied elsewhere.
    Multiples,
    General,
}

impl Constants {
    /// Vectors of four components that hold one token.
    pub fn width(&self) -> u32 {
        self.dim.div_ceil(4)
    }
}

/// The matrices that a subgroup of a workgroup of so many threads multiplies, as left and right factor and as a sum.
pub(super) fn matrices(half: Half, threads: u32) -> String {
    let number = |name, value: u32| format!("const {name}: u32 = {value}u;\n");
    let matrix = |name, scalar, role| format!("alias {name} = coop_mat{0}x{0}<{scalar}, {role}>;\n", half.edge);
    [
        number("MATRIX", half.edge),
        number("LANES", half.lanes.min(threads)),
        number("PANEL", PANEL),
        matrix("Left", "f16", "A"),
        matrix("Right", "f16", "B"),
        matrix("Sums", "f32", "C"),
    ]
    .concat()
}

/// The constants as WGSL, for a workgroup of so many threads.
pub(super) fn header(constants: &Constants, threads: u32) -> String {
    let mut text = String::new();
    let numbers = [
        ("D", constants.dim),
        ("WIDTH", constants.width()),
        ("INNER", constants.inner.div_ceil(4)),
        ("THREADS", threads),
        ("QUERIES", constants.queries),
        ("TILE", constants.tile),
        ("CHUNK", constants.chunk),
        ("TILES", constants.tiles),
        ("STAGES", constants.stages),
        ("WIDE_QUERIES", WIDE_QUERIES),
        ("PROJECT_VECTORS", PROJECT_VECTORS),
        ("PROJECT_ROWS", PROJECT_ROWS),
        ("SURVEY_ROWS", SURVEY_ROWS),
        ("EDGE", EDGE),
        ("OVERLAP_ROWS", OVERLAP_ROWS),
        ("OVERLAP_COLUMNS", OVERLAP_COLUMNS),
        ("OVERLAP_BINS", OVERLAP_BINS),
        ("SHADOW_DIRECTIONS", SHADOW_DIRECTIONS),
        ("SORT_KEYS", SORT_KEYS),
        ("STEPS", TRANSPORT_STEPS),
        ("KEYS", MOMENT_KEYS),
        ("HARMONICS", HARMONICS),
        ("QUERIES_AT_ONCE", constants.queries.min(SERIES_QUERIES)),
        ("DEGREES", constants.degrees.max(1)),
    ];
    for (name, value) in numbers {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "const {name}: u32 = {value}u;");
    }
    let _ = writeln!(text, "const SILENT: f32 = {SILENT:e};");
    let _ = writeln!(text, "const FIXED_SHIFT: bool = {};", constants.shift == Shift::Fixed);
    let _ = writeln!(text, "const TIE: f32 = {TIE:e};");
    let _ = writeln!(text, "const SEED: f32 = {SEED:e};");
    let _ = writeln!(text, "const VARYING: bool = {};", constants.degrees > 0);
    let _ = writeln!(text, "const GENERAL: bool = {};", constants.matrices == Matrices::General);
    let _ = writeln!(text, "const MASKED: bool = {};", constants.sight != Sight::All);
    let _ = writeln!(text, "const CHOSEN: bool = {};", constants.sight == Sight::Chosen);
    text
}
