// The direction e = mean / |mean| of every replica, from the first moments of its chunks; the first axis where the
// mean vanishes. One workgroup a replica: here `chunks` counts the chunks of a whole replica.

@group(0) @binding(0) var<uniform> params: Statistics;
@group(0) @binding(1) var<storage, read_write> samples: array<vec4<f32>>;

alias Part = vec4<f32>;

fn joined(a: Part, b: Part) -> Part {
    return a + b;
}

@compute @workgroup_size(THREADS)
fn direction(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let replica = flat(workgroup, workgroups);
    if (replica >= params.groups) {
        return;
    }
    let at = params.directions_at + replica * WIDTH;
    var square = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        var sum = vec4<f32>(0.0);
        for (var chunk = thread; chunk < params.chunks; chunk += THREADS) {
            sum += samples[params.at + (replica * params.chunks + chunk) * WIDTH + c];
        }
        let whole = folded(thread, sum);
        if (thread == 0u) {
            samples[at + c] = whole;
            square += dot(whole, whole);
        }
    }
    if (thread == 0u) {
        let norm = sqrt(square);
        for (var c = 0u; c < WIDTH; c += 1u) {
            if (norm > 0.0) {
                samples[at + c] /= norm;
            } else {
                samples[at + c] = vec4<f32>(select(0.0, 1.0, c == 0u), 0.0, 0.0, 0.0);
            }
        }
    }
}
