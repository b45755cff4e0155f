// The reduction for wide tokens in half precision: operands and weights are rounded to f16, their products are summed in f32.

@compute @workgroup_size(THREADS)
fn reduce_half(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let span = span_of(group);
    let team = Team(subgroup, subgroups);
    if (thread == 0u) {
        atomicStore(&due, 0u);
    }
    var q: Queries = Queries();
    if (PANELS == 1u) {
        load_queries(thread, team, &q, span.place, 0u);
    }
    var m: Values = Values();
    var row = Row(MASKED_SCORE, 0.0);
    var fresh = params.fresh == 1u;
    for (var key = span.begin; key < span.end; key += TILE) {
        multiply_keys(thread, team, &q, span.place, key);
        var rating: Ratings = Ratings();
        let highest = rate(thread, &rating, span.place, key, span.end);
        if (highest > row.shift + MOST || (key - span.begin) % CHUNK == 0u) {
            atomicMax(&due, 1u);
        }
        if (workgroupUniformLoad(&due) == 1u) {
            let any = key > span.begin;
            merge_partials(thread, team, span, row, &m, fresh, any);
            fresh = fresh && !any;
            m = Values();
            row.z = 0.0;
            if (highest > row.shift + MOST) {
                row.shift = ceil(highest) - LIFT;
            }
            if (thread == 0u) {
                atomicStore(&due, 0u);
            }
        }
        weigh(thread, &rating, &row);
        multiply_values(thread, team, &m, span.place, key);
    }
    // Under a mask there may be nothing to add, but the partials must still be made.
    merge_partials(thread, team, span, row, &m, fresh, true);
}
