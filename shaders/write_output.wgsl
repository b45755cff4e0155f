// The attention output of one head from its partials: slices are merged, the softmax divides by Z, and the output is scaled and
// added to the outputs of the heads before it.

struct WriteOutput {
    rows: u32,
    slices: u32,
    // The row of `outputs` at which this stage starts.
    first_row: u32,
    // One if outputs are added to, not overwritten.
    accumulate: u32,
    // One if the sum over heads is complete and is to be projected to the tangent space.
    project: u32,
    // One for M / Z, zero for M 2^(shift - offset) / (divisor normalizer).
    softmax: u32,
    scale: f32,
    offset: f32,
    // One if the output of a query without a visible source is to be marked, for the product that follows.
    marked: u32,
    // One if rows have divisors: exponents of two, and factors.
    divided: u32,
    // Where replicas have normalizers of their own, the tokens of one in the segment, else zero; and the first replica.
    normalizer_tokens: u32,
    first_replica: u32,
}

@group(0) @binding(0) var<uniform> params: WriteOutput;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> outputs: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> divisors: array<vec2<f32>>;
// For each replica a factor of beta, and the exponent of two and the factor of its normalizer.
@group(0) @binding(5) var<storage, read> replica_betas: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn write_output(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows) {
        return;
    }
    var shift = MASKED_SCORE;
    for (var slice = 0u; slice < params.slices; slice += 1u) {
        shift = max(shift, partials[(slice * params.rows + row) * STRIDE + WIDTH].x);
    }
    var z = 0.0;
    for (var slice = 0u; slice < params.slices; slice += 1u) {
        let header = partials[(slice * params.rows + row) * STRIDE + WIDTH];
        z += exp2(header.x - shift) * header.y;
    }
    var divisor = vec2<f32>(0.0, 1.0);
    if (params.divided == 1u) {
        divisor = divisors[row];
    }
    var normalizer = vec2<f32>(0.0, 1.0);
    if (params.normalizer_tokens > 0u) {
        normalizer = replica_betas[params.first_replica + row / params.normalizer_tokens].yz;
    }
    let total = exp2(shift - params.offset - divisor.x - normalizer.x) / (divisor.y * normalizer.y);
    let divided = params.scale * select(total, 1.0 / z, params.softmax == 1u);
    // A query without a visible source has no output.
    let scale = select(divided, 0.0, is_masked(shift));

    let at = (params.first_row + row) * WIDTH;
    var radial = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        var m = vec4<f32>(0.0);
        for (var slice = 0u; slice < params.slices; slice += 1u) {
            let base = (slice * params.rows + row) * STRIDE;
            m += exp2(partials[base + WIDTH].x - shift) * partials[base + c];
        }
        var output = scale * m;
        if (params.accumulate == 1u) {
            output += outputs[at + c];
        }
        outputs[at + c] = output;
        if (params.project == 1u) {
            radial += dot(tokens[row * WIDTH + c], output);
        }
    }
    if (params.marked == 1u && is_masked(shift)) {
        outputs[at].x = MASKED_SCORE;
    }
    if (params.project == 1u) {
        for (var c = 0u; c < WIDTH; c += 1u) {
            outputs[at + c] -= radial * tokens[row * WIDTH + c];
        }
    }
}
