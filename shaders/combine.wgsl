// A point of the scheme: N(state + sum_s coefficients_s k_s) with N(y) = y / |y|, into the stage or back into the
// state.

struct Combine {
    rows: u32,
    stages: u32,
    // Zero for the state, one for the stage.
    into: u32,
    unused: u32,
    coefficients: vec4<f32>,
}

@group(0) @binding(0) var<uniform> params: Combine;
@group(0) @binding(1) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> stage: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> slopes: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn combine(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows) {
        return;
    }
    // Components are squared in units of the largest, so that a long vector has a length too.
    var largest = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let y = abs(moved(row, c));
        largest = max(largest, max(max(y.x, y.y), max(y.z, y.w)));
    }
    var square = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let y = moved(row, c) / largest;
        square += dot(y, y);
    }
    let norm = sqrt(square);
    for (var c = 0u; c < WIDTH; c += 1u) {
        let y = (moved(row, c) / largest) / norm;
        if (params.into == 0u) {
            state[row * WIDTH + c] = y;
        } else {
            stage[row * WIDTH + c] = y;
        }
    }
}

// Vector c of state + sum_s coefficients_s k_s.
fn moved(row: u32, c: u32) -> vec4<f32> {
    var increment = vec4<f32>(0.0);
    for (var s = 0u; s < params.stages; s += 1u) {
        increment += params.coefficients[s] * slopes[(s * params.rows + row) * WIDTH + c];
    }
    return state[row * WIDTH + c] + increment;
}
