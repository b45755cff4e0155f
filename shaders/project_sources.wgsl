// The projections <theta, x> of the sources of a segment as keys, at the place of the token in the list of its replica and of the
// direction theta. A thread owns a place in the lists of PROJECTED_DIRECTIONS directions.

struct ProjectSources {
    // Workgroups of this dispatch: [first_group, end_group) of all, ordered (replica, PROJECTED_DIRECTIONS directions, block of places).
    first_group: u32,
    end_group: u32,
    blocks: u32,
    // Places of each list that this segment fills: its sources and, after the last source of all, the rest of the list.
    places: u32,
    sources: u32,
    // Rows of one replica in the segment, and the first of the batch.
    tokens: u32,
    first_row: u32,
    // Lists are ordered (replica, direction), `length` places each.
    first_list: u32,
    length: u32,
    first_place: u32,
    first_direction: u32,
    directions: u32,
}

@group(0) @binding(0) var<uniform> params: ProjectSources;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> directions: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> keys: array<u32>;

@compute @workgroup_size(THREADS)
fn project_sources(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let place = (group % params.blocks) * THREADS + thread;
    if (place >= params.places) {
        return;
    }
    let some = (params.directions + PROJECTED_DIRECTIONS - 1u) / PROJECTED_DIRECTIONS;
    let first = (group / params.blocks % some) * PROJECTED_DIRECTIONS;
    let replica = group / (params.blocks * some);
    let is_token = place < params.sources;
    var sums = vec4<f32>(0.0);
    if (is_token) {
        let row = params.first_row + replica * params.tokens + place;
        for (var c = 0u; c < WIDTH; c += 1u) {
            let x = tokens[row * WIDTH + c];
            for (var k = 0u; k < PROJECTED_DIRECTIONS; k += 1u) {
                let direction = params.first_direction + min(first + k, params.directions - 1u);
                sums[k] += dot(x, directions[direction * WIDTH + c]);
            }
        }
    }
    for (var k = 0u; k < PROJECTED_DIRECTIONS; k += 1u) {
        if (first + k < params.directions) {
            let list = params.first_list + replica * params.directions + first + k;
            keys[list * params.length + params.first_place + place] = select(BEHIND, key_of(sums[k]), is_token);
        }
    }
}
