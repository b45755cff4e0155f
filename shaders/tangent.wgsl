// The projection of a finished stage to the tangent space of the sphere: k <- k - x <x, k>.

struct Tangent {
    rows: u32,
    // The row of `slopes` at which this stage starts.
    first_row: u32,
}

@group(0) @binding(0) var<uniform> params: Tangent;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> slopes: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn tangent(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows) {
        return;
    }
    let at = (params.first_row + row) * WIDTH;
    var radial = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        radial += dot(tokens[row * WIDTH + c], slopes[at + c]);
    }
    for (var c = 0u; c < WIDTH; c += 1u) {
        slopes[at + c] -= radial * tokens[row * WIDTH + c];
    }
}
