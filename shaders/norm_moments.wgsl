// The moments of the lengths of a chunk, sum_i w_i |x_i|^p for p = 1 .. `stride`, with weights relative to their mean. Each is
// kept like the energy, because powers of lengths overflow; powers of what is left of a length, below two, do not.

@group(0) @binding(0) var<uniform> params: Statistics;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
// [chunk][p].
@group(0) @binding(3) var<storage, read_write> sums: array<vec2<f32>>;

// Tokens of one thread.
const OWN: u32 = STATISTICS_ROWS / THREADS;

fn vector_of(row: u32, c: u32) -> vec4<f32> {
    return tokens[row * WIDTH + c];
}

@compute @workgroup_size(THREADS)
fn norm_moments(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = flat(workgroup, workgroups);
    if (group >= params.groups) {
        return;
    }
    let chunk = chunk_of(params, group);
    // |x| = 2^exponent mantissa, and w mantissa^p, which is zero where there is nothing to add.
    var exponents: array<f32, OWN> = array<f32, OWN>();
    var mantissas: array<f32, OWN> = array<f32, OWN>();
    var powers: array<f32, OWN> = array<f32, OWN>();
    for (var k = 0u; k < OWN; k += 1u) {
        let row = min(chunk.begin + k * THREADS + thread, chunk.end - 1u);
        let inside = chunk.begin + k * THREADS + thread < chunk.end;
        let found = square(row);
        let length = sqrt(select(1.0, found.y, found.y > 0.0));
        let excess = floor(log2(length));
        exponents[k] = 0.5 * found.x + excess;
        mantissas[k] = ldexp(length, -i32(excess));
        powers[k] = select(0.0, weights[row].x, inside && found.y > 0.0);
    }
    for (var p = 1u; p <= params.stride; p += 1u) {
        var part = vec2<f32>(MASKED_SCORE, 0.0);
        for (var k = 0u; k < OWN; k += 1u) {
            powers[k] *= mantissas[k];
            if (powers[k] > 0.0) {
                part = joined(part, vec2<f32>(f32(p) * exponents[k], powers[k]));
            }
        }
        let whole = folded(thread, part);
        if (thread == 0u) {
            sums[(params.first_chunk + group) * params.stride + p - 1u] = whole;
        }
    }
}
