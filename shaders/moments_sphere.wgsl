// The moments of the sphere: sum_j w_j p_lm(z_j) (x_j + i y_j)^m, ordered by m, then by l from m up, with
//
//     p_{l+1,m} = 2z p_lm - gamma_lm p_{l-1,m} ,   p_mm = 1

// For every harmonic gamma_lm, and one where an order m > 0 begins.
@group(0) @binding(4) var<storage, read> steps: array<vec2<f32>>;

@compute @workgroup_size(THREADS)
fn moments_sphere(
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
        var double_z: array<f32, KEYS> = array<f32, KEYS>();
        var power: array<vec2<f32>, KEYS> = array<vec2<f32>, KEYS>();
        var before: array<f32, KEYS> = array<f32, KEYS>();
        var current: array<f32, KEYS> = array<f32, KEYS>();
        for (var k = 0u; k < KEYS; k += 1u) {
            let key = tile + k * THREADS + thread;
            let row = row_of(span, key);
            let token = tokens[row];
            point[k] = token.xy;
            double_z[k] = 2.0 * token.z;
            power[k] = weight_of(span, key, row);
            before[k] = 0.0;
            current[k] = 1.0;
        }
        for (var block = 0u; block < params.harmonics; block += HARMONICS) {
            for (var i = 0u; i < HARMONICS; i += 1u) {
                let step = steps[block + i];
                if (step.y != 0.0) {
                    for (var k = 0u; k < KEYS; k += 1u) {
                        power[k] = multiply(power[k], point[k]);
                        before[k] = 0.0;
                        current[k] = 1.0;
                    }
                }
                var total = vec2<f32>(0.0);
                for (var k = 0u; k < KEYS; k += 1u) {
                    total += power[k] * current[k];
                    let next = double_z[k] * current[k] - step.x * before[k];
                    before[k] = current[k];
                    current[k] = next;
                }
                keep(i, thread, total);
            }
            add_to_span(span.at + block, thread, tile == span.begin);
        }
    }
}
