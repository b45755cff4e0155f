// The energy of a chunk under one head, sum_i w_i Z_i, from the partials of the reduction. It is kept as
// (shift, sum_i w_i Z_i 2^-shift), because Z_i overflows at large beta.

@group(0) @binding(0) var<uniform> params: Statistics;
@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> samples: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn energy(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = flat(workgroup, workgroups);
    if (group >= params.groups) {
        return;
    }
    let chunk = chunk_of(params, group);
    var part = vec2<f32>(MASKED_SCORE, 0.0);
    for (var row = chunk.begin + thread; row < chunk.end; row += THREADS) {
        let weight = weights[row].x;
        if (weight > 0.0) {
            for (var slice = 0u; slice < params.slices; slice += 1u) {
                let header = partials[(slice * params.segment_rows + row + 1u) * params.stride - 1u];
                part = joined(part, vec2<f32>(header.x, weight * header.y));
            }
        }
    }
    let whole = folded(thread, part);
    if (thread == 0u) {
        samples[params.at + params.first_chunk + group] = vec4<f32>(whole, 0.0, 0.0);
    }
}
