// The reduction for wide tokens: a workgroup owns ROWS queries and walks over the keys, TILE at a time. Scores are
// formed as a blocked matrix product over slabs of SLAB vectors, turned into weights in workgroup memory, and multiplied
// into the values over slabs of BAND vectors. The running shift of a query rises at most once a tile.
//
// Sums over a tile are added to the sums of a chunk, and these to the partial in memory, as in `reduce_narrow`.

// Queries of a workgroup, two to each of the 32 rows of threads.
const ROWS: u32 = 64u;
const PAIRS: u32 = 32u;
// Vectors of a token in a slab of the score product, and in a slab of the value product.
const SLAB: u32 = 4u;
const BAND: u32 = 8u;
const BANDS: u32 = (WIDTH + BAND - 1u) / BAND;
// Threads that share the softmax of a pair of queries, and the keys of each.
const PARTS: u32 = THREADS / PAIRS;
const PART_KEYS: u32 = TILE / PARTS;

// In turn: slabs of queries and of keys, the softmax parts, a band of values, the merge of a chunk.
var<workgroup> scratch: array<vec4<f32>, (ROWS + TILE) * SLAB>;
// Scores, then weights, of a pair of queries: [key][pair].
var<workgroup> weight: array<vec2<f32>, TILE * PAIRS>;
// By what the sums of a pair of queries shrink.
var<workgroup> pair_fall: array<vec2<f32>, PAIRS>;

// Copies vectors [c, c + SLAB) of the queries and of the keys into scratch, transposed so that threads of one warp
// read neighbouring words; what lies beyond the token is zero.
fn load_slab(thread: u32, query_base: u32, first_query: u32, key_base: u32, first_key: u32, c: u32) {
    workgroupBarrier();
    for (var k = thread; k < (ROWS + TILE) * SLAB; k += THREADS) {
        let lane = k % SLAB;
        let member = k / SLAB;
        var value = vec4<f32>(0.0);
        if (c + lane < WIDTH) {
            if (member < ROWS) {
                let row = query_base + min(first_query + member, params.queries - 1u);
                value = params.scale * queries[row * WIDTH + c + lane];
            } else {
                let row = key_base + min(first_key + member - ROWS, params.sources - 1u);
                value = keys[row * WIDTH + c + lane];
            }
        }
        scratch[lane * (ROWS + TILE) + member] = value;
    }
    workgroupBarrier();
}

// Copies vectors [c, c + BAND) of the keys, which are also the values, into scratch: [key][vector].
fn load_band(thread: u32, key_base: u32, first_key: u32, c: u32) {
    workgroupBarrier();
    for (var k = thread; k < TILE * BAND; k += THREADS) {
        let lane = k % BAND;
        var value = vec4<f32>(0.0);
        if (c + lane < WIDTH) {
            let row = key_base + min(first_key + k / BAND, params.sources - 1u);
            value = keys[row * WIDTH + c + lane];
        }
        scratch[k] = value;
    }
    workgroupBarrier();
}

// Scores of two queries against four keys for each thread, with the log-weights; keys at or beyond `end` are silent.
fn score_tile(thread: u32, query_base: u32, first_query: u32, key_base: u32, first_key: u32, end: u32) {
    let pair = thread / 8u;
    let column = thread % 8u;
    var score: array<vec2<f32>, 4>;
    for (var c = 0u; c < WIDTH; c += SLAB) {
        load_slab(thread, query_base, first_query, key_base, first_key, c);
        for (var lane = 0u; lane < SLAB; lane += 1u) {
            let base = lane * (ROWS + TILE);
            let a = scratch[base + 2u * pair];
            let b = scratch[base + 2u * pair + 1u];
            for (var k = 0u; k < 4u; k += 1u) {
                let y = scratch[base + ROWS + column + 8u * k];
                score[k] += vec2<f32>(dot(a, y), dot(b, y));
            }
        }
    }
    for (var k = 0u; k < 4u; k += 1u) {
        let key = column + 8u * k;
        var silenced = vec2<f32>(SILENT);
        if (first_key + key < end) {
            silenced = score[k] + weights[key_base + first_key + key].y;
        }
        weight[key * PAIRS + pair] = silenced;
    }
    workgroupBarrier();
}

// Turns scores into weights 2^(score - shift). Every thread handles PART_KEYS keys of one pair, keeps its share of Z, and
// the shift of the pair, on which all parts agree.
fn weigh_tile(thread: u32, shift: ptr<function, vec2<f32>>, z: ptr<function, vec2<f32>>) {
    let pair = thread % PAIRS;
    let first = (thread / PAIRS) * PART_KEYS;
    var highest = vec2<f32>(SILENT);
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        highest = max(highest, weight[(first + k) * PAIRS + pair]);
    }
    scratch[thread] = vec4<f32>(highest, 0.0, 0.0);
    workgroupBarrier();
    for (var part = 0u; part < PARTS; part += 1u) {
        highest = max(highest, scratch[part * PAIRS + pair].xy);
    }
    let raised = max(*shift, ceil(highest));
    let fall = exp2(*shift - raised);
    var sum = vec2<f32>(0.0);
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        let p = exp2(weight[(first + k) * PAIRS + pair] - raised);
        weight[(first + k) * PAIRS + pair] = p;
        sum += p;
    }
    *z = fall * *z + sum;
    *shift = raised;
    if (first == 0u) {
        pair_fall[pair] = fall;
    }
}

// Adds weights times values to M: every thread owns vector `column` of each band, for two queries.
fn add_values(thread: u32, m: ptr<function, array<vec4<f32>, 2u * BANDS>>, key_base: u32, first_key: u32) {
    let pair = thread / BAND;
    let column = thread % BAND;
    for (var band = 0u; band < BANDS; band += 1u) {
        load_band(thread, key_base, first_key, band * BAND);
        var a = vec4<f32>(0.0);
        var b = vec4<f32>(0.0);
        for (var k = 0u; k < TILE; k += 1u) {
            let p = weight[k * PAIRS + pair];
            let y = scratch[k * BAND + column];
            a += p.x * y;
            b += p.y * y;
        }
        let fall = pair_fall[pair];
        (*m)[2u * band] = fall.x * (*m)[2u * band] + a;
        (*m)[2u * band + 1u] = fall.y * (*m)[2u * band + 1u] + b;
    }
}

// Merges (shift, Z) of the chunk into the partials; the owner of a pair tells the others by what to scale M:
// scratch[pair] = (scale of the chunk, scale of what memory holds) for both queries.
fn deposit_sums(thread: u32, at: u32, first_query: u32, shift: vec2<f32>, z: vec2<f32>, fresh: bool) {
    let pair = thread % PAIRS;
    workgroupBarrier();
    scratch[thread] = vec4<f32>(z, 0.0, 0.0);
    workgroupBarrier();
    var sum = vec2<f32>(0.0);
    for (var part = 0u; part < PARTS; part += 1u) {
        sum += scratch[part * PAIRS + pair].xy;
    }
    workgroupBarrier();
    if (thread < PAIRS) {
        var scales = vec4<f32>(1.0, 0.0, 1.0, 0.0);
        for (var q = 0u; q < 2u; q += 1u) {
            let query = first_query + 2u * pair + q;
            if (query >= params.queries) {
                continue;
            }
            let header = at + query * STRIDE + WIDTH;
            var merged = vec2<f32>(shift[q], sum[q]);
            if (!fresh) {
                let old = partials[header];
                merged.x = max(shift[q], old.x);
                scales[2u * q] = exp2(shift[q] - merged.x);
                scales[2u * q + 1u] = exp2(old.x - merged.x);
                merged.y = scales[2u * q] * sum[q] + scales[2u * q + 1u] * old.y;
            }
            partials[header] = vec4<f32>(merged, 0.0, 0.0);
        }
        scratch[pair] = scales;
    }
    workgroupBarrier();
}

fn deposit_values(thread: u32, m: ptr<function, array<vec4<f32>, 2u * BANDS>>, at: u32, first_query: u32, fresh: bool) {
    let pair = thread / BAND;
    let scales = scratch[pair];
    for (var band = 0u; band < BANDS; band += 1u) {
        let c = band * BAND + thread % BAND;
        for (var q = 0u; q < 2u; q += 1u) {
            let query = first_query + 2u * pair + q;
            if (c >= WIDTH || query >= params.queries) {
                continue;
            }
            let place = at + query * STRIDE + c;
            var merged = scales[2u * q] * (*m)[2u * band + q];
            if (!fresh) {
                merged += scales[2u * q + 1u] * partials[place];
            }
            partials[place] = merged;
        }
    }
}

@compute @workgroup_size(THREADS)
fn reduce_wide(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let first_query = (group % params.blocks) * ROWS;
    let slice = (group / params.blocks) % params.slices;
    let replica = group / (params.blocks * params.slices);
    let query_base = replica * params.queries;
    let key_base = replica * params.key_rows;
    let at = (slice * params.rows + query_base) * STRIDE;

    let begin = slice * params.slice_keys + params.first_key;
    let end = min(slice * params.slice_keys + params.end_key, params.sources);
    for (var chunk = begin; chunk < end; chunk += CHUNK) {
        var shift = vec2<f32>(SILENT);
        var z = vec2<f32>(0.0);
        var m: array<vec4<f32>, 2u * BANDS>;
        let chunk_end = min(chunk + CHUNK, end);
        for (var key = chunk; key < chunk_end; key += TILE) {
            score_tile(thread, query_base, first_query, key_base, key, chunk_end);
            weigh_tile(thread, &shift, &z);
            add_values(thread, &m, key_base, key);
        }
        let fresh = params.fresh == 1u && chunk == begin;
        deposit_sums(thread, at, first_query, shift, z, fresh);
        deposit_values(thread, &m, at, first_query, fresh);
    }
}
