// Many steps of the scheme at once, for replicas so small that a workgroup keeps TILES of them whole. A thread owns
// QUERIES tokens of one replica: their state, the velocities of their stages and their sums stay in its registers. The
// point at which the field is evaluated lies in workgroup memory, where all threads of the replica read it.
//
// Nothing but that point passes between threads, so two barriers a stage are enough, whatever the number of heads.
// All threads of a workgroup reach all of them, because steps, stages and heads are the same for all.

struct Advance {
    // Workgroups of this dispatch: [first_group, end_group) of all that hold the replicas of the segment.
    first_group: u32,
    end_group: u32,
    // Replicas of the segment, and where they start among those of all segments.
    replicas: u32,
    first_replica: u32,
    // Tokens and sources of one replica.
    count: u32,
    sources: u32,
    steps: u32,
    heads: u32,
    // One for M / Z, zero for M 2^shift.
    softmax: u32,
    // One for the field projected to the tangent space of the sphere.
    tangent: u32,
    // Query i attends to the first i + reach sources, to none if that is negative.
    reach: i32,
    // A fixed shift is that of the largest score, `peak` times the scale of the replica.
    peak: f32,
    // The tableau times the step: row s makes the point that follows stage s, and the last row the next state.
    rows: array<vec4<f32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Advance;
@group(0) @binding(1) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weights: array<vec2<f32>>;
// For each replica, beta to base two: what <x, A y> is multiplied by.
@group(0) @binding(3) var<storage, read> scales: array<f32>;
// For each head (c, v, 1 if A is general, 1 if V is), where A = c I and V = v I if they are not, and v holds the unit of
// the weights in any case; then A and the transpose of V, with rows padded like tokens.
@group(0) @binding(4) var<storage, read> heads: array<vec4<f32>>;

// Threads of one replica.
const LANES: u32 = THREADS / TILES;
const MATRIX: u32 = 4u * WIDTH * WIDTH;
const HEAD: u32 = 1u + 2u * MATRIX;

// sum_l x_l matrix_l, with the row matrix_l of the matrix that starts at `at` in `heads`.
fn times(x: Token, at: u32) -> Token {
    var input = x;
    var product: Token = Token();
    for (var column = 0u; column < WIDTH; column += 1u) {
        var sum = vec4<f32>(0.0);
        for (var c = 0u; c < WIDTH; c += 1u) {
            let y = input[c];
            let row = at + 4u * c * WIDTH + column;
            sum += (y.x * heads[row] + y.y * heads[row + WIDTH])
                + (y.z * heads[row + 2u * WIDTH] + y.w * heads[row + 3u * WIDTH]);
        }
        product[column] = sum;
    }
    return product;
}

// Replicas under a window are not moved by this kernel.
fn attends(query: u32, key: u32) -> bool {
    return true;
}

// The query of a token under the head at `at`: scores are products of it with keys, to base two.
fn query(x: Token, at: u32, scale: f32) -> Token {
    var u = x;
    var factor = scale;
    if (GENERAL && heads[at].z == 1.0) {
        u = times(x, at + 1u);
    } else {
        factor *= heads[at].x;
    }
    for (var c = 0u; c < WIDTH; c += 1u) {
        u[c] *= factor;
    }
    return u;
}

// The attention output of the head at `at`, from the sums of a query.
fn output(sum: Sum, at: u32) -> Token {
    let divided = heads[at].y * select(exp2(sum.shift), 1.0 / sum.z, params.softmax == 1u);
    // A query without a visible source has no output.
    let scale = select(divided, 0.0, is_masked(sum.shift));
    var m = sum.m;
    for (var c = 0u; c < WIDTH; c += 1u) {
        m[c] = scale * trim(m[c], c);
    }
    if (GENERAL && heads[at].w == 1.0) {
        return times(m, at + 1u + MATRIX);
    }
    return m;
}

// The field at the points of a thread, from the keys in its tile.
fn field(points: ptr<function, Tokens>, place: Place, scale: f32) -> Tokens {
    var total: Tokens = Tokens();
    for (var head = 0u; head < params.heads; head += 1u) {
        let at = head * HEAD;
        var u: Tokens = Tokens();
        var sum: array<Sum, QUERIES> = array<Sum, QUERIES>();
        for (var q = 0u; q < QUERIES; q += 1u) {
            u[q] = query((*points)[q], at, scale);
            sum[q].shift = select(MASKED_SCORE, ceil(scale * params.peak), FIXED_SHIFT);
        }
        add_tile(&u, &sum, place, visible(place.query + (QUERIES - 1u) * place.stride));
        for (var q = 0u; q < QUERIES; q += 1u) {
            var o = output(sum[q], at);
            for (var c = 0u; c < WIDTH; c += 1u) {
                total[q][c] += o[c];
            }
        }
    }
    if (params.tangent == 1u) {
        for (var q = 0u; q < QUERIES; q += 1u) {
            var radial = 0.0;
            for (var c = 0u; c < WIDTH; c += 1u) {
                radial += dot((*points)[q][c], total[q][c]);
            }
            for (var c = 0u; c < WIDTH; c += 1u) {
                total[q][c] -= radial * (*points)[q][c];
            }
        }
    }
    return total;
}

// y / |y|, with components squared in units of the largest, so that a long vector has a length too.
fn retracted(y: Token) -> Token {
    var x = y;
    var largest = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        let size = abs(x[c]);
        largest = max(largest, max(max(size.x, size.y), max(size.z, size.w)));
    }
    var square = 0.0;
    for (var c = 0u; c < WIDTH; c += 1u) {
        x[c] /= largest;
        square += dot(x[c], x[c]);
    }
    let norm = sqrt(square);
    for (var c = 0u; c < WIDTH; c += 1u) {
        x[c] /= norm;
    }
    return x;
}

// Writes a thread's points into its tile, as far as they are sources. Each is written by one thread.
fn write_keys(points: ptr<function, Tokens>, place: Place) {
    for (var q = 0u; q < QUERIES; q += 1u) {
        let token = place.query + q * place.stride;
        if (token < params.sources) {
            for (var c = 0u; c < WIDTH; c += 1u) {
                tile[(place.at + token) * WIDTH + c] = (*points)[q][c];
            }
        }
    }
}

// Writes what stays in a tile from step to step: the addends of scores, and masked keys where it is not full.
fn write_rest(place: Place, base: u32, alive: bool, shift: f32) {
    for (var key = params.sources + place.query; key < TILE; key += LANES) {
        for (var c = 0u; c < WIDTH; c += 1u) {
            tile[(place.at + key) * WIDTH + c] = vec4<f32>(0.0);
        }
    }
    for (var first = 4u * place.query; first < TILE; first += 4u * LANES) {
        var bias = vec4<f32>(MASKED_SCORE);
        for (var j = 0u; j < 4u; j += 1u) {
            if (alive && first + j < params.sources) {
                bias[j] = weights[base + first + j].y - shift;
            }
        }
        tile_bias[(place.at + first) / 4u] = bias;
    }
}

@compute @workgroup_size(THREADS)
fn advance(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    // Written like this so that a compiler knows that all threads read the same keys.
    var tile_index = 0u;
    if (TILES > 1u) {
        tile_index = thread / LANES;
    }
    let place = Place(thread - tile_index * LANES, LANES, 0u, tile_index * TILE);
    // Beyond the last replica, and beyond its last token, threads move a token of their own that is the source of no query.
    let replica = group * TILES + tile_index;
    let alive = replica < params.replicas;
    let base = replica * params.count;
    var scale = 0.0;
    if (alive) {
        scale = scales[params.first_replica + replica];
    }
    var start: Tokens = Tokens();
    for (var q = 0u; q < QUERIES; q += 1u) {
        let token = place.query + q * LANES;
        start[q][0] = vec4<f32>(1.0, 0.0, 0.0, 0.0);
        if (alive && token < params.count) {
            for (var c = 0u; c < WIDTH; c += 1u) {
                start[q][c] = state[(base + token) * WIDTH + c];
            }
        }
    }
    var point = start;
    write_keys(&point, place);
    write_rest(place, base, alive, select(0.0, ceil(scale * params.peak), FIXED_SHIFT));
    // The tile must be whole before anyone reads it.
    workgroupBarrier();

    var velocities: array<Tokens, STAGES> = array<Tokens, STAGES>();
    for (var step = 0u; step < params.steps; step += 1u) {
        for (var s = 0u; s < STAGES; s += 1u) {
            velocities[s] = field(&point, place, scale);
            for (var q = 0u; q < QUERIES; q += 1u) {
                var moved = start[q];
                for (var c = 0u; c < WIDTH; c += 1u) {
                    var increment = vec4<f32>(0.0);
                    for (var r = 0u; r <= s; r += 1u) {
                        increment += params.rows[s][r] * velocities[r][q][c];
                    }
                    moved[c] += increment;
                }
                point[q] = retracted(moved);
            }
            // The last reader of the old point must be done before it is overwritten,
            workgroupBarrier();
            write_keys(&point, place);
            // and the new one must be whole before anyone reads it.
            workgroupBarrier();
        }
        start = point;
    }

    for (var q = 0u; q < QUERIES; q += 1u) {
        let token = place.query + q * LANES;
        if (alive && token < params.count) {
            for (var c = 0u; c < WIDTH; c += 1u) {
                state[(base + token) * WIDTH + c] = start[q][c];
            }
        }
    }
}
