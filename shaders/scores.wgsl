// Scores of wide tokens, and of heads whose keys, of INNER vectors, and values, of WIDTH, are not the tokens: a workgroup of 128
// threads owns WIDE_QUERIES queries and walks over the keys, TILE = 32 at a time. Scores are formed as a blocked matrix
// product over slabs of SLAB vectors. The rating that a source gets by
// its score is that of `rated`, which a kernel that includes this file defines.
//
// A thread always handles a quad of four queries: against four keys in the scores, against COLUMNS vectors in the
// values, so that every vector it reads from workgroup memory serves sixteen multiply-adds or more.

const QUADS: u32 = WIDE_QUERIES / 4u;
// Threads that share a quad: they divide the keys among them, then the vectors of the values.
const PARTS: u32 = THREADS / QUADS;
const PART_KEYS: u32 = TILE / PARTS;
// Vectors of a token in a slab of the score product.
const SLAB: u32 = min(INNER, 4u);

// In turn: slabs of queries and of keys, the largest scores of each part, a band of values, the merge of a chunk.
var<workgroup> scratch: array<vec4<f32>, max((WIDE_QUERIES + TILE) * SLAB, 2u * THREADS)>;
// Scores, then weights: [key][quad].
var<workgroup> weight: array<vec4<f32>, TILE * QUADS>;

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

// Ratings of four keys for a quad by each thread; keys that are masked, or at or beyond `end`, have MASKED_SCORE.
fn score_tile(thread: u32, place: Place, first_key: u32, end: u32) {
    let quad = thread / PARTS;
    let part = thread % PARTS;
    var score: array<vec4<f32>, PART_KEYS> = array<vec4<f32>, PART_KEYS>();
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
    let ends = min(visible_keys, vec4<u32>(end));
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        let key = part + PARTS * k;
        let row = place.key_base + min(first_key + key, params.sources - 1u);
        let j = first_key + key;
        var attended = vec4<u32>(j) < ends;
        if (CHOSEN) {
            attended = attended & vec4<bool>(attends(query, j), attends(query + 1u, j), attends(query + 2u, j), attends(query + 3u, j));
        }
        weight[key * QUADS + quad] = select(vec4<f32>(MASKED_SCORE), rated(score[k], row), attended);
    }
    workgroupBarrier();
}
