// How far the tokens of a chunk are from those of the replica beside theirs, 0 and 1, 2 and 3, ..: sum_i w_i |x_i - y_i|^2, with
// weights relative to their mean. It is kept like the energy, because squares of tiny distances vanish.

@group(0) @binding(0) var<uniform> params: Statistics;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec2<f32>>;

// The replica beside one of this segment, counted like it.
fn beside(replica: u32) -> u32 {
    return ((params.first_replica + replica) ^ 1u) - params.first_replica;
}

fn vector_of(row: u32, c: u32) -> vec4<f32> {
    let replica = row / params.rows;
    let other = beside(replica) * params.rows + row % params.rows;
    return tokens[row * WIDTH + c] - tokens[other * WIDTH + c];
}

@compute @workgroup_size(THREADS)
fn separation(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = flat(workgroup, workgroups);
    if (group >= params.groups) {
        return;
    }
    let chunk = chunk_of(params, group);
    // The last of an odd number of replicas has none beside it.
    let has_other = beside(chunk.replica) < params.groups / params.chunks;
    var part = vec2<f32>(MASKED_SCORE, 0.0);
    for (var row = chunk.begin + thread; row < chunk.end && has_other; row += THREADS) {
        let weight = weights[row].x;
        if (weight > 0.0) {
            let found = square(row);
            part = joined(part, vec2<f32>(found.x, weight * found.y));
        }
    }
    let whole = folded(thread, part);
    if (thread == 0u) {
        sums[params.first_chunk + group] = whole;
    }
}
