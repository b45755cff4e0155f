// Observables are reduced in chunks of STATISTICS_ROWS tokens, one workgroup each, to a few numbers a chunk; the host
// finishes in double precision. The order of every sum is fixed, so an observation repeats bit for bit.

struct Statistics {
    // Chunks of this segment, ordered (replica, chunk), and those of one replica.
    groups: u32,
    chunks: u32,
    // Tokens of one replica in this segment.
    rows: u32,
    // Where this segment starts among the chunks and the replicas of all segments.
    first_chunk: u32,
    first_replica: u32,
    // Where in `samples` the observable, and the directions that it may need, start.
    at: u32,
    directions_at: u32,
    // Partials: key slices, the tokens of the segment, and the vectors of one; elsewhere the sums of one chunk.
    slices: u32,
    segment_rows: u32,
    stride: u32,
    // One if the dissipation of a row is multiplied by its Z.
    times_z: u32,
}

// The tokens of one workgroup.
struct Chunk {
    replica: u32,
    begin: u32,
    end: u32,
}

fn chunk_of(params: Statistics, group: u32) -> Chunk {
    let replica = group / params.chunks;
    let first = (group % params.chunks) * STATISTICS_ROWS;
    let base = replica * params.rows;
    return Chunk(replica, base + first, base + min(first + STATISTICS_ROWS, params.rows));
}
