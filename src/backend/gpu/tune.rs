//! How large the pieces of the reduction are, from the shape of the problem and the kind of adapter alone.
//!
//! Nothing measured enters, so the order of every sum, and with it every bit of a run, is the same from run to run on one
//! adapter.

use super::{
    adapter::Kind,
    shaders::{Constants, NARROW, Shift, WIDE_QUERIES},
};
use crate::tokens::Shape;

/// Workgroups that keep a large adapter busy: a few for each of its one to two hundred cores.
const BUSY_GROUPS: usize = 1024;
/// Threads below which a large adapter is better served with fewer queries on each.
const BUSY_THREADS: usize = 1 << 16;

/// The constants of the reduction for tokens of this shape.
pub(super) fn constants(shape: Shape, kind: Kind, shift: Shift) -> Constants {
    let dim = shape.dim as u32;
    if shape.dim > NARROW {
        return Constants { dim, threads: 128, queries: 1, tile: 32, chunk: 1024, shift };
    }
    // Sums and query are QUERIES * 3 (D + 1) registers or so; these numbers keep them below about 150.
    let most = match (kind, shape.dim) {
        (Kind::Software, ..=4) => 8,
        (_, ..=8) => 4,
        _ => 2,
    };
    let queries = match kind {
        // A processor gains by reading a key once for many queries, whatever their number; its
        // vectors take eight threads.
        Kind::Software => most.min((shape.count as u32).div_ceil(8).next_power_of_two()),
        _ if shape.tokens() / most as usize >= BUSY_THREADS => most,
        _ => 1,
    };
    let fewest = if kind == Kind::Software { 8 } else { 32 };
    let threads = (shape.count.div_ceil(queries as usize) as u32).next_power_of_two().clamp(fewest, 64);
    let widest = if shape.dim <= 4 { 256 } else { 128 };
    let tile = (shape.sources() as u32).next_power_of_two().clamp(8, widest);
    Constants { dim, threads, queries, tile, chunk: 16 * tile, shift }
}

/// Queries of one workgroup.
pub(super) fn group_queries(constants: &Constants) -> usize {
    match constants.dim as usize {
        ..=NARROW => (constants.threads * constants.queries) as usize,
        _ => WIDE_QUERIES as usize,
    }
}

/// Into how many slices the keys are cut so that few queries still fill the adapter.
pub(super) fn slices(shape: Shape, kind: Kind, constants: &Constants) -> usize {
    if kind == Kind::Software {
        return 1;
    }
    let groups = shape.replicas * shape.count.div_ceil(group_queries(constants));
    let most = shape.sources().div_ceil(2 * constants.tile as usize);
    (BUSY_GROUPS / groups).clamp(1, most)
}

/// Keys in a slice: a multiple of the tile, and as many slices as are needed, none of them empty.
pub(super) fn slice_keys(sources: usize, slices: usize, constants: &Constants) -> usize {
    sources.div_ceil(slices).next_multiple_of(constants.tile as usize)
}
