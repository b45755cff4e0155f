// The queries and keys of a workgroup of a reduction of wide tokens.

// The rows of queries and keys that a workgroup works on.
struct Place {
    query_base: u32,
    first_query: u32,
    key_base: u32,
}

// The work of a workgroup: the keys [begin, end) of a slice, and the first row of its queries among all partials.
struct Span {
    place: Place,
    begin: u32,
    end: u32,
    first_row: u32,
}

fn span_of(group: u32) -> Span {
    let block = group % params.blocks;
    let slice = (group / params.blocks) % params.slices;
    let replica = group / (params.blocks * params.slices);
    let place = Place(replica * params.queries, block * WIDE_QUERIES, replica * params.key_rows);
    let last = min((block + 1u) * WIDE_QUERIES, params.queries) - 1u;
    let range = visible_range(block * WIDE_QUERIES, last);
    let begin = first_chunk(slice * params.slice_keys + params.first_key, range.x);
    let end = min(slice * params.slice_keys + params.end_key, range.y);
    return Span(place, begin, end, slice * params.rows + place.query_base + place.first_query);
}
