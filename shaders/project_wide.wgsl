// Rows times a wide matrix. A workgroup owns PROJECT_ROWS rows and PROJECT_VECTORS vectors of the output, and a thread four
// rows and one vector of them; both operands pass through workgroup memory SLAB vectors of the input at a time.

const COLUMNS: u32 = (WIDTH + PROJECT_VECTORS - 1u) / PROJECT_VECTORS;
const SLAB: u32 = 4u;
// Rows of a thread.
const OWN: u32 = PROJECT_ROWS * PROJECT_VECTORS / THREADS;

// [row][vector] and [component][vector].
var<workgroup> input_tile: array<vec4<f32>, PROJECT_ROWS * SLAB>;
var<workgroup> matrix_tile: array<vec4<f32>, 4u * SLAB * PROJECT_VECTORS>;

// Copies vectors [c, c + SLAB) of the rows, and the rows of the matrix that they meet; beyond the edges there are zeros.
fn load_slab(thread: u32, first_row: u32, first_column: u32, c: u32) {
    // The last reader of the previous slab must be done before it is overwritten.
    workgroupBarrier();
    for (var k = thread; k < PROJECT_ROWS * SLAB; k += THREADS) {
        let row = first_row + k / SLAB;
        var input = vec4<f32>(0.0);
        if (row < params.rows && c + k % SLAB < INNER) {
            input = inputs[(params.first_input + row) * INNER + c + k % SLAB];
        }
        input_tile[k] = input;
    }
    for (var k = thread; k < 4u * SLAB * PROJECT_VECTORS; k += THREADS) {
        let component = 4u * c + k / PROJECT_VECTORS;
        let column = first_column + k % PROJECT_VECTORS;
        var entry = vec4<f32>(0.0);
        if (component < 4u * INNER && column < WIDTH) {
            entry = matrix[component * WIDTH + column];
        }
        matrix_tile[k] = entry;
    }
    // And the slab must be whole before anyone reads it.
    workgroupBarrier();
}

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
    let first_row = (group / COLUMNS) * PROJECT_ROWS;
    let first_column = (group % COLUMNS) * PROJECT_VECTORS;
    let own = (thread / PROJECT_VECTORS) * OWN;
    let lane = thread % PROJECT_VECTORS;
    var sum: array<vec4<f32>, OWN> = array<vec4<f32>, OWN>();
    for (var c = 0u; c < INNER; c += SLAB) {
        load_slab(thread, first_row, first_column, c);
        for (var k = 0u; k < SLAB; k += 1u) {
            let at = 4u * k * PROJECT_VECTORS + lane;
            let rows = mat4x4<f32>(
                matrix_tile[at],
                matrix_tile[at + PROJECT_VECTORS],
                matrix_tile[at + 2u * PROJECT_VECTORS],
                matrix_tile[at + 3u * PROJECT_VECTORS],
            );
            for (var r = 0u; r < OWN; r += 1u) {
                sum[r] += rows * input_tile[(own + r) * SLAB + k];
            }
        }
    }
    for (var r = 0u; r < OWN; r += 1u) {
        let row = first_row + own + r;
        if (row < params.rows && first_column + lane < WIDTH) {
            finish(sum[r], row, first_column + lane);
        }
    }
}
