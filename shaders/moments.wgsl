// The parameters and buffers of the kernels of moments sum_j w_j H(x_j) and of modes, and the sums of a workgroup.
//
// Each thread carries the recurrences of KEYS tokens in registers. HARMONICS harmonics at a time, it sums them over its
// own tokens; the sums of all threads then meet in workgroup memory, and the result is added to the sums of the span,
// which only this workgroup writes. No sum has more than 64 terms before it is folded into the next, and the order is
// fixed.

struct Moments {
    // Workgroups of this dispatch: [first_group, end_group) of all of the segment, ordered (replica, span).
    first_group: u32,
    end_group: u32,
    // Spans of one replica in this segment, those in all segments, and where the former start among the latter.
    spans: u32,
    sums: u32,
    first_sum: u32,
    first_replica: u32,
    // Tokens and sources of one replica in this segment, and sources of a span.
    tokens: u32,
    sources: u32,
    span_keys: u32,
    // Harmonics, filled up to a multiple of HARMONICS.
    harmonics: u32,
}

// Sums of one harmonic, real and imaginary part, of all harmonics in flight.
const VALUES: u32 = 2u * HARMONICS;
// One more than the threads, so that the threads of a column read from different banks.
const STRIDE: u32 = THREADS + 1u;

@group(0) @binding(0) var<uniform> params: Moments;
@group(0) @binding(1) var<storage, read> tokens: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec2<f32>>;

var<workgroup> lanes: array<f32, VALUES * STRIDE>;
var<workgroup> parts: array<f32, THREADS>;

fn multiply(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

// The sources [begin, end) of a replica whose tokens start at row `base`, and where their sums are kept.
struct Span {
    base: u32,
    begin: u32,
    end: u32,
    at: u32,
}

fn span_of(group: u32) -> Span {
    let replica = group / params.spans;
    let span = group % params.spans;
    let begin = span * params.span_keys;
    let sum = (params.first_replica + replica) * params.sums + params.first_sum + span;
    return Span(
        replica * params.tokens,
        begin,
        min(begin + params.span_keys, params.sources),
        sum * params.harmonics,
    );
}

// The row of a key; beyond the end of the span, some row.
fn row_of(span: Span, key: u32) -> u32 {
    return span.base + min(key, span.end - 1u);
}

// w_j of a key in its row, real; beyond the end of the span, nothing.
fn weight_of(span: Span, key: u32, row: u32) -> vec2<f32> {
    return vec2<f32>(select(0.0, weights[row].x, key < span.end), 0.0);
}

// Keeps what a thread has summed of harmonic i of those in flight.
fn keep(i: u32, thread: u32, sum: vec2<f32>) {
    lanes[2u * i * STRIDE + thread] = sum.x;
    lanes[(2u * i + 1u) * STRIDE + thread] = sum.y;
}

// Adds what all threads have kept to HARMONICS sums of the span from `at` on, or writes it if it is the first.
fn add_to_span(at: u32, thread: u32, fresh: bool) {
    workgroupBarrier();
    // A thread adds up a share of the column of one value. No thread still reads `parts`: all readers have passed a barrier.
    var part = 0.0;
    let first = (thread / VALUES) * VALUES;
    for (var i = 0u; i < VALUES; i += 1u) {
        part += lanes[(thread % VALUES) * STRIDE + first + i];
    }
    parts[thread] = part;
    // Beyond this barrier no thread reads `lanes`, so that they may be written again.
    workgroupBarrier();
    if (thread < HARMONICS) {
        var total = vec2<f32>(0.0);
        for (var i = 0u; i < THREADS; i += VALUES) {
            total += vec2<f32>(parts[i + 2u * thread], parts[i + 2u * thread + 1u]);
        }
        if (!fresh) {
            total += sums[at + thread];
        }
        sums[at + thread] = total;
    }
}
