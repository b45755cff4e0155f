// The moments of every replica: its sums added up, EDGE harmonics and EDGE lanes a workgroup. A lane compensates for its
// rounding (Kahan); a driver that reorders floating point would undo that, and leave an ordinary sum.

struct Collect {
    // Workgroups of this dispatch: [first_group, end_group) of all of them, ordered (replica, block of harmonics).
    first_group: u32,
    end_group: u32,
    // Sums and harmonics of one replica.
    sums: u32,
    harmonics: u32,
}

@group(0) @binding(0) var<uniform> params: Collect;
@group(0) @binding(1) var<storage, read> sums: array<vec2<f32>>;
@group(0) @binding(2) var<storage, read_write> moments: array<vec2<f32>>;

var<workgroup> parts: array<vec2<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn collect(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let blocks = (params.harmonics + EDGE - 1u) / EDGE;
    let replica = group / blocks;
    let harmonic = (group % blocks) * EDGE + thread % EDGE;
    // Threads beyond the last harmonic repeat it, so that all of them reach every barrier.
    let column = replica * params.sums * params.harmonics + min(harmonic, params.harmonics - 1u);
    var total = vec2<f32>(0.0);
    var excess = vec2<f32>(0.0);
    for (var sum = thread / EDGE; sum < params.sums; sum += EDGE) {
        let term = sums[column + sum * params.harmonics] - excess;
        let next = total + term;
        excess = (next - total) - term;
        total = next;
    }
    parts[thread] = total;
    for (var half = THREADS / 2u; half >= EDGE; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            parts[thread] += parts[thread + half];
        }
    }
    if (thread < EDGE && harmonic < params.harmonics) {
        moments[replica * params.harmonics + harmonic] = parts[thread];
    }
}
