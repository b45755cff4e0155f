// Places of tokens enter their rows: something is added to them, or pairs of components are turned. A table has a row for each
// token of a replica, padded like tokens: the addend, or the cosine and the sine of the angle of each pair. Rows may also be
// multiplied by a number of their replica; then the table has a vector for each of all replicas, and the number comes first.

struct Place {
    rows: u32,
    // Tokens of one replica in the segment.
    tokens: u32,
    // The first replica of the segment.
    first_replica: u32,
    // ADD, TURN or SCALE.
    rule: u32,
}

@group(0) @binding(0) var<uniform> params: Place;
@group(0) @binding(1) var<storage, read> places: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> rows: array<vec4<f32>>;

@compute @workgroup_size(THREADS)
fn place(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows) {
        return;
    }
    if (params.rule == SCALE) {
        let factor = places[params.first_replica + row / params.tokens].x;
        for (var c = 0u; c < WIDTH; c += 1u) {
            rows[row * WIDTH + c] *= factor;
        }
        return;
    }
    let token = row % params.tokens;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let x = rows[row * WIDTH + c];
        let p = places[token * WIDTH + c];
        if (params.rule == TURN) {
            rows[row * WIDTH + c] = p.xxzz * x + vec4<f32>(-p.y, p.y, -p.w, p.w) * x.yxwz;
        } else {
            rows[row * WIDTH + c] = x + p;
        }
    }
}
