// A point of the scheme: N(state + sum_s coefficients_s k_s), into the stage or back into the state, with N as the geometry
// has it.

struct Combine {
    rows: u32,
    stages: u32,
    // STATE or STAGE.
    into: u32,
    // What N is: SPHERE for y / |y|, IDENTITY for y, or LAYER_NORM.
    retraction: u32,
    // Where in `norms` the gain of a layer norm starts; its bias follows.
    at: u32,
    epsilon: f32,
    // Tokens of a replica among the rows, and how many of these lead and stay as they are.
    tokens: u32,
    frozen: u32,
    coefficients: array<vec4<f32>, 2>,
}

@group(0) @binding(0) var<uniform> params: Combine;
@group(0) @binding(1) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> stage: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> velocities: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> norms: array<vec4<f32>>;

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
    if (row % params.tokens < params.frozen) {
        for (var c = 0u; c < WIDTH; c += 1u) {
            put(row, c, state[row * WIDTH + c]);
        }
    } else if (params.retraction == SPHERE) {
        to_sphere(row);
    } else if (params.retraction == LAYER_NORM) {
        to_norm(row);
    } else {
        for (var c = 0u; c < WIDTH; c += 1u) {
            put(row, c, moved(row, c));
        }
    }
}

fn to_sphere(row: u32) {
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
        put(row, c, (moved(row, c) / largest) / norm);
    }
}

fn to_norm(row: u32) {
    var sum = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        sum += dot(moved(row, c), vec4<f32>(1.0));
    }
    let mean = sum / f32(D);
    var square = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        // The padding has no part in the variance.
        let is_component = vec4<u32>(4u * c, 4u * c + 1u, 4u * c + 2u, 4u * c + 3u) < vec4<u32>(D);
        let y = select(vec4<f32>(0.0), moved(row, c) - mean, is_component);
        square += dot(y, y);
    }
    let scale = 1.0 / sqrt(square / f32(D) + params.epsilon);
    for (var c = 0u; c < WIDTH; c += 1u) {
        let gain = norms[params.at + c];
        put(row, c, gain * (scale * (moved(row, c) - mean)) + norms[params.at + WIDTH + c]);
    }
}

fn put(row: u32, c: u32, y: vec4<f32>) {
    if (params.into == STATE) {
        state[row * WIDTH + c] = y;
    } else {
        stage[row * WIDTH + c] = y;
    }
}

// Vector c of state + sum_s coefficients_s k_s.
fn moved(row: u32, c: u32) -> vec4<f32> {
    var increment = vec4<f32>(0.0);
    for (var s = 0u; s < params.stages; s += 1u) {
        increment += params.coefficients[s / 4u][s % 4u] * velocities[(s * params.rows + row) * WIDTH + c];
    }
    return state[row * WIDTH + c] + increment;
}
