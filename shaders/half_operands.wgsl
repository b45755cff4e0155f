// Operands in half precision. A workgroup owns WIDE_QUERIES queries, in strips of MATRIX, and walks over the keys, TILE at a
// time. A subgroup owns every strip whose number is its own modulo that of subgroups, so that nothing here depends on how
// large subgroups are, but for SLOTS: the strips of a subgroup where they are as large as they may be.
//
// Queries of up to PANEL columns stay in matrices; wider ones are loaded again for every tile. What lies beyond a token is zero,
// and what lies beyond the last row repeats it and is masked.

@group(0) @binding(5) var<storage, read> values: array<vec4<f32>>;

const STRIPS: u32 = WIDE_QUERIES / MATRIX;
const SLOTS: u32 = (STRIPS * LANES + THREADS - 1u) / THREADS;
const TILE_BLOCKS: u32 = TILE / MATRIX;
// Matrices along a query, a panel of queries, and a value.
const INNER_BLOCKS: u32 = (4u * INNER + MATRIX - 1u) / MATRIX;
const PANEL_BLOCKS: u32 = min(INNER_BLOCKS, PANEL / MATRIX);
const PANELS: u32 = (INNER_BLOCKS + PANEL_BLOCKS - 1u) / PANEL_BLOCKS;
const VALUE_BLOCKS: u32 = (4u * WIDTH + MATRIX - 1u) / MATRIX;
// A row of a tile, a little longer than a panel so that its columns start in different banks.
const OPERAND_STRIDE: u32 = PANEL + 8u;

// In turn: half of the queries, keys, values. [row][column].
var<workgroup> operand: array<f16, TILE * OPERAND_STRIDE>;

alias Queries = array<Left, SLOTS * PANEL_BLOCKS>;

// The subgroup of a thread, and how many there are.
struct Team {
    subgroup: u32,
    subgroups: u32,
}

// Writes vector k of a tile whose rows have `vectors` vectors.
fn put(k: u32, vectors: u32, value: vec4<f32>) {
    let at = (k / vectors) * OPERAND_STRIDE + 4u * (k % vectors);
    operand[at] = f16(value.x);
    operand[at + 1u] = f16(value.y);
    operand[at + 2u] = f16(value.z);
    operand[at + 3u] = f16(value.w);
}

const PANEL_VECTORS: u32 = PANEL_BLOCKS * MATRIX / 4u;

// Takes a panel of the queries of all strips of a subgroup into matrices.
fn load_queries(thread: u32, team: Team, q: ptr<function, Queries>, place: Place, panel: u32) {
    for (var first = 0u; first < WIDE_QUERIES; first += TILE) {
        // The last reader of what the tile holds must be done before it is overwritten.
        workgroupBarrier();
        for (var k = thread; k < TILE * PANEL_VECTORS; k += THREADS) {
            let c = panel * PANEL_VECTORS + k % PANEL_VECTORS;
            let member = min(place.first_query + first + k / PANEL_VECTORS, params.queries - 1u);
            var value = vec4<f32>(0.0);
            if (c < INNER) {
                value = queries[(place.query_base + member) * INNER + c];
            }
            put(k, PANEL_VECTORS, value);
        }
        // And the tile must be whole before anyone reads it.
        workgroupBarrier();
        for (var slot = 0u; slot < SLOTS; slot += 1u) {
            let strip = slot * team.subgroups + team.subgroup;
            let row = strip * MATRIX;
            // The condition is the same for all threads of a subgroup.
            if (row < first || row >= min(first + TILE, WIDE_QUERIES)) {
                continue;
            }
            for (var b = 0u; b < PANEL_BLOCKS; b += 1u) {
                let at = (row - first) * OPERAND_STRIDE + b * MATRIX;
                (*q)[slot * PANEL_BLOCKS + b] = coopLoadT<Left>(&operand[at], OPERAND_STRIDE);
            }
        }
    }
}

// Takes a panel of the keys of a tile into workgroup memory.
fn load_keys(thread: u32, place: Place, first_key: u32, panel: u32) {
    workgroupBarrier();
    for (var k = thread; k < TILE * PANEL_VECTORS; k += THREADS) {
        let c = panel * PANEL_VECTORS + k % PANEL_VECTORS;
        let row = place.key_base + min(first_key + k / PANEL_VECTORS, params.sources - 1u);
        var value = vec4<f32>(0.0);
        if (c < INNER) {
            value = keys[row * INNER + c];
        }
        put(k, PANEL_VECTORS, value);
    }
    workgroupBarrier();
}

const BAND_BLOCKS: u32 = min(VALUE_BLOCKS, PANEL / MATRIX);
const BAND_VECTORS: u32 = BAND_BLOCKS * MATRIX / 4u;

// Takes the values of a tile, from matrix `block` on, into workgroup memory.
fn load_values(thread: u32, place: Place, first_key: u32, block: u32) {
    workgroupBarrier();
    for (var k = thread; k < TILE * BAND_VECTORS; k += THREADS) {
        let c = block * MATRIX / 4u + k % BAND_VECTORS;
        let row = place.key_base + min(first_key + k / BAND_VECTORS, params.sources - 1u);
        var value = vec4<f32>(0.0);
        if (c < WIDTH) {
            value = values[row * WIDTH + c];
        }
        put(k, BAND_VECTORS, value);
    }
    workgroupBarrier();
}
