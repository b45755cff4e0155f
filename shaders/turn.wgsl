// Tokens on the sphere turn in the direction of the noise that is in the first rows of `velocities`, by the angle theta with
// sin(theta / 2) = sqrt(share) |sin(rate r / 2)|, r being the length of the tangential part of the noise.

struct Turn {
    rows: u32,
    // Tokens of a replica among the rows, and how many of these lead and stay as they are.
    tokens: u32,
    frozen: u32,
    // rate / 2.
    half_rate: f32,
    // sqrt(share).
    root_share: f32,
}

@group(0) @binding(0) var<uniform> params: Turn;
@group(0) @binding(1) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> velocities: array<vec4<f32>>;

// |sin(a)| for a >= 0, to a unit or two of single precision up to a hundred: drivers owe no more than eleven bits of a sine.
// Multiples of pi are taken off in two pieces, the first of which has nine bits.
fn magnitude_of_sine(a: f32) -> f32 {
    let turns = round(a * 0.3183098861837907);
    let b = (a - turns * 3.140625) - turns * 9.67653589793e-4;
    let y = b * b;
    var sum = 1.0 / 6227020800.0;
    sum = sum * y - 1.0 / 39916800.0;
    sum = sum * y + 1.0 / 362880.0;
    sum = sum * y - 1.0 / 5040.0;
    sum = sum * y + 1.0 / 120.0;
    sum = sum * y - 1.0 / 6.0;
    return abs(b + b * (y * sum));
}

@compute @workgroup_size(THREADS)
fn turn(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let row = flat(workgroup, workgroups) * THREADS + thread;
    if (row >= params.rows || row % params.tokens < params.frozen) {
        return;
    }
    let at = row * WIDTH;
    var radial = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        radial += dot(state[at + c], velocities[at + c]);
    }
    var square = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let tangential = velocities[at + c] - radial * state[at + c];
        square += dot(tangential, tangential);
    }
    let r = sqrt(square);
    let sine = params.root_share * magnitude_of_sine(params.half_rate * r);
    let along = 2.0 * sine * sine;
    // Where there is no direction there is no turn.
    let across = select(2.0 * sine * sqrt(max(1.0 - sine * sine, 0.0)) / r, 0.0, r == 0.0);
    var length = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let moved = turned(at + c, radial, along, across);
        length += dot(moved, moved);
    }
    let scale = 1.0 / sqrt(length);
    for (var c = 0u; c < WIDTH; c += 1u) {
        state[at + c] = scale * turned(at + c, radial, along, across);
    }
}

// One vector of x - along x + across (xi - <x, xi> x).
fn turned(at: u32, radial: f32, along: f32, across: f32) -> vec4<f32> {
    let x = state[at];
    return x + (across * (velocities[at] - radial * x) - along * x);
}
