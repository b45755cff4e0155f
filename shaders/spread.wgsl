// How far the tokens of a chunk are from the direction e of their replica: (sum_i w_i |x_i - e|^2, min_i <x_i, e>),
// the minimum over tokens of positive weight, with weights relative to their mean.

@group(0) @binding(0) var<uniform> params: Statistics;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> samples: array<vec4<f32>>;

alias Part = vec2<f32>;

fn joined(a: Part, b: Part) -> Part {
    return Part(a.x + b.x, min(a.y, b.y));
}

// Above every overlap.
const FAR: f32 = 1e30;

@compute @workgroup_size(THREADS)
fn spread(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = flat(workgroup, workgroups);
    if (group >= params.groups) {
        return;
    }
    let chunk = chunk_of(params, group);
    let axis = params.directions_at + (params.first_replica + chunk.replica) * WIDTH;
    var part = vec2<f32>(0.0, FAR);
    for (var row = chunk.begin + thread; row < chunk.end; row += THREADS) {
        var square = 0.0;
        var overlap = 0.0;
        for (var c = 0u; c < WIDTH; c += 1u) {
            let x = tokens[row * WIDTH + c];
            let e = samples[axis + c];
            square += dot(x - e, x - e);
            overlap += dot(x, e);
        }
        let weight = weights[row].x;
        if (weight > 0.0) {
            part += vec2<f32>(weight * square, 0.0);
            part.y = min(part.y, overlap);
        }
    }
    let whole = folded(thread, part);
    if (thread == 0u) {
        samples[params.at + params.first_chunk + group] = vec4<f32>(whole, 0.0, 0.0);
    }
}
