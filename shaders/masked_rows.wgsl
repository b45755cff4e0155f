// Rows whose mask leaves them no source: the shift of their sums, and the mark of their output.
fn is_masked(shift: f32) -> bool {
    return shift < 0.5 * MASKED_SCORE;
}
