// The modes of the sphere, of tokens of any length: sum_j w_j q_lm(z_j) (x_j + i y_j)^m of directions, ordered by m, then by l
// from m up, q_lm being the m-th derivative of P_l divided by its value at one:
//
//     q_{l+1,m} = (1 + a) z q_lm - a q_{l-1,m} ,   q_mm = 1 ,   a = (l - m) / (l + m + 1)
//
// Near the poles P_l changes with z by l^2 / 2 times as much, so there the recurrence is one of differences, in t = 1 - |z|:
//
//     q_{l+1,m} - q_lm = a (q_lm - q_{l-1,m}) - (1 + a) t q_lm
//
// and q_lm(-z) = (-1)^{l-m} q_lm(z).

// For every harmonic a, and one where an order m > 0 begins.
@group(0) @binding(4) var<storage, read> steps: array<vec2<f32>>;

// The t up to which differences are taken.
const NEAR: f32 = 0.25;

@compute @workgroup_size(THREADS)
fn modes_sphere(
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
        var height: array<f32, KEYS> = array<f32, KEYS>();
        var fall: array<f32, KEYS> = array<f32, KEYS>();
        var power: array<vec2<f32>, KEYS> = array<vec2<f32>, KEYS>();
        // q_{l-1,m}, or near the poles the difference with the sign of q_lm.
        var before: array<f32, KEYS> = array<f32, KEYS>();
        var current: array<f32, KEYS> = array<f32, KEYS>();
        for (var k = 0u; k < KEYS; k += 1u) {
            let key = tile + k * THREADS + thread;
            let row = row_of(span, key);
            let direction = direction_of(tokens[row].xyz);
            let across = dot(direction.x.xy, direction.x.xy);
            point[k] = direction.x.xy;
            excess[k] = direction.excess;
            height[k] = direction.x.z + direction.excess * direction.x.z;
            fall[k] = (across + 2.0 * direction.excess * across) / (1.0 + abs(height[k]));
            power[k] = weight_or_lost(weight_of(span, key, row), direction.is_one);
            before[k] = 0.0;
            current[k] = 1.0;
        }
        for (var block = 0u; block < params.harmonics; block += HARMONICS) {
            for (var i = 0u; i < HARMONICS; i += 1u) {
                let step = steps[block + i];
                if (step.y != 0.0) {
                    for (var k = 0u; k < KEYS; k += 1u) {
                        let next = multiply(power[k], point[k]);
                        power[k] = next + excess[k] * next;
                        before[k] = 0.0;
                        current[k] = 1.0;
                    }
                }
                var total = vec2<f32>(0.0);
                for (var k = 0u; k < KEYS; k += 1u) {
                    total += power[k] * current[k];
                    let pole = select(1.0, -1.0, height[k] < 0.0);
                    let drop = pole * (step.x * before[k] - (1.0 + step.x) * fall[k] * current[k]);
                    let far = (1.0 + step.x) * height[k] * current[k] - step.x * before[k];
                    let next = select(far, pole * current[k] + drop, fall[k] < NEAR);
                    before[k] = select(current[k], drop, fall[k] < NEAR);
                    current[k] = next;
                }
                keep(i, thread, total);
            }
            add_to_span(span.at + block, thread, tile == span.begin);
        }
    }
}
