// The factor that makes a token a direction: 1 / |x|, or zero for tokens without weight. Tokens of positive weight that have no
// direction are counted, one past the bins of their replica.

struct Reciprocal {
    rows: u32,
    // Tokens of one replica in this segment, and where the segment starts among the replicas.
    tokens: u32,
    first_replica: u32,
    bins: u32,
}

@group(0) @binding(0) var<uniform> params: Reciprocal;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> factors: array<f32>;
@group(0) @binding(4) var<storage, read_write> counts: array<atomic<u32>>;

// Compilers may assume that no number is infinite, so the bits are compared.
fn is_finite(x: vec4<f32>) -> bool {
    return all((bitcast<vec4<u32>>(x) & vec4<u32>(0x7f800000u)) != vec4<u32>(0x7f800000u));
}

@compute @workgroup_size(THREADS)
fn reciprocal(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows) {
        return;
    }
    if (weights[row].x <= 0.0) {
        factors[row] = 0.0;
        return;
    }
    // Squares of the longest and the shortest tokens would leave single precision, so they are taken of shares.
    var largest = 0.0;
    var finite = true;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let x = tokens[row * WIDTH + c];
        let magnitudes = abs(x);
        finite = finite && is_finite(x);
        largest = max(largest, max(max(magnitudes.x, magnitudes.y), max(magnitudes.z, magnitudes.w)));
    }
    if (!finite || largest <= 0.0) {
        factors[row] = 0.0;
        let replica = params.first_replica + row / params.tokens;
        atomicAdd(&counts[2u * (replica * (params.bins + 1u) + params.bins)], 1u);
        return;
    }
    var square = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let share = tokens[row * WIDTH + c] / largest;
        square += dot(share, share);
    }
    factors[row] = 1.0 / sqrt(square) / largest;
}
