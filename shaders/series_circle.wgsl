// Fourier series in the angle of the query.

@compute @workgroup_size(THREADS)
fn series_circle(
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
    var at = 2u * (params.first_replica + replica) * params.harmonics;
    for (var l = 0u; l <= params.degree; l += 1u) {
        let cosine = coefficients[at];
        let sine = coefficients[at + 1u];
        at += 2u;
        for (var q = 0u; q < QUERIES_AT_ONCE; q += 1u) {
            var harmonic = power[q];
            if (VARYING) {
                harmonic *= radial[l][q];
            }
            sums[q] += harmonic.x * cosine + harmonic.y * sine;
            power[q] = multiply(power[q], batch.direction[q].xy);
        }
    }
    write_partials(&batch, &sums, replica, first);
}
