//! The sizes that host and shaders agree on, whatever the problem.

/// Threads of a workgroup at most, as browsers have them.
pub const MOST_THREADS: u32 = 256;
/// Bytes that they share at most, but in half precision.
pub const WORKGROUP_BYTES: u32 = 16384;

/// Tokens up to this width are reduced in registers, wider ones through blocked products.
pub const NARROW: usize = 16;
/// Threads of a workgroup in every kernel that has no reason for another number.
pub const THREADS: u32 = 64;
/// Tokens in one chunk of an observation.
pub const STATISTICS_ROWS: u32 = 1024;
/// Entries along the edge of a square of the second moment.
pub const EDGE: u32 = 16;
/// Tokens whose overlaps with others one workgroup counts, with how many of them, and bins that fit its memory.
pub const OVERLAP_ROWS: u32 = 4 * EDGE;
/// Tokens with which one workgroup counts the overlaps of its own.
pub const OVERLAP_COLUMNS: u32 = 16 * OVERLAP_ROWS;
/// Bins of a histogram that fit the memory of a workgroup.
pub const OVERLAP_BINS: u32 = 1000;
/// Directions that one thread of `project_sources` serves: components of a vector.
pub const PROJECTED_DIRECTIONS: u32 = 4;
/// Keys that one workgroup sorts in its memory: a power of two.
pub const SORT_KEYS: u32 = 2048;
/// Ends of masses that one thread of `transport` walks over.
pub const TRANSPORT_STEPS: u32 = 32;
/// Queries of one workgroup of `reduce_wide`.
pub const WIDE_QUERIES: u32 = 64;
/// Components of a query that `reduce_half` keeps at a time, and of keys and values that it has in workgroup memory.
pub const PANEL: u32 = 128;
/// Vectors of the output that one workgroup of `project_wide` owns, and rows.
pub const PROJECT_VECTORS: u32 = 8;
/// Rows of the output that one workgroup of `project_wide` owns.
pub const PROJECT_ROWS: u32 = 32;
/// Tokens whose recurrences one thread carries for the moments, and harmonics that are summed at once.
pub const MOMENT_KEYS: u32 = 8;
/// Harmonics that are summed at once.
pub const HARMONICS: u32 = 8;
/// Queries of one thread of a series at most: eight sums each and their recurrences are some twenty registers.
pub const SERIES_QUERIES: u32 = 4;
/// The score of a source that a query must not attend to, and the shift of a sum without terms. It is finite because
/// infinity minus infinity is not a number.
pub const MASKED_SCORE: f32 = -1e30;
