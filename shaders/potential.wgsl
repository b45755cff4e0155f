// What follows half a Sinkhorn iteration: the log-weight of each row with the dual potential -log Z, which the other half sums
// over.

struct Potential {
    rows: u32,
    slices: u32,
    // Vectors of a partial.
    stride: u32,
    // Tokens and sources of one replica in the segment.
    tokens: u32,
    sources: u32,
    // START for potentials of zero, before the first iteration; ROWS and COLUMNS after the two halves of one; END, where the
    // potentials of columns are kept if these were not balanced; and LAST, after the last iteration, of which nothing is kept but
    // how far columns were from being balanced.
    phase: u32,
    // Where the residuals of the last iteration and of this one start, and the one at which iterations end.
    last_at: u32,
    next_at: u32,
    // Where the largest that iterations ended with are kept.
    worst_at: u32,
    tolerance: f32,
}

// Above every residual.
const FAR: f32 = 1e30;
const LN_2: f32 = 0.6931472;

@group(0) @binding(0) var<uniform> params: Potential;
@group(0) @binding(1) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
// For each row the log-weight with the next potential, which may not be kept, and with that which is summed over.
@group(0) @binding(3) var<storage, read_write> potentials: array<vec2<f32>>;
// For each replica how far a log column sum is from zero, as the bits of a number that is not negative: these are ordered like
// the numbers.
@group(0) @binding(4) var<storage, read_write> residuals: array<atomic<u32>>;

@compute @workgroup_size(THREADS)
fn potential(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows) {
        return;
    }
    let replica = row / params.tokens;
    let token = row % params.tokens;
    if (params.phase == START) {
        potentials[row] = weights[row].yy;
        if (token == 0u) {
            atomicStore(&residuals[params.last_at + replica], bitcast<u32>(FAR));
        }
        return;
    }
    if (params.phase == END || params.phase == LAST) {
        let residual = atomicLoad(&residuals[params.next_at + replica]);
        let is_balanced = bitcast<f32>(residual) <= params.tolerance;
        if (token == 0u && (is_balanced || params.phase == LAST)) {
            atomicMax(&residuals[params.worst_at + replica], residual);
        }
        if (!is_balanced && params.phase == END) {
            potentials[row].y = potentials[row].x;
        }
        return;
    }
    // A replica that is balanced leaves a residual of zero, and so stays as it is.
    if (params.phase == ROWS && token == 0u) {
        atomicStore(&residuals[params.next_at + replica], 0u);
    }
    if (bitcast<f32>(atomicLoad(&residuals[params.last_at + replica])) <= params.tolerance) {
        return;
    }
    let log_weight = weights[row].y;
    let next = log_weight - log_sum(row);
    if (params.phase == ROWS) {
        potentials[row].y = next;
        return;
    }
    potentials[row].x = next;
    if (token < params.sources && log_weight > 0.5 * MASKED_SCORE) {
        let off = LN_2 * abs(next - potentials[row].y);
        atomicMax(&residuals[params.next_at + replica], bitcast<u32>(off));
    }
}

// log2 Z of a row, of all slices.
fn log_sum(row: u32) -> f32 {
    var shift = MASKED_SCORE;
    for (var slice = 0u; slice < params.slices; slice += 1u) {
        shift = max(shift, partials[(slice * params.rows + row + 1u) * params.stride - 1u].x);
    }
    var z = 0.0;
    for (var slice = 0u; slice < params.slices; slice += 1u) {
        let header = partials[(slice * params.rows + row + 1u) * params.stride - 1u];
        z += exp2(header.x - shift) * header.y;
    }
    return shift + log2(z);
}
