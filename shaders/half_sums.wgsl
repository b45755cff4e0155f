// Weights in half precision, and their sums. The shift of a query puts the largest weight of the tile that set it at
// 2^LIFT, so that weights of 2^-26 of that are still normal numbers; where a later one would exceed 2^MOST, and after every
// chunk, all sums go into the partials, and start anew.
//
// Z adds up the weights as they were rounded, so that they sum to one with their values.

const LIFT: f32 = 12.0;
const MOST: f32 = 15.0;
// Threads that share a query: they divide the keys among them.
const PARTS: u32 = THREADS / WIDE_QUERIES;
const PART_KEYS: u32 = TILE / PARTS;

// In turn, for each thread: the largest of its ratings, and its share of Z.
var<workgroup> lanes: array<f32, THREADS>;
// The factors of the new sums of a query, and of its partial in memory.
var<workgroup> merge_factors: array<vec2<f32>, WIDE_QUERIES>;
// One if sums must go into the partials.
var<workgroup> due: atomic<u32>;

// What a thread knows of its query: the shift, on which all parts agree, and its share of Z.
struct Row {
    shift: f32,
    z: f32,
}

alias Ratings = array<f32, PART_KEYS>;

// The ratings of the keys of a thread: scores with log-weights; keys that are masked, or at or beyond `end`, have MASKED_SCORE. Returns
// the largest of the query.
fn rate(thread: u32, rating: ptr<function, Ratings>, place: Place, first_key: u32, end: u32) -> f32 {
    let member = thread % WIDE_QUERIES;
    let query = place.first_query + member;
    let first = (thread / WIDE_QUERIES) * PART_KEYS;
    let visible_end = min(visible(query), end);
    var highest = MASKED_SCORE;
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        let key = first_key + first + k;
        let row = place.key_base + min(key, params.sources - 1u);
        let score = params.scale * scores[(first + k) * SCORE_STRIDE + member] + weights[row].y;
        let attended = key < visible_end && (!CHOSEN || attends(query, key));
        (*rating)[k] = select(MASKED_SCORE, score, attended);
        highest = max(highest, (*rating)[k]);
    }
    lanes[thread] = highest;
    workgroupBarrier();
    for (var part = 0u; part < PARTS; part += 1u) {
        highest = max(highest, lanes[part * WIDE_QUERIES + member]);
    }
    return highest;
}

// Turns ratings into weights 2^(rating - shift), and adds them to Z.
fn weigh(thread: u32, rating: ptr<function, Ratings>, row: ptr<function, Row>) {
    let member = thread % WIDE_QUERIES;
    let first = (thread / WIDE_QUERIES) * PART_KEYS;
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        // Compilers simplify f32(f16(p)) to p.
        let p = quantizeToF16(exp2((*rating)[k] - (*row).shift));
        weight[(first + k) * WEIGHT_STRIDE + member] = f16(p);
        (*row).z += p;
    }
}

// Merges (shift, Z) into the partials, and leaves the factors of M in `merge_factors`.
fn merge_header(thread: u32, span: Span, shift: f32, fresh: bool) {
    let query = span.place.first_query + thread;
    if (thread >= WIDE_QUERIES || query >= params.queries) {
        return;
    }
    var z = 0.0;
    for (var part = 0u; part < PARTS; part += 1u) {
        z += lanes[part * WIDE_QUERIES + thread];
    }
    let header = (span.first_row + thread) * STRIDE + WIDTH;
    var merged = vec2<f32>(shift, z);
    var factors = vec2<f32>(1.0, 0.0);
    if (!fresh) {
        let old = partials[header];
        merged.x = max(shift, old.x);
        factors = exp2(vec2<f32>(shift, old.x) - merged.x);
        merged.y = factors.x * z + factors.y * old.y;
    }
    partials[header] = vec4<f32>(merged, 0.0, 0.0);
    merge_factors[thread] = factors;
}

// Merges the sums into the partials, if there are any.
fn merge_partials(thread: u32, team: Team, span: Span, row: Row, m: ptr<function, Values>, fresh: bool, any: bool) {
    // No thread reads the largest ratings any more.
    workgroupBarrier();
    lanes[thread] = row.z;
    workgroupBarrier();
    if (any) {
        merge_header(thread, span, row.shift, fresh);
    }
    let end = select(0u, VALUE_BLOCKS, any);
    for (var first = 0u; first < end; first += TILE_BLOCKS) {
        for (var slot = 0u; slot < SLOTS; slot += 1u) {
            let strip = slot * team.subgroups + team.subgroup;
            if (strip >= STRIPS) {
                break;
            }
            for (var c = first; c < min(first + TILE_BLOCKS, VALUE_BLOCKS); c += 1u) {
                let at = (c - first) * MATRIX * SCORE_STRIDE + strip * MATRIX;
                coopStore((*m)[slot * VALUE_BLOCKS + c], &scores[at], SCORE_STRIDE);
            }
        }
        workgroupBarrier();
        for (var k = thread; k < WIDE_QUERIES * TILE / 4u; k += THREADS) {
            let member = k / (TILE / 4u);
            let lane = k % (TILE / 4u);
            let c = first * MATRIX / 4u + lane;
            if (c >= WIDTH || span.place.first_query + member >= params.queries) {
                continue;
            }
            let at = 4u * lane * SCORE_STRIDE + member;
            let sum = vec4<f32>(
                scores[at],
                scores[at + SCORE_STRIDE],
                scores[at + 2u * SCORE_STRIDE],
                scores[at + 3u * SCORE_STRIDE],
            );
            let here = (span.first_row + member) * STRIDE + c;
            var merged = merge_factors[member].x * sum;
            if (!fresh) {
                merged += merge_factors[member].y * partials[here];
            }
            partials[here] = merged;
        }
        workgroupBarrier();
    }
}
