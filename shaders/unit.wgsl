// Directions of tokens of any length, for recurrences that would multiply the rounding error of a length of one.

const LOST: f32 = 1e30;

// x / |x|, and the factor that makes its length exactly one, less one: about 1e-7. Only three components are used.
struct Direction {
    x: vec3<f32>,
    excess: f32,
    // False in the origin.
    is_one: bool,
}

// The leading twelve bits of every component, whose squares are exact.
fn leading(x: vec3<f32>) -> vec3<f32> {
    return bitcast<vec3<f32>>(bitcast<vec3<u32>>(x) & vec3<u32>(0xfffff000u));
}

fn direction_of(token: vec3<f32>) -> Direction {
    let magnitudes = abs(token);
    // Squares of the longest and the shortest tokens would leave single precision, so they are taken of shares.
    let largest = max(magnitudes.x, max(magnitudes.y, magnitudes.z));
    if (!(largest > 0.0)) {
        return Direction(vec3<f32>(1.0, 0.0, 0.0), 0.0, false);
    }
    let share = token / largest;
    let x = share / sqrt(dot(share, share));
    let high = leading(x);
    let low = x - high;
    var rest = 1.0 - high.z * high.z;
    rest -= high.y * high.y;
    rest -= high.x * high.x;
    rest -= dot(2.0 * high + low, low);
    return Direction(x, 0.5 * rest, true);
}

// The weight of a token; where it has one but no direction, a number larger than all weights together.
fn weight_or_lost(weight: vec2<f32>, is_one: bool) -> vec2<f32> {
    return select(weight, vec2<f32>(LOST, 0.0), weight.x > 0.0 && !is_one);
}
