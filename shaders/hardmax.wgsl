// Attention at beta = infinity: the mean of the values of the sources that tie for the largest score of each query, as the
// reduction in which they are rated by their log-weights alone and all others are masked.
//
// It runs twice: first it finds the largest score of every query, and the largest magnitude of one, then it sums. Both times the
// same instructions compute the scores, so that the largest is the same number again.

// For each partial (largest score, largest magnitude, 0, 0).
@group(0) @binding(6) var<storage, read_write> extremes: array<vec4<f32>>;

// The scores from which on sources are tied, for the queries of the quad that this thread scores.
var<private> least: vec4<f32> = vec4<f32>();

fn rated(score: vec4<f32>, row: u32) -> vec4<f32> {
    let log_weight = weights[row].y;
    if (params.seeks == 1u) {
        return select(score, vec4<f32>(MASKED_SCORE), log_weight < 0.5 * MASKED_SCORE);
    }
    return select(vec4<f32>(MASKED_SCORE), vec4<f32>(log_weight), score >= least);
}

// From the extremes of all slices.
fn find_least(thread: u32, place: Place) {
    for (var q = 0u; q < 4u; q += 1u) {
        let query = min(place.first_query + 4u * (thread / PARTS) + q, params.queries - 1u);
        var extreme = vec2<f32>(MASKED_SCORE, 0.0);
        for (var slice = 0u; slice < params.slices; slice += 1u) {
            extreme = max(extreme, extremes[slice * params.rows + place.query_base + query].xy);
        }
        least[q] = extreme.x - TIE * extreme.y;
    }
}

// Adds the scores of this thread in a tile to the extremes of a quad.
fn find_extremes(thread: u32, largest: ptr<function, vec4<f32>>, size: ptr<function, vec4<f32>>) {
    let first = (thread / QUADS) * PART_KEYS;
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        let score = weight[(first + k) * QUADS + thread % QUADS];
        *largest = max(*largest, score);
        *size = max(*size, select(abs(score), vec4<f32>(0.0), score < vec4<f32>(0.5 * MASKED_SCORE)));
    }
}

// Merges the extremes of all parts into those in memory.
fn merge_extremes(thread: u32, span: Span, largest: vec4<f32>, size: vec4<f32>) {
    workgroupBarrier();
    scratch[thread] = largest;
    scratch[THREADS + thread] = size;
    workgroupBarrier();
    if (thread >= QUADS) {
        return;
    }
    var extreme = array<vec4<f32>, 2>(largest, size);
    for (var part = 1u; part < PARTS; part += 1u) {
        extreme[0] = max(extreme[0], scratch[part * QUADS + thread]);
        extreme[1] = max(extreme[1], scratch[THREADS + part * QUADS + thread]);
    }
    for (var q = 0u; q < 4u; q += 1u) {
        if (span.place.first_query + 4u * thread + q < params.queries) {
            let at = span.first_row + 4u * thread + q;
            var merged = vec4<f32>(extreme[0][q], extreme[1][q], 0.0, 0.0);
            if (params.fresh == 0u) {
                merged = max(merged, extremes[at]);
            }
            extremes[at] = merged;
        }
    }
}

@compute @workgroup_size(THREADS)
fn hardmax(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let span = span_of(group);
    if (params.seeks == 0u) {
        find_least(thread, span.place);
    }
    var largest = vec4<f32>(MASKED_SCORE);
    var size = vec4<f32>(0.0);
    for (var chunk = span.begin; chunk < span.end || (MASKED && chunk == span.begin); chunk += CHUNK) {
        var shift = vec4<f32>(MASKED_SCORE);
        var z = vec4<f32>(0.0);
        var m: Values = Values();
        let chunk_end = min(chunk + CHUNK, span.end);
        for (var key = chunk; key < chunk_end; key += TILE) {
            score_tile(thread, span.place, key, chunk_end);
            if (params.seeks == 1u) {
                find_extremes(thread, &largest, &size);
            } else {
                weigh_tile(thread, &shift, &z);
                add_values(thread, &m, span.place, key);
            }
        }
        if (params.seeks == 0u) {
            let fresh = params.fresh == 1u && chunk == span.begin;
            merge_sums(thread, span, shift, z, fresh);
            merge_values(thread, &m, span, fresh);
        }
    }
    if (params.seeks == 1u) {
        merge_extremes(thread, span, largest, size);
    }
}
