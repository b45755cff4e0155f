// The histogram of overlaps: pairs i < j of directions of one replica, counted by the bin of <theta_i, theta_j>. A
// workgroup owns OVERLAP_ROWS tokens on the left, and passes OVERLAP_COLUMNS on the right through its memory, as many
// at a time as it owns; a thread owns 4 x 4 pairs of each tile.
//
// Nothing overflows: a workgroup has at most OVERLAP_ROWS OVERLAP_COLUMNS = 2^16 pairs, and what it adds to the counts
// of all is carried into a second word, because a million tokens have more than 2^32 pairs. Whole numbers add up to
// the same in any order.

struct Overlaps {
    // Workgroups of this dispatch: [first_group, end_group) of all, ordered (replica, block of rows, strip of columns).
    first_group: u32,
    end_group: u32,
    blocks: u32,
    strips: u32,
    // Tokens of one replica in the segment on the left, and in that on the right.
    rows: u32,
    columns: u32,
    first_replica: u32,
    // One if both are the same segment, whose pairs would be met twice.
    halved: u32,
    bins: u32,
}

@group(0) @binding(0) var<uniform> params: Overlaps;
@group(0) @binding(1) var<storage, read> row_tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> row_factors: array<f32>;
@group(0) @binding(3) var<storage, read> column_tokens: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> column_factors: array<f32>;
// [replica][bin][low word, high word], one bin more than there are.
@group(0) @binding(5) var<storage, read_write> counts: array<atomic<u32>>;

// Vectors of a token in a tile.
const PARTS: u32 = min(WIDTH, 4u);

// [vector][token].
var<workgroup> left: array<vec4<f32>, OVERLAP_ROWS * PARTS>;
var<workgroup> right: array<vec4<f32>, OVERLAP_ROWS * PARTS>;
var<workgroup> left_factors: array<f32, OVERLAP_ROWS>;
var<workgroup> right_factors: array<f32, OVERLAP_ROWS>;
var<workgroup> own: array<atomic<u32>, OVERLAP_BINS>;

@compute @workgroup_size(EDGE * EDGE)
fn overlaps(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let row_first = (group / params.strips % params.blocks) * OVERLAP_ROWS;
    var begin = (group % params.strips) * OVERLAP_COLUMNS;
    let end = min(begin + OVERLAP_COLUMNS, params.columns);
    if (params.halved == 1u) {
        // Tiles before the diagonal are those behind it.
        begin = max(begin, row_first);
    }
    if (begin >= end) {
        return;
    }
    let replica = group / (params.strips * params.blocks);
    let row_base = replica * params.rows;
    let column_base = replica * params.columns;
    for (var bin = thread; bin < params.bins; bin += EDGE * EDGE) {
        atomicStore(&own[bin], 0u);
    }
    // Tokens of a cluster share a bin: what is equal is added at once.
    var last = 0u;
    var run = 0u;
    for (var first = begin; first < end; first += OVERLAP_ROWS) {
        // Barriers stand before a tile is written, since threads may still read the one before, its factors too, and
        // before it is read. The first of them also stands between the zeros and the counts.
        var products = array<vec4<f32>, 4>();
        for (var part = 0u; part < WIDTH; part += PARTS) {
            workgroupBarrier();
            fill(thread, part, vec2<u32>(row_base, row_first), vec2<u32>(column_base, first));
            workgroupBarrier();
            multiply(thread, &products);
        }
        for (var r = 0u; r < 4u; r += 1u) {
            let row = thread / EDGE + r * EDGE;
            for (var k = 0u; k < 4u; k += 1u) {
                let column = thread % EDGE + k * EDGE;
                let has_weight = left_factors[row] > 0.0 && right_factors[column] > 0.0;
                if (has_weight && (params.halved == 0u || row_first + row < first + column)) {
                    let bin = bin_of(products[r][k]);
                    if (bin != last && run > 0u) {
                        atomicAdd(&own[last], run);
                        run = 0u;
                    }
                    last = bin;
                    run += 1u;
                }
            }
        }
    }
    if (run > 0u) {
        atomicAdd(&own[last], run);
    }
    workgroupBarrier();
    for (var bin = thread; bin < params.bins; bin += EDGE * EDGE) {
        add(2u * ((params.first_replica + replica) * (params.bins + 1u) + bin), atomicLoad(&own[bin]));
    }
}

// Puts PARTS vectors of a tile of directions on either side. `rows` and `columns` are where a replica starts, and its
// first token of the tile; beyond its last nothing has a factor.
fn fill(thread: u32, part: u32, rows: vec2<u32>, columns: vec2<u32>) {
    for (var k = thread; k < OVERLAP_ROWS * PARTS; k += EDGE * EDGE) {
        let at = k % OVERLAP_ROWS;
        let c = part + k / OVERLAP_ROWS;
        let row = rows.x + min(rows.y + at, params.rows - 1u);
        let column = columns.x + min(columns.y + at, params.columns - 1u);
        let vector = min(c, WIDTH - 1u);
        let inside = c < WIDTH;
        left[k] = select(vec4<f32>(0.0), row_factors[row] * row_tokens[row * WIDTH + vector], inside);
        right[k] = select(vec4<f32>(0.0), column_factors[column] * column_tokens[column * WIDTH + vector], inside);
    }
    if (thread < OVERLAP_ROWS) {
        let row = rows.y + thread;
        let column = columns.y + thread;
        left_factors[thread] = select(0.0, row_factors[rows.x + min(row, params.rows - 1u)], row < params.rows);
        right_factors[thread] =
            select(0.0, column_factors[columns.x + min(column, params.columns - 1u)], column < params.columns);
    }
}

// Adds what the vectors of the tile make of the 4 x 4 overlaps of a thread.
fn multiply(thread: u32, products: ptr<function, array<vec4<f32>, 4>>) {
    for (var c = 0u; c < PARTS; c += 1u) {
        let at = c * OVERLAP_ROWS + thread % EDGE;
        let a = right[at];
        let b = right[at + EDGE];
        let e = right[at + 2u * EDGE];
        let f = right[at + 3u * EDGE];
        for (var r = 0u; r < 4u; r += 1u) {
            let x = left[c * OVERLAP_ROWS + thread / EDGE + r * EDGE];
            (*products)[r] += vec4<f32>(dot(x, a), dot(x, b), dot(x, e), dot(x, f));
        }
    }
}

// Rounding may leave overlaps on either side of [-1, 1].
fn bin_of(overlap: f32) -> u32 {
    let place = max(0.5 * (overlap + 1.0) * f32(params.bins), 0.0);
    return min(u32(place), params.bins - 1u);
}

// Adds to a number of two words. Exactly one addition makes the low word wrap, and carries into the high one.
fn add(at: u32, count: u32) {
    if (count == 0u) {
        return;
    }
    let before = atomicAdd(&counts[at], count);
    if (before > 0xffffffffu - count) {
        atomicAdd(&counts[at + 1u], 1u);
    }
}
