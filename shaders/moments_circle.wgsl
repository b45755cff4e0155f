// The moments of the circle: sum_j w_j (x_j + i y_j)^k.

@compute @workgroup_size(THREADS)
fn moments_circle(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let span = span_of(group);
    for (var tile = span.begin; tile < span.end; tile += THREADS * KEYS) {
        var point: array<vec2<f32>, KEYS> = array<vec2<f32>, KEYS>();
        var power: array<vec2<f32>, KEYS> = array<vec2<f32>, KEYS>();
        for (var k = 0u; k < KEYS; k += 1u) {
            let key = tile + k * THREADS + thread;
            let row = row_of(span, key);
            point[k] = tokens[row].xy;
            power[k] = weight_of(span, key, row);
        }
        for (var block = 0u; block < params.harmonics; block += HARMONICS) {
            for (var i = 0u; i < HARMONICS; i += 1u) {
                var total = vec2<f32>(0.0);
                for (var k = 0u; k < KEYS; k += 1u) {
                    total += power[k];
                    power[k] = multiply(power[k], point[k]);
                }
                keep(i, thread, total);
            }
            add_to_span(span.at + block, thread, tile == span.begin);
        }
    }
}
