// Sums of numbers that overflow, each kept as (shift, sum 2^-shift).

alias Part = vec2<f32>;

fn joined(a: Part, b: Part) -> Part {
    let shift = max(a.x, b.x);
    return Part(shift, exp2(a.x - shift) * a.y + exp2(b.x - shift) * b.y);
}
