// Which of the leading sources a query does not attend to: itself under `Mask::Others`, and those beyond a window.

fn attends(query: u32, key: u32) -> bool {
    let distance = i32(query) + params.ahead - i32(key);
    if (params.others == 1u && distance == 0) {
        return false;
    }
    return abs(distance) < params.window;
}

// The sources of the key segment that queries [first, last] attend to lie in [x, y).
fn visible_range(first: u32, last: u32) -> vec2<u32> {
    let end = visible(last);
    if (!CHOSEN) {
        return vec2<u32>(0u, end);
    }
    let sources = i32(params.sources);
    let low = clamp(i32(first) + params.ahead + 1 - params.window, 0, sources);
    let high = clamp(i32(last) + params.ahead + params.window, 0, sources);
    return vec2<u32>(u32(low), min(end, u32(high)));
}

// The first chunk of a slice that holds a visible key; chunks start at the same keys for all queries.
fn first_chunk(begin: u32, first_visible: u32) -> u32 {
    if (!CHOSEN || first_visible <= begin) {
        return begin;
    }
    return begin + (first_visible - begin) / CHUNK * CHUNK;
}
