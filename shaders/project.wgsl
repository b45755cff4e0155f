// The parameters and buffers of both products of rows with a matrix: output_i = sigma(sum_l input_il matrix_l + bias). An input has
// INNER vectors and an output WIDTH; the matrix has 4 INNER rows, padded like outputs, and the bias as one more.

struct Project {
    // Workgroups of this dispatch: [first_group, end_group) of all that cover the rows.
    first_group: u32,
    end_group: u32,
    rows: u32,
    // The rows of `inputs` and `outputs` at which to start.
    first_input: u32,
    first_output: u32,
    // One if outputs are added to, not overwritten.
    accumulate: u32,
    activation: u32,
    // One if inputs of queries without a visible source are marked: these have no output, not even the bias.
    marked: u32,
    // How many matrices there are; where more than one, rows are those of replicas, which have `tokens` each, and replicas have matrices
    // in turn.
    matrices: u32,
    tokens: u32,
    first_replica: u32,
    reserved: u32,
}

@group(0) @binding(0) var<uniform> params: Project;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> matrix: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> outputs: array<vec4<f32>>;

// Where the matrix of a row begins.
fn matrix_of(row: u32) -> u32 {
    if (params.matrices == 1u) {
        return 0u;
    }
    let replica = params.first_replica + row / params.tokens;
    return (replica % params.matrices) * (4u * INNER + 1u) * WIDTH;
}

// Writes vector `column` of the output of a row, given the product.
fn finish(product: vec4<f32>, row: u32, column: u32) {
    let bias = matrix[matrix_of(row) + 4u * INNER * WIDTH + column];
    var output = activated(product + bias, params.activation);
    if (params.marked == 1u && is_masked(inputs[(params.first_input + row) * INNER].x)) {
        output = vec4<f32>(0.0);
    }
    let at = (params.first_output + row) * WIDTH + column;
    if (params.accumulate == 1u) {
        output += outputs[at];
    }
    outputs[at] = output;
}
