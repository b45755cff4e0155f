// Half a Sinkhorn iteration: the sums Z of every query over all keys, in replicas that are not balanced yet.

// For each replica how far a log column sum was from zero.
@group(0) @binding(5) var<storage, read> residuals: array<f32>;

@compute @workgroup_size(THREADS)
fn half_step(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    if (residuals[params.residuals_at + group / (params.blocks * params.slices)] <= params.tolerance) {
        return;
    }
    let span = span_of(group);
    for (var chunk = span.begin; chunk < span.end; chunk += CHUNK) {
        var shift = vec4<f32>(MASKED_SCORE);
        var z = vec4<f32>(0.0);
        let chunk_end = min(chunk + CHUNK, span.end);
        for (var key = chunk; key < chunk_end; key += TILE) {
            score_tile(thread, span.place, key, chunk_end);
            weigh_tile(thread, &shift, &z);
        }
        merge_sums(thread, span, shift, z, params.fresh == 1u && chunk == span.begin);
    }
}
