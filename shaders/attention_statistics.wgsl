// Statistics of some rows of attention. Of each slice of the keys of a row one workgroup finds, with s_j the sum of the score and
// the log-weight of key j to base two,
//
//     (largest s, second largest s, S = sum_j 2^{s_j - largest}, sum_j (s_j - largest) 2^{s_j - largest})
//
// The host joins the slices of a row. A row without a visible source has (MASKED_SCORE, MASKED_SCORE, 0, 0).

struct AttentionStatistics {
    // Workgroups of this dispatch: [first_group, end_group) of all of them, ordered (row, slice).
    first_group: u32,
    end_group: u32,
    // Slices of the keys of one replica in the key segment, and keys of one.
    slices: u32,
    slice_keys: u32,
    // Sources and tokens of one replica in the key segment, and tokens of one in the query segment.
    sources: u32,
    key_rows: u32,
    queries: u32,
    // Where the results of the first workgroup of all lie.
    at: u32,
    scale: f32,
    // Which sources a query attends to, as in the reductions.
    reach: i32,
    ahead: i32,
    window: i32,
    others: u32,
}

@group(0) @binding(0) var<uniform> params: AttentionStatistics;
@group(0) @binding(1) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weights: array<vec2<f32>>;
// The rows of the query segment whose statistics are wanted.
@group(0) @binding(4) var<storage, read> chosen: array<u32>;
@group(0) @binding(5) var<storage, read_write> found: array<vec4<f32>>;

alias Part = vec4<f32>;

fn joined(a: Part, b: Part) -> Part {
    let first = max(a.x, b.x);
    let second = max(min(a.x, b.x), max(a.y, b.y));
    let down = vec2<f32>(a.x, b.x) - first;
    let share = exp2(down);
    let sum = share * vec2<f32>(a.z, b.z);
    let product = share * (vec2<f32>(a.w, b.w) + down * vec2<f32>(a.z, b.z));
    return vec4<f32>(first, second, sum.x + sum.y, product.x + product.y);
}

@compute @workgroup_size(THREADS)
fn attention_statistics(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let row = chosen[group / params.slices];
    let query = row % params.queries;
    let base = (row / params.queries) * params.key_rows;
    let begin = (group % params.slices) * params.slice_keys;
    let end = min(begin + params.slice_keys, visible(query));
    var part = vec4<f32>(MASKED_SCORE, MASKED_SCORE, 0.0, 0.0);
    for (var key = begin + thread; key < end; key += THREADS) {
        let log_weight = weights[base + key].y;
        if (log_weight > 0.5 * MASKED_SCORE && (!CHOSEN || attends(query, key))) {
            var score = 0.0;
            for (var c = 0u; c < INNER; c += 1u) {
                score += dot(queries[row * INNER + c], keys[(base + key) * INNER + c]);
            }
            part = joined(part, vec4<f32>(params.scale * score + log_weight, MASKED_SCORE, 1.0, 0.0));
        }
    }
    let whole = folded(thread, part);
    if (thread == 0u) {
        found[params.at + group] = whole;
    }
}
