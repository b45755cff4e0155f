// The second moment of a chunk, sum_i w_i x_i x_i^T, with weights relative to their mean. A workgroup owns a square
// of EDGE x EDGE entries and one chunk of tokens, whose number of rows the host chooses so that little is read back.
// Entries are summed over EDGE tokens, over 64 times as many, and over the chunk.

struct SecondMoment {
    // Workgroups of this dispatch: [first_group, end_group) of all squares, ordered (replica, chunk, square).
    first_group: u32,
    end_group: u32,
    // Chunks of one replica.
    chunks: u32,
    // Tokens of one replica in this segment, and in one chunk.
    rows: u32,
    chunk_rows: u32,
    // Where this segment starts among the chunks of all segments.
    first_chunk: u32,
}

@group(0) @binding(0) var<uniform> params: SecondMoment;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> moments: array<f32>;

const SQUARES: u32 = (D + EDGE - 1u) / EDGE;

// [token][component], the first with its weight.
var<workgroup> left: array<f32, EDGE * EDGE>;
var<workgroup> right: array<f32, EDGE * EDGE>;

@compute @workgroup_size(EDGE * EDGE)
fn second_moment(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let square = group % (SQUARES * SQUARES);
    let chunk = (group / (SQUARES * SQUARES)) % params.chunks;
    let replica = group / (SQUARES * SQUARES * params.chunks);
    let base = replica * params.rows;
    let begin = chunk * params.chunk_rows;
    let end = min(begin + params.chunk_rows, params.rows);
    let high = thread / EDGE;
    let low = thread % EDGE;
    let row_first = (square / SQUARES) * EDGE;
    let column_first = (square % SQUARES) * EDGE;

    var total = 0.0;
    for (var outer = begin; outer < end; outer += 64u * EDGE) {
        var middle = 0.0;
        for (var first = outer; first < min(outer + 64u * EDGE, end); first += EDGE) {
            let token = first + high;
            let weight = select(0.0, weights[base + min(token, end - 1u)].x, token < end);
            workgroupBarrier();
            left[thread] = weight * component(base + min(token, end - 1u), row_first + low);
            right[thread] = component(base + min(token, end - 1u), column_first + low);
            workgroupBarrier();
            var sum = 0.0;
            for (var k = 0u; k < EDGE; k += 1u) {
                sum += left[k * EDGE + high] * right[k * EDGE + low];
            }
            middle += sum;
        }
        total += middle;
    }
    if (row_first + high < D && column_first + low < D) {
        let chunk_index = params.first_chunk + replica * params.chunks + chunk;
        moments[(chunk_index * D + row_first + high) * D + column_first + low] = total;
    }
}

// Component k of a token; zero beyond its width.
fn component(row: u32, k: u32) -> f32 {
    if (k >= D) {
        return 0.0;
    }
    return tokens[row * WIDTH + k / 4u][k % 4u];
}
