// From ratings to weights and their sums Z: the running shift of a query rises at most once a tile. Sums over a tile are added to
// the sums of a chunk, and these to the partial in memory, as in `reduce_narrow`.

// The factors by which the sums of a quad shrink.
var<workgroup> quad_fall: array<vec4<f32>, QUADS>;

// Turns ratings into weights 2^(rating - shift). Every thread handles PART_KEYS keys of one quad, and keeps its share
// of Z and the shift of the quad, on which all parts agree.
fn weigh_tile(thread: u32, shift: ptr<function, vec4<f32>>, z: ptr<function, vec4<f32>>) {
    let quad = thread % QUADS;
    let first = (thread / QUADS) * PART_KEYS;
    var highest = vec4<f32>(MASKED_SCORE);
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

// Merges (shift, Z) of the chunk into the partials. One thread owns a quad, and leaves the factors of M to
// the others: scratch holds that of the chunk, and that of the partial in memory, for each quad.
fn merge_sums(thread: u32, span: Span, shift: vec4<f32>, z: vec4<f32>, fresh: bool) {
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
            if (span.place.first_query + 4u * quad + q >= params.queries) {
                continue;
            }
            let header = (span.first_row + 4u * quad + q) * STRIDE + WIDTH;
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
