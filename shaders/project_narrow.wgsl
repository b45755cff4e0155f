// Rows times a matrix that is narrow on one side: a thread owns a row.

@compute @workgroup_size(THREADS)
fn project_narrow(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    let row = group * THREADS + thread;
    if (group >= params.end_group || row >= params.rows) {
        return;
    }
    let first = matrix_of(row);
    for (var column = 0u; column < WIDTH; column += 1u) {
        var sum = vec4<f32>(0.0);
        for (var c = 0u; c < INNER; c += 1u) {
            let x = inputs[(params.first_input + row) * INNER + c];
            let at = first + 4u * c * WIDTH + column;
            sum += (x.x * matrix[at] + x.y * matrix[at + WIDTH])
                + (x.z * matrix[at + 2u * WIDTH] + x.w * matrix[at + 3u * WIDTH]);
        }
        finish(sum, row, column);
    }
}
