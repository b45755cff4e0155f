// The reduction for wide tokens, and for heads whose keys, of INNER vectors, and values, of WIDTH, are not the tokens: a
// workgroup of 128 threads owns WIDE_QUERIES queries and walks over the keys, TILE = 32 at a time. Scores are formed as a blocked matrix product over slabs of SLAB vectors, turned into weights in
// workgroup memory, and multiplied into the values over bands of BAND vectors. The running shift of a query rises at
// most once a tile.
//
// A thread always handles a quad of four queries: against four keys in the scores, against COLUMNS vectors in the
// values, so that every vector it reads from workgroup memory serves sixteen multiply-adds or more.
//
// Sums over a tile are added to the sums of a chunk, and these to the partial in memory, as in `reduce_narrow`.

@group(0) @binding(5) var<storage, read> values: array<vec4<f32>>;

const QUADS: u32 = WIDE_QUERIES / 4u;
// Threads that share a quad: they divide the keys among them, then the vectors of the values.
const PARTS: u32 = THREADS / QUADS;
const PART_KEYS: u32 = TILE / PARTS;
// Vectors of a token in a slab of the score product.
const SLAB: u32 = 4u;
// Vectors of the values that a thread owns in a band, and those of a whole band. Narrower tokens have narrower bands,
// so that few threads work on padding.
const COLUMNS: u32 = min((WIDTH + PARTS - 1u) / PARTS, 4u);
const BAND: u32 = COLUMNS * PARTS;
const BANDS: u32 = (WIDTH + BAND - 1u) / BAND;
// Keys of a band that are in workgroup memory at a time.
const BAND_KEYS: u32 = 8u;

// In turn: slabs of queries and of keys, the largest scores of each part, a band of values, the merge of a chunk.
var<workgroup> scratch: array<vec4<f32>, (WIDE_QUERIES + TILE) * SLAB>;
// Scores, then weights: [key][quad].
var<workgroup> weight: array<vec4<f32>, TILE * QUADS>;
// By what the sums of a quad shrink.
var<workgroup> quad_fall: array<vec4<f32>, QUADS>;

// The rows of queries and keys that a workgroup works on.
struct Place {
    query_base: u32,
    first_query: u32,
    key_base: u32,
}

// Copies vectors [c, c + SLAB) of the queries and of the keys into scratch, transposed so that threads of one warp
// read neighbouring words; what lies beyond the token is zero.
fn load_slab(thread: u32, place: Place, first_key: u32, c: u32) {
    // The last reader of what scratch holds must be done before it is overwritten.
    workgroupBarrier();
    for (var k = thread; k < (WIDE_QUERIES + TILE) * SLAB; k += THREADS) {
        let lane = k % SLAB;
        let member = k / SLAB;
        var value = vec4<f32>(0.0);
        if (c + lane < INNER) {
            if (member < WIDE_QUERIES) {
                let row = place.query_base + min(place.first_query + member, params.queries - 1u);
                value = params.scale * queries[row * INNER + c + lane];
            } else {
                let row = place.key_base + min(first_key + member - WIDE_QUERIES, params.sources - 1u);
                value = keys[row * INNER + c + lane];
            }
        }
        scratch[lane * (WIDE_QUERIES + TILE) + member] = value;
    }
    // And the slab must be whole before anyone reads it.
    workgroupBarrier();
}

// Copies vectors [c, c + BAND) of the values of BAND_KEYS keys into scratch: [key][vector].
fn load_band(thread: u32, place: Place, first_key: u32, c: u32) {
    workgroupBarrier();
    for (var k = thread; k < BAND_KEYS * BAND; k += THREADS) {
        let lane = k % BAND;
        var value = vec4<f32>(0.0);
        if (c + lane < WIDTH) {
            let row = place.key_base + min(first_key + k / BAND, params.sources - 1u);
            value = values[row * WIDTH + c + lane];
        }
        scratch[k] = value;
    }
    workgroupBarrier();
}

// Scores of a quad against four keys for each thread, with the log-weights; keys that are masked, or at or beyond
// `end`, are silent.
fn score_tile(thread: u32, place: Place, first_key: u32, end: u32) {
    let quad = thread / PARTS;
    let part = thread % PARTS;
    var score: array<vec4<f32>, PART_KEYS>;
    for (var c = 0u; c < INNER; c += SLAB) {
        load_slab(thread, place, first_key, c);
        for (var lane = 0u; lane < SLAB; lane += 1u) {
            let base = lane * (WIDE_QUERIES + TILE);
            let x = mat4x4<f32>(
                scratch[base + 4u * quad],
                scratch[base + 4u * quad + 1u],
                scratch[base + 4u * quad + 2u],
                scratch[base + 4u * quad + 3u],
            );
            for (var k = 0u; k < PART_KEYS; k += 1u) {
                score[k] += scratch[base + WIDE_QUERIES + part + PARTS * k] * x;
            }
        }
    }
    let query = place.first_query + 4u * quad;
    let visible_keys = vec4<u32>(visible(query), visible(query + 1u), visible(query + 2u), visible(query + 3u));
    let seen = min(visible_keys, vec4<u32>(end));
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        let key = part + PARTS * k;
        let row = place.key_base + min(first_key + key, params.sources - 1u);
        let j = first_key + key;
        var heard = vec4<u32>(j) < seen;
        if (CHOSEN) {
            heard = heard & vec4<bool>(hears(query, j), hears(query + 1u, j), hears(query + 2u, j), hears(query + 3u, j));
        }
        weight[key * QUADS + quad] = select(vec4<f32>(SILENT), score[k] + weights[row].y, heard);
    }
    workgroupBarrier();
}

// Turns scores into weights 2^(score - shift). Every thread handles PART_KEYS keys of one quad, and keeps its share
// of Z and the shift of the quad, on which all parts agree.
fn weigh_tile(thread: u32, shift: ptr<function, vec4<f32>>, z: ptr<function, vec4<f32>>) {
    let quad = thread % QUADS;
    let first = (thread / QUADS) * PART_KEYS;
    var highest = vec4<f32>(SILENT);
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        highest = max(highest, weight[(first + k) * QUADS + quad]);
    }
    scratch[thread] = highest;
    workgroupBarrier();
    for (var part = 0u; part < PARTS; part += 1u) {
        highest = max(highest, scratch[part * QUADS + quad]);
    }
    let raised = max(*shift, ceil(highest));
    let fall = exp2(*shift - raised);
    var sum = vec4<f32>(0.0);
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        let p = exp2(weight[(first + k) * QUADS + quad] - raised);
        weight[(first + k) * QUADS + quad] = p;
        sum += p;
    }
    *z = fall * *z + sum;
    *shift = raised;
    if (first == 0u) {
        quad_fall[quad] = fall;
    }
}

// M of a thread: [band][column][query].
alias Values = array<vec4<f32>, BANDS * COLUMNS * 4u>;

// Adds weights times values to M.
fn add_values(thread: u32, m: ptr<function, Values>, place: Place, first_key: u32) {
    let quad = thread / PARTS;
    let part = thread % PARTS;
    for (var band = 0u; band < BANDS; band += 1u) {
        var sum: array<vec4<f32>, COLUMNS * 4u>;
        for (var first = 0u; first < TILE; first += BAND_KEYS) {
            load_band(thread, place, first_key + first, band * BAND);
            for (var k = 0u; k < BAND_KEYS; k += 1u) {
                let p = weight[(first + k) * QUADS + quad];
                for (var column = 0u; column < COLUMNS; column += 1u) {
                    let y = scratch[k * BAND + column * PARTS + part];
                    sum[4u * column] += p.x * y;
                    sum[4u * column + 1u] += p.y * y;
                    sum[4u * column + 2u] += p.z * y;
                    sum[4u * column + 3u] += p.w * y;
                }
            }
        }
        let fall = quad_fall[quad];
        for (var column = 0u; column < COLUMNS; column += 1u) {
            let at = 4u * (band * COLUMNS + column);
            (*m)[at] = fall.x * (*m)[at] + sum[4u * column];
            (*m)[at + 1u] = fall.y * (*m)[at + 1u] + sum[4u * column + 1u];
            (*m)[at + 2u] = fall.z * (*m)[at + 2u] + sum[4u * column + 2u];
            (*m)[at + 3u] = fall.w * (*m)[at + 3u] + sum[4u * column + 3u];
        }
    }
}

// Merges (shift, Z) of the chunk into the partials. One thread owns a quad, and tells the others by what to scale M:
// scratch holds the scale of the chunk, and that of what is in memory, for each quad.
fn deposit_sums(thread: u32, place: Place, at: u32, shift: vec4<f32>, z: vec4<f32>, fresh: bool) {
    workgroupBarrier();
    scratch[thread] = z;
    workgroupBarrier();
    let quad = thread % QUADS;
    var sum = vec4<f32>(0.0);
    for (var part = 0u; part < PARTS; part += 1u) {
        sum += scratch[part * QUADS + quad];
    }
    workgroupBarrier();
    if (thread < QUADS) {
        var rise = vec4<f32>(1.0);
        var fall = vec4<f32>(0.0);
        for (var q = 0u; q < 4u; q += 1u) {
            let query = place.first_query + 4u * quad + q;
            if (query >= params.queries) {
                continue;
            }
            let header = at + query * STRIDE + WIDTH;
            var merged = vec2<f32>(shift[q], sum[q]);
            if (!fresh) {
                let old = partials[header];
                merged.x = max(shift[q], old.x);
                rise[q] = exp2(shift[q] - merged.x);
                fall[q] = exp2(old.x - merged.x);
                merged.y = rise[q] * sum[q] + fall[q] * old.y;
            }
            partials[header] = vec4<f32>(merged, 0.0, 0.0);
        }
        scratch[quad] = rise;
        scratch[QUADS + quad] = fall;
    }
    workgroupBarrier();
}

// Merges M of the chunk into the partials.
fn deposit_values(thread: u32, m: ptr<function, Values>, place: Place, at: u32, fresh: bool) {
    let quad = thread / PARTS;
    let rise = scratch[quad];
    let fall = scratch[QUADS + quad];
    for (var k = 0u; k < BANDS * COLUMNS; k += 1u) {
        let c = k * PARTS + thread % PARTS;
        for (var q = 0u; q < 4u; q += 1u) {
            let query = place.first_query + 4u * quad + q;
            if (c >= WIDTH || query >= params.queries) {
                continue;
            }
            let here = at + query * STRIDE + c;
            var merged = rise[q] * (*m)[4u * k + q];
            if (!fresh) {
                merged += fall[q] * partials[here];
            }
            partials[here] = merged;
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
    let block = group % params.blocks;
    let slice = (group / params.blocks) % params.slices;
    let replica = group / (params.blocks * params.slices);
    let place = Place(replica * params.queries, block * WIDE_QUERIES, replica * params.key_rows);
    let at = (slice * params.rows + place.query_base) * STRIDE;

    let last = min((block + 1u) * WIDE_QUERIES, params.queries) - 1u;
    let heard = heard_range(block * WIDE_QUERIES, last);
    let begin = first_chunk(slice * params.slice_keys + params.first_key, heard.x);
    let end = min(slice * params.slice_keys + params.end_key, heard.y);
    // Under a mask there may be nothing to add, but the partials must still be made.
    for (var chunk = begin; chunk < end || (MASKED && chunk == begin); chunk += CHUNK) {
        var shift = vec4<f32>(SILENT);
        var z = vec4<f32>(0.0);
        var m: Values;
        let chunk_end = min(chunk + CHUNK, end);
        for (var key = chunk; key < chunk_end; key += TILE) {
            score_tile(thread, place, key, chunk_end);
            weigh_tile(thread, &shift, &z);
            add_values(thread, &m, place, key);
        }
        let fresh = params.fresh == 1u && chunk == begin;
        deposit_sums(thread, place, at, shift, z, fresh);
        deposit_values(thread, &m, place, at, fresh);
    }
}
