// The noise of every token: intensity times standard normal numbers, drawn for the token or uploaded for its replica.
//
// Own numbers are those of `random::normals`: vector c of a token comes from the four words of Philox4x32-10 at the counter
// (step, replica, token, purpose + 256 c), by the method of Box and Muller. Logarithm, sine and cosine are computed here, because
// the language promises no more than eleven bits of them.

struct Fluctuate {
    rows: u32,
    // The row of `velocities` at which this stage starts.
    first_row: u32,
    // Tokens of one replica in the segment, and the first of them.
    tokens: u32,
    first_token: u32,
    first_replica: u32,
    step: u32,
    key_0: u32,
    key_1: u32,
    purpose: u32,
    // One if `draws` holds the numbers of every replica.
    is_common: u32,
    intensity: f32,
}

@group(0) @binding(0) var<uniform> params: Fluctuate;
@group(0) @binding(1) var<storage, read> draws: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> velocities: array<vec4<f32>>;

// The high and the low word of a product, from halves.
fn product(a: u32, b: u32) -> vec2<u32> {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let middle = a1 * b0 + ((a0 * b0) >> 16u);
    let carried = a0 * b1 + (middle & 0xffffu);
    return vec2<u32>(a1 * b1 + (middle >> 16u) + (carried >> 16u), a * b);
}

fn philox(start: vec4<u32>) -> vec4<u32> {
    var counter = start;
    var key = vec2<u32>(params.key_0, params.key_1);
    for (var round = 0u; round < 10u; round += 1u) {
        let p = product(0xD2511F53u, counter.x);
        let q = product(0xCD9E8D57u, counter.z);
        counter = vec4<u32>(q.x ^ counter.y ^ key.x, q.y, p.x ^ counter.w ^ key.y, p.y);
        key += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
    }
    return counter;
}

// -ln((word + 1/2) / 2^32).
fn depth(word: u32) -> f32 {
    if (word >= 0x80000000u) {
        // -ln(1 - v) = 2 artanh(v / (2 - v)), v at most one half.
        let v = (f32(~word) + 0.5) * 2.3283064365386963e-10;
        let s = v / (2.0 - v);
        let y = s * s;
        var sum = 1.0 / 15.0;
        sum = sum * y + 1.0 / 13.0;
        sum = sum * y + 1.0 / 11.0;
        sum = sum * y + 1.0 / 9.0;
        sum = sum * y + 1.0 / 7.0;
        sum = sum * y + 1.0 / 5.0;
        sum = sum * y + 1.0 / 3.0;
        sum = sum * y + 1.0;
        return 2.0 * s * sum;
    }
    return 22.18070977791825 - log(f32(word) + 0.5);
}

// (cos, sin) of 2 pi (word + 1/2) / 2^32: of the angle to the middle of its quadrant, which is turned there.
fn circle(word: u32) -> vec2<f32> {
    let a = ((f32(word & 0x3fffffffu) + 0.5) * 9.313225746154785e-10 - 0.5) * 1.5707963267948966;
    let y = a * a;
    let sine = a * (1.0 + y * (-1.0 / 6.0 + y * (1.0 / 120.0 + y * (-1.0 / 5040.0 + y / 362880.0))));
    let cosine = 1.0 + y * (-0.5 + y * (1.0 / 24.0 + y * (-1.0 / 720.0 + y * (1.0 / 40320.0 - y / 3628800.0))));
    let p = 0.7071067811865476 * vec2<f32>(cosine - sine, cosine + sine);
    switch word >> 30u {
        case 0u: {
            return p;
        }
        case 1u: {
            return vec2<f32>(-p.y, p.x);
        }
        case 2u: {
            return -p;
        }
        default: {
            return vec2<f32>(p.y, -p.x);
        }
    }
}

fn normals(words: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(
        sqrt(2.0 * depth(words.x)) * circle(words.y),
        sqrt(2.0 * depth(words.z)) * circle(words.w),
    );
}

@compute @workgroup_size(THREADS)
fn fluctuate(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows) {
        return;
    }
    let replica = params.first_replica + row / params.tokens;
    let token = params.first_token + row % params.tokens;
    for (var c = 0u; c < WIDTH; c += 1u) {
        var numbers = vec4<f32>(0.0);
        if (params.is_common == 1u) {
            numbers = draws[replica * WIDTH + c];
        } else {
            numbers = normals(philox(vec4<u32>(params.step, replica, token, params.purpose + (c << 8u))));
        }
        let is_component = vec4<u32>(4u * c, 4u * c + 1u, 4u * c + 2u, 4u * c + 3u) < vec4<u32>(D);
        let own = select(vec4<f32>(0.0), numbers, is_component);
        velocities[(params.first_row + row) * WIDTH + c] = params.intensity * own;
    }
}
