// Sums of numbers that overflow, each kept as (shift, sum 2^-shift).

fn merge(a: vec2<f32>, b: vec2<f32>) -> vec2<f32> {
    let shift = max(a.x, b.x);
    return vec2<f32>(shift, exp2(a.x - shift) * a.y + exp2(b.x - shift) * b.y);
}
