// The parameters and buffers of both series, of the circle and of the sphere: directions of queries and coefficients of one head
// are read, and its partials (M, shift, Z) are written. A thread owns QUERIES_AT_ONCE queries, so that a coefficient is read once
// for all of them.
//
// If A is a multiple of the identity, all queries have the same length, and what depends on it is in the coefficients. If
// not, each query has its own radial coefficients b_l, up to a factor, from a recurrence downward in l.

struct Series {
    // Workgroups of this dispatch: [first_group, end_group) of all of the segment, ordered (replica, block).
    first_group: u32,
    end_group: u32,
    // Blocks and queries of one replica.
    blocks: u32,
    queries: u32,
    first_replica: u32,
    degree: u32,
    // Harmonics of one replica.
    harmonics: u32,
    // Steps of the recurrence of b_l.
    steps: u32,
    // Where all queries have one length: A = sign |A|, and the shift of the partials.
    sign: f32,
    shift: f32,
    // What Z is where every key is in the direction of the query.
    unit: f32,
    // Where Z / unit is less, `worst` is lowered to it.
    least: f32,
}

@group(0) @binding(0) var<uniform> params: Series;
@group(0) @binding(1) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4<f32>>;
// (factor, multiplicity, threshold) of every step from the highest degree down, then gamma_lm of every harmonic.
@group(0) @binding(3) var<storage, read> tables: array<f32>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4<f32>>;
// The bits of the least Z / unit so far, among those below `least`; bits of positive numbers are ordered like the numbers.
@group(0) @binding(5) var<storage, read_write> worst: atomic<u32>;

const LN_2: f32 = 0.6931471805599453;

alias Radial = array<array<f32, QUERIES_AT_ONCE>, DEGREES>;

// The queries of one thread.
struct Batch {
    direction: array<vec4<f32>, QUERIES_AT_ONCE>,
    // Where queries have lengths of their own: those, to base two, and what the sums are to be multiplied by.
    length: array<f32, QUERIES_AT_ONCE>,
    scale: array<f32, QUERIES_AT_ONCE>,
}

fn multiply(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    return vec2<f32>(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

fn load(batch: ptr<function, Batch>, replica: u32, first: u32) {
    for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
        // Threads beyond the last query repeat it.
        let query = queries[replica * params.queries + min(first + q * THREADS, params.queries - 1u)];
        if (VARYING) {
            let norm = sqrt(dot(query, query));
            (*batch).length[q] = norm;
            // A query of length zero has no direction, and no use for one.
            (*batch).direction[q] = query * select(0.0, 1.0 / norm, norm > 0.0);
        } else {
            (*batch).direction[q] = params.sign * query;
        }
        (*batch).scale[q] = 1.0;
    }
}

// Miller's recurrence f_{l-1} = f_{l+1} + (c_l / kappa) f_l: the b_l of every query up to the factor that makes their
// sum one. A query starts at the first degree that its kappa can make visible.
fn expand(batch: ptr<function, Batch>, radial: ptr<function, Radial>) {
    var inverse: array<f32, QUERIES_AT_ONCE> = array<f32, QUERIES_AT_ONCE>();
    var upper: array<f32, QUERIES_AT_ONCE> = array<f32, QUERIES_AT_ONCE>();
    var lower: array<f32, QUERIES_AT_ONCE> = array<f32, QUERIES_AT_ONCE>();
    var sum: array<f32, QUERIES_AT_ONCE> = array<f32, QUERIES_AT_ONCE>();
    for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
        inverse[q] = 1.0 / max(LN_2 * (*batch).length[q], SEED);
        upper[q] = 0.0;
        lower[q] = SEED;
        sum[q] = 0.0;
    }
    for (var step = 0u; step < params.steps; step += 1u) {
        let l = params.steps - step;
        let factor = tables[3u * step];
        let multiplicity = tables[3u * step + 1u];
        let threshold = tables[3u * step + 2u];
        for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
            let next = factor * inverse[q] * lower[q] + upper[q];
            let visible = LN_2 * (*batch).length[q] > threshold;
            upper[q] = select(0.0, lower[q], visible);
            lower[q] = select(SEED, next, visible);
            let kept = multiplicity * upper[q];
            sum[q] += kept;
            if (l < DEGREES) {
                (*radial)[l][q] = kept;
            }
        }
    }
    for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
        (*radial)[0][q] = lower[q];
        (*batch).scale[q] = 1.0 / (sum[q] + lower[q]);
    }
}

// Writes the partials of all queries from their sums (M, Z) e^{-kappa}.
fn write_partials(batch: ptr<function, Batch>, sums: ptr<function, array<vec4<f32>, QUERIES_AT_ONCE>>, replica: u32, first: u32) {
    for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
        let query = first + q * THREADS;
        if (query < params.queries) {
            var sum = (*batch).scale[q] * (*sums)[q];
            let rest = sum.w / params.unit;
            if (rest < params.least) {
                atomicMin(&worst, bitcast<u32>(max(rest, 0.0)));
            }
            var shift = params.shift;
            if (VARYING) {
                // Shifts are whole numbers.
                shift = ceil((*batch).length[q]);
                sum *= exp2((*batch).length[q] - shift);
            }
            let at = (replica * params.queries + query) * STRIDE;
            partials[at] = vec4<f32>(sum.xyz, 0.0);
            partials[at + WIDTH] = vec4<f32>(shift, sum.w, 0.0, 0.0);
        }
    }
}
