// Wide tokens times a matrix. A workgroup owns 16 rows and 4 vectors of the output; both operands pass through
// workgroup memory 16 components at a time.

const COLUMNS: u32 = (WIDTH + PROJECT_VECTORS - 1u) / PROJECT_VECTORS;

// [row][vector] and [component][vector].
var<workgroup> input_tile: array<vec4<f32>, THREADS>;
var<workgroup> matrix_tile: array<vec4<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn project_wide(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let row = (group / COLUMNS) * (THREADS / PROJECT_VECTORS) + thread / PROJECT_VECTORS;
    let lane = thread % PROJECT_VECTORS;
    let column = (group % COLUMNS) * PROJECT_VECTORS + lane;
    var sum = vec4<f32>(0.0);
    for (var c = 0u; c < WIDTH; c += PROJECT_VECTORS) {
        workgroupBarrier();
        var input = vec4<f32>(0.0);
        if (row < params.rows && c + lane < WIDTH) {
            input = inputs[row * WIDTH + c + lane];
        }
        input_tile[thread] = input;
        var entry = vec4<f32>(0.0);
        let component = 4u * c + thread / PROJECT_VECTORS;
        if (component < 4u * WIDTH && column < WIDTH) {
            entry = matrix[component * WIDTH + column];
        }
        matrix_tile[thread] = entry;
        workgroupBarrier();
        for (var k = 0u; k < PROJECT_VECTORS; k += 1u) {
            let x = input_tile[(thread / PROJECT_VECTORS) * PROJECT_VECTORS + k];
            let at = 4u * k * PROJECT_VECTORS + lane;
            sum += (x.x * matrix_tile[at] + x.y * matrix_tile[at + PROJECT_VECTORS])
                + (x.z * matrix_tile[at + 2u * PROJECT_VECTORS] + x.w * matrix_tile[at + 3u * PROJECT_VECTORS]);
        }
    }
    if (row < params.rows && column < WIDTH) {
        let at = (params.first_row + row) * WIDTH + column;
        if (params.accumulate == 1u) {
            sum += outputs[at];
        }
        outputs[at] = sum;
    }
}
