// What the geometry makes of a finished field f at x: its projection to the tangent space of the sphere, its direction, or
// both. Where nothing makes a field it is zero.

struct Tangent {
    rows: u32,
    // The row of `slopes` at which this stage starts.
    first_row: u32,
    kind: u32,
    // The length of the velocity of an NGPT.
    alpha: f32,
}

// f - x <x, f>, f / |f|, alpha (f - x <x, f>) / |f|, and zero.
const SPHERE: u32 = 0u;
const PERI_NORM: u32 = 1u;
const NGPT: u32 = 2u;
const ZERO: u32 = 3u;

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
    if (params.kind == ZERO) {
        for (var c = 0u; c < WIDTH; c += 1u) {
            slopes[at + c] = vec4<f32>(0.0);
        }
        return;
    }
    var radial = 0.0;
    var square = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let f = slopes[at + c];
        radial += dot(tokens[row * WIDTH + c], f);
        square += dot(f, f);
    }
    // A field of zero has no direction, and moves nothing.
    let inverse = select(1.0 / sqrt(square), 0.0, square == 0.0);
    var scale = 1.0;
    if (params.kind == PERI_NORM) {
        radial = 0.0;
        scale = inverse;
    }
    if (params.kind == NGPT) {
        scale = params.alpha * inverse;
    }
    for (var c = 0u; c < WIDTH; c += 1u) {
        slopes[at + c] = scale * (slopes[at + c] - radial * tokens[row * WIDTH + c]);
    }
}
