// The rating of a source is its score with its log-weight.
fn rated(score: vec4<f32>, row: u32) -> vec4<f32> {
    return score + weights[row].y;
}
