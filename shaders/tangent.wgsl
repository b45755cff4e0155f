// The velocity that the geometry makes of a field f at x: the projection of f to the tangent space of the sphere, its direction,
// or both. Where a model has no field the velocity is zero.

struct Tangent {
    rows: u32,
    // The row of `velocities` at which this stage starts.
    first_row: u32,
    // TANGENT for f - x <x, f>, DIRECTION for f / |f|, NGPT for alpha (f - x <x, f>) / |f|, or ZERO.
    rule: u32,
    // The length of the velocity of an NGPT.
    alpha: f32,
}

@group(0) @binding(0) var<uniform> params: Tangent;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> velocities: array<vec4<f32>>;

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
    if (params.rule == ZERO) {
        for (var c = 0u; c < WIDTH; c += 1u) {
            velocities[at + c] = vec4<f32>(0.0);
        }
        return;
    }
    var radial = 0.0;
    var square = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let f = velocities[at + c];
        radial += dot(tokens[row * WIDTH + c], f);
        square += dot(f, f);
    }
    // A field of zero has no direction, and moves nothing.
    let inverse = select(1.0 / sqrt(square), 0.0, square == 0.0);
    var scale = 1.0;
    if (params.rule == DIRECTION) {
        radial = 0.0;
        scale = inverse;
    }
    if (params.rule == NGPT) {
        scale = params.alpha * inverse;
    }
    for (var c = 0u; c < WIDTH; c += 1u) {
        velocities[at + c] = scale * (velocities[at + c] - radial * tokens[row * WIDTH + c]);
    }
}
