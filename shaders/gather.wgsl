// Copies the tokens of a sample to buffers of their own, where their velocities are computed in two ways.

struct Gather {
    // Tokens of the sample in all replicas of the segment, and in one.
    rows: u32,
    each: u32,
    // Tokens of one replica in the segment, and the first of them.
    tokens: u32,
    first_token: u32,
    // Where the draws of this segment start.
    first_draw: u32,
}

@group(0) @binding(0) var<uniform> params: Gather;
// For each row of the sample the number of the token in its replica.
@group(0) @binding(1) var<storage, read> draws: array<u32>;
@group(0) @binding(2) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> sample: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn gather(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows) {
        return;
    }
    // Tokens before the segment wrap around and lie beyond it.
    let token = draws[params.first_draw + row] - params.first_token;
    if (token < params.tokens) {
        for (var c = 0u; c < WIDTH; c += 1u) {
            sample[row * WIDTH + c] = tokens[((row / params.each) * params.tokens + token) * WIDTH + c];
        }
    }
}
