// The first moment of a chunk: sum_i w_i x_i, with weights relative to their mean.

@group(0) @binding(0) var<uniform> params: Statistics;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> samples: array<vec4<f32>>;

alias Part = vec4<f32>;

fn joined(a: Part, b: Part) -> Part {
    return a + b;
}

@compute @workgroup_size(THREADS)
fn mean(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = flat(workgroup, workgroups);
    if (group >= params.groups) {
        return;
    }
    let chunk = chunk_of(params, group);
    for (var c = 0u; c < WIDTH; c += 1u) {
        var sum = vec4<f32>(0.0);
        for (var row = chunk.begin + thread; row < chunk.end; row += THREADS) {
            sum += weights[row].x * tokens[row * WIDTH + c];
        }
        let whole = folded(thread, sum);
        if (thread == 0u) {
            samples[params.at + (params.first_chunk + group) * WIDTH + c] = whole;
        }
    }
}
