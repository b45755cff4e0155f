// The inputs of attention and perceptron where they are kept beside the tokens: directions x / |x|, or the tokens themselves.

struct NormalizeInputs {
    rows: u32,
    // One if inputs are directions.
    unit: u32,
}

@group(0) @binding(0) var<uniform> params: NormalizeInputs;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> inputs: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn normalize_inputs(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows) {
        return;
    }
    var norm = 1.0;
    if (params.unit == 1u) {
        var square = 0.0;
        for (var c = 0u; c < WIDTH; c += 1u) {
            square += dot(tokens[row * WIDTH + c], tokens[row * WIDTH + c]);
        }
        norm = sqrt(square);
    }
    for (var c = 0u; c < WIDTH; c += 1u) {
        inputs[row * WIDTH + c] = tokens[row * WIDTH + c] / norm;
    }
}
