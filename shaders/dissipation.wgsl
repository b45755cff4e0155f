// The dissipation of a chunk under one head, sum_i w_i s_i |v_i|^2 with s_i = Z_i or one, from the partials of the
// reduction and the velocities that came of them. It is kept like the energy, because s_i overflows at large beta, and
// |v_i|^2 does where s_i = 1.

@group(0) @binding(0) var<uniform> params: Statistics;
@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> samples: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> velocities: array<vec4<f32>>;

fn vector_of(row: u32, c: u32) -> vec4<f32> {
    return velocities[row * WIDTH + c];
}

@compute @workgroup_size(THREADS)
fn dissipation(
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
        let speed = square(row);
        if (weight > 0.0 && speed.y > 0.0) {
            if (params.times_z == 0u) {
                part = joined(part, vec2<f32>(speed.x, weight * speed.y));
            } else {
                for (var slice = 0u; slice < params.slices; slice += 1u) {
                    let header = partials[(slice * params.segment_rows + row + 1u) * params.stride - 1u];
                    part = joined(part, vec2<f32>(header.x + speed.x, weight * header.y * speed.y));
                }
            }
        }
    }
    let whole = folded(thread, part);
    if (thread == 0u) {
        samples[params.at + params.first_chunk + group] = vec4<f32>(whole, 0.0, 0.0);
    }
}
