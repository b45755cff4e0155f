// Keys in workgroup memory, and the sums over them of a thread that owns QUERIES queries. A kernel that includes this file fills
// the tiles, TILES of them side by side, with barriers before and after.

alias Token = array<vec4<f32>, WIDTH>;
alias Tokens = array<Token, QUERIES>;

struct Sum {
    shift: f32,
    z: f32,
    m: Token,
}

// The queries of a thread, and its tile.
struct Place {
    // Its first query, and the distance to each of its next.
    query: u32,
    stride: u32,
    // The key that the tile starts with, and where in `tile` that is: multiples of four.
    first: u32,
    at: u32,
}

var<workgroup> tile: array<vec4<f32>, TILES * TILE * WIDTH>;
var<workgroup> tile_bias: array<vec4<f32>, TILES * TILE / 4u>;

// How far a score may rise above a running shift before the sums are rescaled: 2^32 times a tile stays finite.
const HEADROOM: f32 = 32.0;

// <a, b> over the components of vector c of a token; the padding is not read, so it costs nothing.
fn lanes_dot(a: vec4<f32>, b: vec4<f32>, c: u32) -> f32 {
    if (D % 4u == 0u || c + 1u < WIDTH) {
        return dot(a, b);
    }
    if (D % 4u == 1u) {
        return a.x * b.x;
    }
    if (D % 4u == 2u) {
        return dot(a.xy, b.xy);
    }
    return dot(a.xyz, b.xyz);
}

// Vector c of a token with its padding cleared; this also tells the compiler that the padding is dead.
fn trim(a: vec4<f32>, c: u32) -> vec4<f32> {
    if (D % 4u == 0u || c + 1u < WIDTH) {
        return a;
    }
    if (D % 4u == 1u) {
        return vec4<f32>(a.x, 0.0, 0.0, 0.0);
    }
    if (D % 4u == 2u) {
        return vec4<f32>(a.xy, 0.0, 0.0);
    }
    return vec4<f32>(a.xyz, 0.0);
}

// Adds the first `count` keys of a tile, a multiple of four unless the rest have MASKED_SCORE, to the sums of all queries.
fn add_tile(
    u: ptr<function, Tokens>,
    sum: ptr<function, array<Sum, QUERIES>>,
    place: Place,
    count: u32,
) {
    for (var k = 0u; k < count; k += 4u) {
        // Four keys are read once for all queries of the thread.
        let key_bias = tile_bias[(place.at + k) / 4u];
        var y: array<Token, 4> = array<Token, 4>();
        for (var j = 0u; j < 4u; j += 1u) {
            for (var c = 0u; c < WIDTH; c += 1u) {
                y[j][c] = tile[(place.at + k + j) * WIDTH + c];
            }
        }
        for (var q = 0u; q < QUERIES; q += 1u) {
            var score = key_bias;
            for (var c = 0u; c < WIDTH; c += 1u) {
                let a = (*u)[q][c];
                score += vec4<f32>(
                    lanes_dot(a, y[0][c], c),
                    lanes_dot(a, y[1][c], c),
                    lanes_dot(a, y[2][c], c),
                    lanes_dot(a, y[3][c], c),
                );
            }
            if (MASKED) {
                let key = place.first + k;
                let end = visible(place.query + q * place.stride);
                var attended = vec4<u32>(key, key + 1u, key + 2u, key + 3u) < vec4<u32>(end);
                if (CHOSEN) {
                    let i = place.query + q * place.stride;
                    attended = attended & vec4<bool>(attends(i, key), attends(i, key + 1u), attends(i, key + 2u), attends(i, key + 3u));
                }
                score = select(vec4<f32>(MASKED_SCORE), score, attended);
            }
            if (!FIXED_SHIFT) {
                let highest = max(max(score.x, score.y), max(score.z, score.w));
                if (highest > (*sum)[q].shift + HEADROOM) {
                    let shift = ceil(highest);
                    let fall = exp2((*sum)[q].shift - shift);
                    (*sum)[q].shift = shift;
                    (*sum)[q].z *= fall;
                    for (var c = 0u; c < WIDTH; c += 1u) {
                        (*sum)[q].m[c] *= fall;
                    }
                }
                score -= (*sum)[q].shift;
            }
            let p = exp2(score);
            (*sum)[q].z += (p.x + p.y) + (p.z + p.w);
            for (var c = 0u; c < WIDTH; c += 1u) {
                (*sum)[q].m[c] += (p.x * y[0][c] + p.y * y[1][c]) + (p.z * y[2][c] + p.w * y[3][c]);
            }
        }
    }
}
