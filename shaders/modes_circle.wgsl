// The modes of the circle, of tokens of any length: sum_j w_j e^{i k phi_j}, (x + iy)^k of directions.

@compute @workgroup_size(THREADS)
fn modes_circle(
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
        var excess: array<f32, KEYS> = array<f32, KEYS>();
        var power: array<vec2<f32>, KEYS> = array<vec2<f32>, KEYS>();
        for (var k = 0u; k < KEYS; k += 1u) {
            let key = tile + k * THREADS + thread;
            let row = row_of(span, key);
            let direction = direction_of(vec3<f32>(tokens[row].xy, 0.0));
            point[k] = direction.x.xy;
            excess[k] = direction.excess;
            power[k] = weight_or_lost(weight_of(span, key, row), direction.is_one);
        }
        for (var block = 0u; block < params.harmonics; block += HARMONICS) {
            for (var i = 0u; i < HARMONICS; i += 1u) {
                var total = vec2<f32>(0.0);
                for (var k = 0u; k < KEYS; k += 1u) {
                    total += power[k];
                    let next = multiply(power[k], point[k]);
                    power[k] = next + excess[k] * next;
                }
                keep(i, thread, total);
            }
            add_to_span(span.at + block, thread, tile == span.begin);
        }
    }
}
