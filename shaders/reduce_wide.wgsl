// The reduction for wide tokens, and for heads whose keys and values are not the tokens.

@compute @workgroup_size(THREADS)
fn reduce_wide(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let span = span_of(group);
    // Under a mask there may be nothing to add, but the partials must still be made.
    for (var chunk = span.begin; chunk < span.end || (MASKED && chunk == span.begin); chunk += CHUNK) {
        var shift = vec4<f32>(MASKED_SCORE);
        var z = vec4<f32>(0.0);
        var m: Values = Values();
        let chunk_end = min(chunk + CHUNK, span.end);
        for (var key = chunk; key < chunk_end; key += TILE) {
            score_tile(thread, span.place, key, chunk_end);
            weigh_tile(thread, &shift, &z);
            add_values(thread, &m, span.place, key);
        }
        let fresh = params.fresh == 1u && chunk == span.begin;
        merge_sums(thread, span, shift, z, fresh);
        merge_values(thread, &m, span, fresh);
    }
}
