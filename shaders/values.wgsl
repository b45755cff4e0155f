// Weights times values: M, over bands of BAND vectors.

@group(0) @binding(5) var<storage, read> values: array<vec4<f32>>;

// Vectors of the values that a thread owns in a band, and those of a whole band. Narrower tokens have narrower bands,
// so that few threads work on padding.
const COLUMNS: u32 = min((WIDTH + PARTS - 1u) / PARTS, 4u);
const BAND: u32 = COLUMNS * PARTS;
const BANDS: u32 = (WIDTH + BAND - 1u) / BAND;
// Keys of a band that are in workgroup memory at a time.
const BAND_KEYS: u32 = 8u;

// Copies vectors [c, c + BAND) of the values of BAND_KEYS keys into scratch: [key][vector].
fn load_band(thread: u32, place: Place, first_key: u32, c: u32) {
    workgroupBarrier();
    for (var k = thread; k < BAND_KEYS * BAND; k += THREADS) {
        let lane = k % BAND;
        var value = vec4<f32>(0.0);
        if (c + lane < WIDTH) {
            let row = place.key_base + min(first_key + k / BAND, params.sources - 1u);
            value = values[row * WIDTH + c + lane];
        }
        scratch[k] = value;
    }
    workgroupBarrier();
}

// M of a thread: [band][column][query].
alias Values = array<vec4<f32>, BANDS * COLUMNS * 4u>;

// Adds weights times values to M.
fn add_values(thread: u32, m: ptr<function, Values>, place: Place, first_key: u32) {
    let quad = thread / PARTS;
    let part = thread % PARTS;
    for (var band = 0u; band < BANDS; band += 1u) {
        var sum: array<vec4<f32>, COLUMNS * 4u> = array<vec4<f32>, COLUMNS * 4u>();
        for (var first = 0u; first < TILE; first += BAND_KEYS) {
            load_band(thread, place, first_key + first, band * BAND);
            for (var k = 0u; k < BAND_KEYS; k += 1u) {
                let p = weight[(first + k) * QUADS + quad];
                for (var column = 0u; column < COLUMNS; column += 1u) {
                    let y = scratch[k * BAND + column * PARTS + part];
                    sum[4u * column] += p.x * y;
                    sum[4u * column + 1u] += p.y * y;
                    sum[4u * column + 2u] += p.z * y;
                    sum[4u * column + 3u] += p.w * y;
                }
            }
        }
        let fall = quad_fall[quad];
        for (var column = 0u; column < COLUMNS; column += 1u) {
            let at = 4u * (band * COLUMNS + column);
            (*m)[at] = fall.x * (*m)[at] + sum[4u * column];
            (*m)[at + 1u] = fall.y * (*m)[at + 1u] + sum[4u * column + 1u];
            (*m)[at + 2u] = fall.z * (*m)[at + 2u] + sum[4u * column + 2u];
            (*m)[at + 3u] = fall.w * (*m)[at + 3u] + sum[4u * column + 3u];
        }
    }
}

// Merges M of the chunk into the partials.
fn merge_values(thread: u32, m: ptr<function, Values>, span: Span, fresh: bool) {
    let quad = thread / PARTS;
    let rise = scratch[quad];
    let fall = scratch[QUADS + quad];
    for (var k = 0u; k < BANDS * COLUMNS; k += 1u) {
        let c = k * PARTS + thread % PARTS;
        for (var q = 0u; q < 4u; q += 1u) {
            if (c >= WIDTH || span.place.first_query + 4u * quad + q >= params.queries) {
                continue;
            }
            let here = (span.first_row + 4u * quad + q) * STRIDE + c;
            var merged = rise[q] * (*m)[4u * k + q];
            if (!fresh) {
                merged += fall[q] * partials[here];
            }
            partials[here] = merged;
        }
    }
}
