// The parameters and buffers of all reductions. `queries` and `keys` may be the same tokens.

struct Reduce {
    // Workgroups of this dispatch: [first_group, end_group) of all of them, ordered (replica, slice, block).
    first_group: u32,
    end_group: u32,
    // Query blocks and key slices of one replica.
    blocks: u32,
    slices: u32,
    // Queries of one replica, and of all of them, in the query segment.
    queries: u32,
    rows: u32,
    // Sources and tokens of one replica in the key segment.
    sources: u32,
    key_rows: u32,
    // Keys in a slice, and the part [first_key, end_key) of every slice that this dispatch adds.
    slice_keys: u32,
    first_key: u32,
    end_key: u32,
    // One if the partials hold nothing yet.
    fresh: u32,
    // Scores are scale * <query, key> - shift, to base two; a running shift starts where it must and ignores `shift`.
    scale: f32,
    shift: f32,
    // Under a mask: the first i + reach sources of the key segment are visible to query i of its segment, none if that is
    // negative.
    reach: i32,
    // How much later in its replica the first query is than the first key; the distance from which on a source is not visible; and one
    // if no query attends to itself.
    ahead: i32,
    window: i32,
    others: u32,
    // One if the largest scores are sought.
    seeks: u32,
    // Where the residuals of Sinkhorn's iterations start, and the one at which they end.
    residuals_at: u32,
    tolerance: f32,
    // One if weights are sigmoids of scores, zero if they are positive parts, where they are one of these.
    sigmoid: u32,
}

@group(0) @binding(0) var<uniform> params: Reduce;
@group(0) @binding(1) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weights: array<vec2<f32>>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4<f32>>;
