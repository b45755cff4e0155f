// Attention by positive parts or sigmoids of scores: the sums of weights that are functions of one score each, and are divided by nothing.
//
// The shift of a query is zero as soon as it sees a source, whatever that weighs.

// ln 2: scores are to base two.
const UNIT: f32 = 0.6931471805599453;

// The weight of a source, which is not negative, or MASKED_SCORE.
fn rated(score: vec4<f32>, row: u32) -> vec4<f32> {
    let log_weight = weights[row].y;
    if (log_weight < 0.5 * MASKED_SCORE) {
        return vec4<f32>(MASKED_SCORE);
    }
    if (params.sigmoid == 1u) {
        // Nothing overflows: below 2^-100 a sigmoid is as good as zero.
        return exp2(log_weight) / (1.0 + exp2(min(-score, vec4<f32>(100.0))));
    }
    return UNIT * exp2(log_weight) * max(score, vec4<f32>(0.0));
}

// The same for the weights of a tile, whose sums neither rise nor fall.
fn sum_tile(thread: u32, shift: ptr<function, vec4<f32>>, z: ptr<function, vec4<f32>>) {
    let quad = thread % QUADS;
    let first = (thread / QUADS) * PART_KEYS;
    var highest = vec4<f32>(MASKED_SCORE);
    for (var k = 0u; k < PART_KEYS; k += 1u) {
        let at = (first + k) * QUADS + quad;
        highest = max(highest, weight[at]);
        weight[at] = max(weight[at], vec4<f32>(0.0));
        *z += weight[at];
    }
    scratch[thread] = highest;
    workgroupBarrier();
    for (var part = 0u; part < PARTS; part += 1u) {
        highest = max(highest, scratch[part * QUADS + quad]);
    }
    *shift = select(*shift, vec4<f32>(0.0), highest >= vec4<f32>(0.0));
    if (first == 0u) {
        quad_fall[quad] = vec4<f32>(1.0);
    }
}

@compute @workgroup_size(THREADS)
fn pointwise(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let span = span_of(group);
    for (var chunk = span.begin; chunk < span.end || (MASKED && chunk == span.begin); chunk += CHUNK) {
        var shift = vec4<f32>(MASKED_SCORE);
        var z = vec4<f32>(0.0);
        var m: Values = Values();
        let chunk_end = min(chunk + CHUNK, span.end);
        for (var key = chunk; key < chunk_end; key += TILE) {
            score_tile(thread, span.place, key, chunk_end);
            sum_tile(thread, &shift, &z);
            add_values(thread, &m, span.place, key);
        }
        let fresh = params.fresh == 1u && chunk == span.begin;
        merge_sums(thread, span, shift, z, fresh);
        merge_values(thread, &m, span, fresh);
    }
}
