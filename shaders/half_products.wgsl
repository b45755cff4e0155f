// The two products of a tile, in matrices of f16 that are summed in f32. The entries of such a matrix cannot be
// read in registers: they pass through workgroup memory.

// A little longer than a row of queries, so that columns start in different banks.
const SCORE_STRIDE: u32 = WIDE_QUERIES + 4u;
const WEIGHT_STRIDE: u32 = WIDE_QUERIES + 8u;

// In turn: scores [key][query], and the sums of a chunk [column][query].
var<workgroup> scores: array<f32, TILE * SCORE_STRIDE>;
// Weights: [key][query].
var<workgroup> weight: array<f16, TILE * WEIGHT_STRIDE>;

alias Values = array<Sums, SLOTS * VALUE_BLOCKS>;

// Leaves the products of all queries with the keys of a tile in `scores`.
fn multiply_keys(thread: u32, team: Team, q: ptr<function, Queries>, place: Place, first_key: u32) {
    var s: array<Sums, SLOTS * TILE_BLOCKS> = array<Sums, SLOTS * TILE_BLOCKS>();
    for (var panel = 0u; panel < PANELS; panel += 1u) {
        if (PANELS > 1u) {
            load_queries(thread, team, q, place, panel);
        }
        load_keys(thread, place, first_key, panel);
        for (var slot = 0u; slot < SLOTS; slot += 1u) {
            if (slot * team.subgroups + team.subgroup >= STRIPS) {
                break;
            }
            for (var b = 0u; b < PANEL_BLOCKS; b += 1u) {
                for (var k = 0u; k < TILE_BLOCKS; k += 1u) {
                    let y = coopLoad<Right>(&operand[k * MATRIX * OPERAND_STRIDE + b * MATRIX], OPERAND_STRIDE);
                    let at = slot * TILE_BLOCKS + k;
                    s[at] = coopMultiplyAdd((*q)[slot * PANEL_BLOCKS + b], y, s[at]);
                }
            }
        }
    }
    for (var slot = 0u; slot < SLOTS; slot += 1u) {
        let strip = slot * team.subgroups + team.subgroup;
        if (strip >= STRIPS) {
            break;
        }
        for (var k = 0u; k < TILE_BLOCKS; k += 1u) {
            coopStore(s[slot * TILE_BLOCKS + k], &scores[k * MATRIX * SCORE_STRIDE + strip * MATRIX], SCORE_STRIDE);
        }
    }
    workgroupBarrier();
}

// Adds weights times values to M.
fn multiply_values(thread: u32, team: Team, m: ptr<function, Values>, place: Place, first_key: u32) {
    for (var first = 0u; first < VALUE_BLOCKS; first += BAND_BLOCKS) {
        // Its barriers also separate the writing of weights from their reading.
        load_values(thread, place, first_key, first);
        for (var slot = 0u; slot < SLOTS; slot += 1u) {
            let strip = slot * team.subgroups + team.subgroup;
            if (strip >= STRIPS) {
                break;
            }
            for (var k = 0u; k < TILE_BLOCKS; k += 1u) {
                let p = coopLoad<Left>(&weight[k * MATRIX * WEIGHT_STRIDE + strip * MATRIX], WEIGHT_STRIDE);
                for (var c = first; c < min(first + BAND_BLOCKS, VALUE_BLOCKS); c += 1u) {
                    let at = k * MATRIX * OPERAND_STRIDE + (c - first) * MATRIX;
                    let y = coopLoadT<Right>(&operand[at], OPERAND_STRIDE);
                    (*m)[slot * VALUE_BLOCKS + c] = coopMultiplyAdd(p, y, (*m)[slot * VALUE_BLOCKS + c]);
                }
            }
        }
    }
}
