// The shift of a query that hears nobody, and the mark of its output.
fn is_silent(shift: f32) -> bool {
    return shift < 0.5 * SILENT;
}
