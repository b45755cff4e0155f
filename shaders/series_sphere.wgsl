// Series of spherical harmonics of the direction of the query: for every order m a polynomial in z, by the recurrence of
// the moments, times the parts of (x + iy)^m.

@compute @workgroup_size(THREADS)
fn series_sphere(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let replica = group / params.blocks;
    let first = (group % params.blocks) * THREADS * QUERIES_AT_ONCE + thread;
    var batch: Batch = Batch();
    var radial: Radial = Radial();
    load(&batch, replica, first);
    if (VARYING) {
        expand(&batch, &radial);
    }
    var sums: array<vec4<f32>, QUERIES_AT_ONCE> = array<vec4<f32>, QUERIES_AT_ONCE>();
    var power: array<vec2<f32>, QUERIES_AT_ONCE> = array<vec2<f32>, QUERIES_AT_ONCE>();
    for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
        sums[q] = vec4<f32>(0.0);
        power[q] = vec2<f32>(1.0, 0.0);
    }
    var pair = 0u;
    let base = (params.first_replica + replica) * params.harmonics;
    for (var m = 0u; m <= params.degree; m += 1u) {
        var cosine: array<vec4<f32>, QUERIES_AT_ONCE> = array<vec4<f32>, QUERIES_AT_ONCE>();
        var sine: array<vec4<f32>, QUERIES_AT_ONCE> = array<vec4<f32>, QUERIES_AT_ONCE>();
        var before: array<f32, QUERIES_AT_ONCE> = array<f32, QUERIES_AT_ONCE>();
        var current: array<f32, QUERIES_AT_ONCE> = array<f32, QUERIES_AT_ONCE>();
        for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
            cosine[q] = vec4<f32>(0.0);
            sine[q] = vec4<f32>(0.0);
            before[q] = 0.0;
            current[q] = 1.0;
        }
        for (var l = m; l <= params.degree; l += 1u) {
            let real = coefficients[2u * (base + pair)];
            let imaginary = coefficients[2u * (base + pair) + 1u];
            let gamma = tables[3u * params.steps + pair];
            pair += 1u;
            for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
                var harmonic = current[q];
                if (VARYING) {
                    harmonic *= radial[l][q];
                }
                cosine[q] += harmonic * real;
                sine[q] += harmonic * imaginary;
                let next = 2.0 * batch.direction[q].z * current[q] - gamma * before[q];
                before[q] = current[q];
                current[q] = next;
            }
        }
        for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
            sums[q] += power[q].x * cosine[q] + power[q].y * sine[q];
            power[q] = multiply(power[q], batch.direction[q].xy);
        }
    }
    write_partials(&batch, &sums, replica, first);
}
