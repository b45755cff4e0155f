// The reduction for narrow tokens (D <= 16): every thread owns QUERIES queries and keeps their sums in registers,
// while the workgroup walks over the keys, a tile at a time.
//
// Long sums stay accurate by their shape, not by compensation, which a driver that reorders floating point would
// undo: the TILE keys of a tile are added up on their own, tiles into a chunk, chunks into the partial in memory. No
// sum has more than a few hundred terms before it is folded into the next.

alias Token = array<vec4<f32>, WIDTH>;

struct Sum {
    shift: f32,
    z: f32,
    m: Token,
}

var<workgroup> tile: array<vec4<f32>, TILE * WIDTH>;
var<workgroup> tile_bias: array<vec4<f32>, TILE / 4u>;

// How far a score may rise above a running shift before the sums are rescaled: 2^32 times a tile stays finite.
const HEADROOM: f32 = 32.0;

// <a, b> over the components of vector c of a token; the padding is not read, so it costs nothing.
fn lanes_dot(a: vec4<f32>, b: vec4<f32>, c: u32) -> f32 {
    if (D % 4u == 0u || c + 1u < WIDTH) {
        return dot(a, b);
    }
    if (D % 4u == 1u) {
        return a.x * b.x;
    }
    if (D % 4u == 2u) {
        return dot(a.xy, b.xy);
    }
    return dot(a.xyz, b.xyz);
}

// Vector c of a token with its padding cleared; this also tells the compiler that the padding is dead.
fn trim(a: vec4<f32>, c: u32) -> vec4<f32> {
    if (D % 4u == 0u || c + 1u < WIDTH) {
        return a;
    }
    if (D % 4u == 1u) {
        return vec4<f32>(a.x, 0.0, 0.0, 0.0);
    }
    if (D % 4u == 2u) {
        return vec4<f32>(a.xy, 0.0, 0.0);
    }
    return vec4<f32>(a.xyz, 0.0);
}

// The addend of the score of a key: its log-weight and, if it is fixed, the shift; beyond the sources, silence.
fn bias(key: u32, row: u32) -> f32 {
    if (key >= params.sources) {
        return SILENT;
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
fn deposit(sum: Sum, at: u32, fresh: bool) {
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

// Adds the first `count` keys of the tile, a multiple of four or the rest being silent, to the sums of all queries;
// `first` is the key that the tile starts with, `query` the first query of the thread.
fn add_tile(
    u: ptr<function, array<Token, QUERIES>>,
    sum: ptr<function, array<Sum, QUERIES>>,
    query: u32,
    first: u32,
    count: u32,
) {
    for (var k = 0u; k < count; k += 4u) {
        // Four keys are read once for all queries of the thread.
        let key_bias = tile_bias[k / 4u];
        var y: array<Token, 4>;
        for (var j = 0u; j < 4u; j += 1u) {
            for (var c = 0u; c < WIDTH; c += 1u) {
                y[j][c] = tile[(k + j) * WIDTH + c];
            }
        }
        for (var q = 0u; q < QUERIES; q += 1u) {
            var score = key_bias;
            for (var c = 0u; c < WIDTH; c += 1u) {
                let a = (*u)[q][c];
                score += vec4<f32>(
                    lanes_dot(a, y[0][c], c),
                    lanes_dot(a, y[1][c], c),
                    lanes_dot(a, y[2][c], c),
                    lanes_dot(a, y[3][c], c),
                );
            }
            if (MASKED) {
                let key = first + k;
                let seen = vec4<u32>(key, key + 1u, key + 2u, key + 3u) < vec4<u32>(visible(query + q * THREADS));
                score = select(vec4<f32>(SILENT), score, seen);
            }
            if (!FIXED_SHIFT) {
                let highest = max(max(score.x, score.y), max(score.z, score.w));
                if (highest > (*sum)[q].shift + HEADROOM) {
                    let shift = ceil(highest);
                    let fall = exp2((*sum)[q].shift - shift);
                    (*sum)[q].shift = shift;
                    (*sum)[q].z *= fall;
                    for (var c = 0u; c < WIDTH; c += 1u) {
                        (*sum)[q].m[c] *= fall;
                    }
                }
                score -= (*sum)[q].shift;
            }
            let p = exp2(score);
            (*sum)[q].z += (p.x + p.y) + (p.z + p.w);
            for (var c = 0u; c < WIDTH; c += 1u) {
                (*sum)[q].m[c] += (p.x * y[0][c] + p.y * y[1][c]) + (p.z * y[2][c] + p.w * y[3][c]);
            }
        }
    }
}

// Sums over the keys [begin, end) of one replica, at most CHUNK of them, a tile at a time.
fn add_chunk(
    u: ptr<function, array<Token, QUERIES>>,
    total: ptr<function, array<Sum, QUERIES>>,
    thread: u32,
    query: u32,
    key_base: u32,
    begin: u32,
    end: u32,
) {
    for (var start = begin; start < end; start += TILE) {
        load_tile(thread, key_base, start);
        var sum: array<Sum, QUERIES>;
        for (var q = 0u; q < QUERIES; q += 1u) {
            sum[q].shift = (*total)[q].shift;
        }
        add_tile(u, &sum, query, start, min(TILE, end - start));
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
    var u: array<Token, QUERIES>;
    for (var q = 0u; q < QUERIES; q += 1u) {
        // Threads beyond the last query repeat it, so that all of them reach every barrier.
        let row = replica * params.queries + min(first + q * THREADS, params.queries - 1u);
        for (var c = 0u; c < WIDTH; c += 1u) {
            u[q][c] = params.scale * queries[row * WIDTH + c];
        }
    }

    let begin = slice * params.slice_keys + params.first_key;
    let last = min((block + 1u) * THREADS * QUERIES, params.queries) - 1u;
    let end = min(slice * params.slice_keys + params.end_key, visible(last));
    // Under a mask there may be nothing to add, but the partials must still be made.
    for (var chunk = begin; chunk < end || (MASKED && chunk == begin); chunk += CHUNK) {
        var total: array<Sum, QUERIES>;
        for (var q = 0u; q < QUERIES; q += 1u) {
            total[q].shift = select(SILENT, params.shift, FIXED_SHIFT);
        }
        add_chunk(&u, &total, thread, first, replica * params.key_rows, chunk, min(chunk + CHUNK, end));
        for (var q = 0u; q < QUERIES; q += 1u) {
            let query = first + q * THREADS;
            if (query < params.queries) {
                let at = (slice * params.rows + replica * params.queries + query) * STRIDE;
                deposit(total[q], at, params.fresh == 1u && chunk == begin);
            }
        }
    }
}
