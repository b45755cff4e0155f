// Squares of lengths that leave single precision.

// |v|^2 of a row as (shift, |v|^2 2^-shift), the shift being even, or MASKED_SCORE where v = 0. The vectors of v are those of
// `vector_of`, which a kernel that includes this file defines.
fn square(row: u32) -> vec2<f32> {
    var largest = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let magnitudes = abs(vector_of(row, c));
        largest = max(largest, max(max(magnitudes.x, magnitudes.y), max(magnitudes.z, magnitudes.w)));
    }
    if (largest <= 0.0) {
        return vec2<f32>(MASKED_SCORE, 0.0);
    }
    let exponent = i32(clamp(floor(log2(largest)), -126.0, 126.0));
    var sum = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let v = ldexp(vector_of(row, c), vec4<i32>(-exponent));
        sum += dot(v, v);
    }
    return vec2<f32>(2.0 * f32(exponent), sum);
}
