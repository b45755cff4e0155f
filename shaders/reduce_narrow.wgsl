// The reduction for narrow tokens (D <= 16): every thread owns QUERIES queries and keeps their sums in registers,
// while the workgroup walks over the keys, a tile at a time.
//
// Long sums stay accurate by their shape, not by compensation, which a driver that reorders floating point would
// undo: the TILE keys of a tile are added up on their own, tiles into a chunk, chunks into the partial in memory. No
// sum has more than a few hundred terms before it is folded into the next.

// The addend of the score of a key: its log-weight and, if it is fixed, the shift; beyond the sources, MASKED_SCORE.
fn bias(key: u32, row: u32) -> f32 {
    if (key >= params.sources) {
        return MASKED_SCORE;
    }
    if (FIXED_SHIFT) {
        return weights[row].y - params.shift;
    }
    return weights[row].y;
}

// Copies keys [first, first + TILE) of the replica whose tokens start at row `base` into workgroup memory.
fn load_tile(thread: u32, base: u32, first: u32) {
    // The last reader of the previous tile must be done before it is overwritten.
    workgroupBarrier();
    for (var k = thread; k < TILE; k += THREADS) {
        let row = base + min(first + k, params.sources - 1u);
        for (var c = 0u; c < WIDTH; c += 1u) {
            tile[k * WIDTH + c] = keys[row * WIDTH + c];
        }
    }
    for (var k = thread; k < TILE / 4u; k += THREADS) {
        let key = first + 4u * k;
        let row = base + min(key, params.sources - 1u);
        let last = base + params.sources - 1u;
        tile_bias[k] = vec4<f32>(
            bias(key, row),
            bias(key + 1u, min(row + 1u, last)),
            bias(key + 2u, min(row + 2u, last)),
            bias(key + 3u, min(row + 3u, last)),
        );
    }
    // And the tile must be whole before anyone reads it.
    workgroupBarrier();
}

// Merges a sum into the partial of its query.
fn merge_partial(sum: Sum, at: u32, fresh: bool) {
    var shift = sum.shift;
    var z = sum.z;
    var rise = 1.0;
    var fall = 0.0;
    if (!fresh) {
        let old = partials[at + WIDTH];
        shift = max(sum.shift, old.x);
        rise = exp2(sum.shift - shift);
        fall = exp2(old.x - shift);
        z = rise * sum.z + fall * old.y;
    }
    var m = sum.m;
    for (var c = 0u; c < WIDTH; c += 1u) {
        var merged = rise * trim(m[c], c);
        if (!fresh) {
            merged += fall * partials[at + c];
        }
        partials[at + c] = merged;
    }
    partials[at + WIDTH] = vec4<f32>(shift, z, 0.0, 0.0);
}

// Sums over the keys [begin, end) of one replica, at most CHUNK of them, a tile at a time.
fn add_chunk(
    u: ptr<function, Tokens>,
    total: ptr<function, array<Sum, QUERIES>>,
    thread: u32,
    query: u32,
    key_base: u32,
    begin: u32,
    end: u32,
) {
    for (var start = begin; start < end; start += TILE) {
        load_tile(thread, key_base, start);
        var sum: array<Sum, QUERIES> = array<Sum, QUERIES>();
        for (var q = 0u; q < QUERIES; q += 1u) {
            sum[q].shift = (*total)[q].shift;
        }
        add_tile(u, &sum, Place(query, THREADS, start, 0u), min(TILE, end - start));
        for (var q = 0u; q < QUERIES; q += 1u) {
            // The shift of a tile starts at that of its chunk and only rises.
            var fall = 1.0;
            if (!FIXED_SHIFT) {
                fall = exp2((*total)[q].shift - sum[q].shift);
            }
            (*total)[q].shift = sum[q].shift;
            (*total)[q].z = fall * (*total)[q].z + sum[q].z;
            for (var c = 0u; c < WIDTH; c += 1u) {
                (*total)[q].m[c] = fall * (*total)[q].m[c] + sum[q].m[c];
            }
        }
    }
}

@compute @workgroup_size(THREADS)
fn reduce_narrow(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let block = group % params.blocks;
    let slice = (group / params.blocks) % params.slices;
    let replica = group / (params.blocks * params.slices);

    let first = block * THREADS * QUERIES + thread;
    var u: Tokens = Tokens();
    for (var q = 0u; q < QUERIES; q += 1u) {
        // Threads beyond the last query repeat it, so that all of them reach every barrier.
        let row = replica * params.queries + min(first + q * THREADS, params.queries - 1u);
        for (var c = 0u; c < WIDTH; c += 1u) {
            u[q][c] = params.scale * queries[row * WIDTH + c];
        }
    }

    let last = min((block + 1u) * THREADS * QUERIES, params.queries) - 1u;
    let range = visible_range(block * THREADS * QUERIES, last);
    let begin = first_chunk(slice * params.slice_keys + params.first_key, range.x);
    let end = min(slice * params.slice_keys + params.end_key, range.y);
    // Under a mask there may be nothing to add, but the partials must still be made.
    for (var chunk = begin; chunk < end || (MASKED && chunk == begin); chunk += CHUNK) {
        var total: array<Sum, QUERIES> = array<Sum, QUERIES>();
        for (var q = 0u; q < QUERIES; q += 1u) {
            total[q].shift = select(MASKED_SCORE, params.shift, FIXED_SHIFT);
        }
        add_chunk(&u, &total, thread, first, replica * params.key_rows, chunk, min(chunk + CHUNK, end));
        for (var q = 0u; q < QUERIES; q += 1u) {
            let query = first + q * THREADS;
            if (query < params.queries) {
                let at = (slice * params.rows + replica * params.queries + query) * STRIDE;
                merge_partial(total[q], at, params.fresh == 1u && chunk == begin);
            }
        }
    }
}
