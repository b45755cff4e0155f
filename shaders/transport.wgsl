// W_2^2 on the line between the n tokens of a sorted list and a law of m numbers. The i-th token owns the masses
// [i, i + 1) in units of 1 / n, the j-th number of the law those up to its end, in the same units a whole number and a
// fraction. Merged, the n + m ends cut the masses into pieces of one token and one number each:
//
//     n W_2^2 = sum over pieces of length |v_i - g_j|^2 .
//
// A thread owns STEPS ends of the merged order, wherever they come from: no thread walks long because a law has many more
// numbers than there are tokens, or many less. It finds where to start by bisection. Sums are taken in a fixed order.

struct Transport {
    // Workgroups of this dispatch: [first_group, end_group) of all, ordered (list, chunk).
    first_group: u32,
    end_group: u32,
    chunks: u32,
    // n, and places of a list.
    tokens: u32,
    length: u32,
    // m.
    numbers: u32,
    // Lists are ordered (replica, direction).
    directions: u32,
}

@group(0) @binding(0) var<uniform> params: Transport;
@group(0) @binding(1) var<storage, read> keys: array<u32>;
// Of the law along each direction: its numbers, and their ends with the bits of the fraction.
@group(0) @binding(2) var<storage, read> numbers: array<f32>;
@group(0) @binding(3) var<storage, read> ends: array<vec2<u32>>;
// For each chunk the sum, and how many of its tokens are no finite numbers.
@group(0) @binding(4) var<storage, read_write> costs: array<vec2<f32>>;

alias Part = vec2<f32>;

fn joined(a: Part, b: Part) -> Part {
    return a + b;
}

// Ends of tokens among the first `count` of the merged order; of equal ends that of the token comes first.
fn tokens_before(law: u32, count: u32) -> u32 {
    var first = count - min(count, params.numbers);
    var last = min(count, params.tokens);
    while (first < last) {
        let middle = (first + last) / 2u;
        if (middle + 1u <= ends[law + count - 1u - middle].x) {
            first = middle + 1u;
        } else {
            last = middle;
        }
    }
    return first;
}

@compute @workgroup_size(THREADS)
fn transport(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let list = group / params.chunks;
    let own = list * params.length;
    let law = (list % params.directions) * params.numbers;
    let total = params.tokens + params.numbers;
    let begin = min(((group % params.chunks) * THREADS + thread) * STEPS, total);
    let end = min(begin + STEPS, total);

    var i = tokens_before(law, begin);
    var j = begin - i;
    var start = vec2<u32>(i, 0u);
    if (j > 0u && ends[law + j - 1u].x >= i) {
        start = ends[law + j - 1u];
    }

    var sum = 0.0;
    var lost = 0.0;
    for (var k = begin; k < end; k += 1u) {
        // Behind the last token the ends of numbers without mass may follow, all at n: pieces of no length.
        let key = keys[own + min(i, params.tokens - 1u)];
        let number = law + min(j, params.numbers - 1u);
        var stop = ends[number];
        let ends_token = i < params.tokens && i + 1u <= stop.x;
        if (ends_token) {
            stop = vec2<u32>(i + 1u, 0u);
        }
        // At most one, as a token has no more mass.
        let width = f32(stop.x - start.x) + (bitcast<f32>(stop.y) - bitcast<f32>(start.y));
        if (width > 0.0) {
            let way = number_of(key) - numbers[number];
            sum += width * way * way;
        }
        start = stop;
        if (ends_token) {
            lost += select(0.0, 1.0, key == BEHIND);
            i += 1u;
        } else {
            j += 1u;
        }
    }

    let whole = folded(thread, vec2<f32>(sum, lost));
    if (thread == 0u) {
        costs[group] = whole;
    }
}
