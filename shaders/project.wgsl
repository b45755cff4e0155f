// What both products of tokens with a matrix read and write: output_i = sum_l input_il matrix_l, with the rows of the
// matrix padded like tokens.

struct Project {
    // Workgroups of this dispatch: [first_group, end_group) of all that cover the rows.
    first_group: u32,
    end_group: u32,
    rows: u32,
    // The row of `outputs` at which to write.
    first_row: u32,
    // One if outputs are added to, not overwritten.
    accumulate: u32,
}

@group(0) @binding(0) var<uniform> params: Project;
@group(0) @binding(1) var<storage, read> inputs: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> matrix: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> outputs: array<vec4<f32>>;
