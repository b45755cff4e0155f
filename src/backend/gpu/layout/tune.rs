//! How large the pieces of the reduction are, from the shape of the problem and the kind of adapter alone.
//!
//! Nothing measured enters, so the order of every sum, and with it every bit of a run, is the same from run to run on
//! one adapter.

use crate::backend::gpu::{
    engine::adapter::Kind,
    kernels::{
        constants::{Constants, Half, Matrices, Shift, Visibility},
        sizes::{NARROW, WIDE_QUERIES},
    },
};
use crate::tokens::Shape;

/// Threads that keep a large adapter busy: about a thousand for each of its one to two hundred cores.
const BUSY_THREADS: usize = 1 << 17;
/// What every adapter and every browser has in a workgroup: invocations, and bytes of shared memory.
const WORKGROUP_THREADS: usize = 256;
const WORKGROUP_BYTES: usize = 16384;

/// The constants of the reduction for tokens of this shape.
pub fn constants(shape: Shape, kind: Kind, shift: Shift, visibility: Visibility) -> Constants {
    let dim = shape.dim as u32;
    let (matrices, tiles, stages) = (Matrices::Multiples, 1, 1);
    let general = Constants {
        dim,
        inner: dim,
        threads: 0,
        queries: 0,
        tile: 0,
        chunk: 0,
        shift,
        visibility,
        degrees: 0,
        matrices,
        tiles,
        stages,
        half: Half::SMALLEST,
    };
    if shape.dim > NARROW {
        return wide(&general, shape.dim, shape.dim);
    }
    let most = most_queries(shape, kind);
    let widest = if shape.dim <= 4 { 256 } else { 128 };
    let tile = (shape.sources() as u32).next_power_of_two().clamp(8, widest);
    let queries = match kind {
        Kind::Software => software_queries(shape),
        _ if shape.tokens() / most as usize * most_slices(shape.sources(), tile) >= BUSY_THREADS => most,
        _ => 1,
    };
    let threads = (shape.count.div_ceil(queries as usize) as u32).next_power_of_two().clamp(fewest_threads(kind), 64);
    Constants { threads, queries, tile, chunk: 16 * tile, ..general }
}

/// The constants of `reduce_wide` for keys and values of these widths, beside others.
pub fn wide(others: &Constants, keys: usize, values: usize) -> Constants {
    let (dim, inner) = (values as u32, keys as u32);
    Constants { dim, inner, threads: 128, queries: 1, tile: 32, chunk: 1024, shift: Shift::Running, ..*others }
}

/// The constants of `advance` for replicas of this shape, or nothing if a workgroup cannot keep one whole.
///
/// That takes one invocation for each token, registers for its components, and room in workgroup memory for the sources
/// and the addends of their scores, within what every browser has.
pub fn small(
    shape: Shape,
    kind: Kind,
    stages: usize,
    shift: Shift,
    visibility: Visibility,
    matrices: Matrices,
) -> Option<Constants> {
    let tile = shape.sources().next_multiple_of(4);
    let bytes = tile * (16 * shape.dim.div_ceil(4) + 4);
    if shape.dim > NARROW || shape.count > WORKGROUP_THREADS || bytes > WORKGROUP_BYTES {
        return None;
    }
    // General matrices make much code for each query.
    let queries = match (kind, matrices) {
        (Kind::Software, Matrices::Multiples) => software_queries(shape),
        _ => 1,
    };
    // Everything below is at most some hundreds.
    let lanes = shape.count.div_ceil(queries as usize);
    let fill = fewest_threads(kind) as usize / lanes;
    let tiles = fill.min(WORKGROUP_BYTES / bytes).min(shape.replicas).max(1);
    Some(Constants {
        dim: shape.dim as u32,
        inner: shape.dim as u32,
        threads: (tiles * lanes) as u32,
        queries,
        tile: tile as u32,
        chunk: tile as u32,
        shift,
        visibility,
        degrees: 0,
        matrices,
        tiles: tiles as u32,
        stages: stages as u32,
        half: Half::SMALLEST,
    })
}

/// Queries of one thread of a narrow reduction at most. Sums and query are QUERIES * 3 (D + 1) registers or so; these
/// numbers keep them below about 150.
fn most_queries(shape: Shape, kind: Kind) -> u32 {
    match (kind, shape.dim) {
        (Kind::Software, ..=4) => 8,
        (_, ..=8) => 4,
        _ => 2,
    }
}

/// A processor gains by reading a key once for many queries, whatever their number; its vectors take eight threads.
fn software_queries(shape: Shape) -> u32 {
    most_queries(shape, Kind::Software).min((shape.count as u32).div_ceil(8).next_power_of_two())
}

/// Threads without which a workgroup leaves vectors of the adapter idle.
fn fewest_threads(kind: Kind) -> u32 {
    if kind == Kind::Software { 8 } else { 32 }
}

/// Queries of one workgroup.
pub(crate) fn group_queries(constants: &Constants) -> usize {
    match constants.dim as usize {
        ..=NARROW => (constants.threads * constants.queries) as usize,
        _ => WIDE_QUERIES as usize,
    }
}

/// Into how many slices the keys are cut so that few queries still fill the adapter.
pub(crate) fn slices(shape: Shape, kind: Kind, constants: &Constants) -> usize {
    slices_for(shape.count, shape.replicas, shape.sources(), kind, constants)
}

/// The same for `queries` of each replica that are not all of its tokens.
pub(crate) fn slices_for(
    queries: usize,
    replicas: usize,
    sources: usize,
    kind: Kind,
    constants: &Constants,
) -> usize {
    if kind == Kind::Software {
        return 1;
    }
    let groups = replicas * queries.div_ceil(group_queries(constants));
    (BUSY_THREADS / (groups * constants.threads as usize)).clamp(1, most_slices(sources, constants.tile))
}

/// Slices of two tiles: with fewer keys, merging them would cost more than it gains.
fn most_slices(sources: usize, tile: u32) -> usize {
    sources.div_ceil(2 * tile as usize)
}

/// Keys in a slice: a multiple of the tile, and as many slices as are needed, none of them empty.
pub(crate) fn slice_keys(sources: usize, slices: usize, constants: &Constants) -> usize {
    sources.div_ceil(slices).next_multiple_of(constants.tile as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [Kind; 2] = [Kind::Software, Kind::Discrete];

    fn shapes() -> impl Iterator<Item = Shape> {
        let counts = [1, 7, 32, 1000, 1 << 14, 100_000, 1 << 20];
        let replicas = [1, 2048];
        [2, 3, 4, 5, 8, 16, 17, 384].into_iter().flat_map(move |dim| {
            counts.into_iter().flat_map(move |count| {
                replicas.into_iter().map(move |replicas| Shape { replicas, count, dim, passive: count / 3 })
            })
        })
    }

    #[test]
    fn tiles_are_whole_vectors_and_chunks_are_whole_tiles() {
        for (shape, kind) in shapes().flat_map(|shape| KINDS.map(|kind| (shape, kind))) {
            let constants = constants(shape, kind, Shift::Fixed, Visibility::All);
            assert_eq!(constants.tile % 4, 0, "{shape:?}");
            assert_eq!(constants.chunk % constants.tile, 0, "{shape:?}");
            assert!(constants.threads.is_power_of_two(), "{shape:?}");
        }
    }

    #[test]
    fn slices_cover_all_keys_and_none_is_empty() {
        for (shape, kind) in shapes().flat_map(|shape| KINDS.map(|kind| (shape, kind))) {
            let constants = constants(shape, kind, Shift::Fixed, Visibility::All);
            let keys = slice_keys(shape.sources(), slices(shape, kind, &constants), &constants);
            let slices = shape.sources().div_ceil(keys);
            assert!(slices * keys >= shape.sources() && (slices - 1) * keys < shape.sources(), "{shape:?}");
        }
    }

    #[test]
    fn a_single_query_block_still_fills_a_large_adapter() {
        let shape = Shape { replicas: 1, count: 1 << 14, dim: 3, passive: 0 };
        let constants = constants(shape, Kind::Discrete, Shift::Fixed, Visibility::All);
        let groups = shape.count.div_ceil(group_queries(&constants)) * slices(shape, Kind::Discrete, &constants);
        assert!(groups * constants.threads as usize >= BUSY_THREADS / 2, "{groups} workgroups");
    }
}
