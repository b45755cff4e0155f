// The sources that a mask leaves to a query: the leading ones, whose number grows with the query. The parameters of every kernel
// that includes this file have the sources and the reach, and those of the reductions what a window and `Mask::Others` need.

// How many of the leading sources of the key segment are visible to a query.
fn visible(query: u32) -> u32 {
    if (!MASKED) {
        return params.sources;
    }
    return u32(clamp(i32(query) + params.reach, 0, i32(params.sources)));
}
