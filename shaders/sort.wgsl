// Sorts lists of keys whose length is a power of two, as far as partners are within SORT_KEYS of each other: the passes of a
// bitonic network (Batcher, "Sorting networks and their applications", 1968) from the sizes `first` to `last`, of each of
// them those of short strides. A workgroup has SORT_KEYS keys in its memory, some lists or a part of one. What partners
// further apart exchange comes before, in `exchange`.

struct Sort {
    // Workgroups of this dispatch: [first_group, end_group) of all.
    first_group: u32,
    end_group: u32,
    // Keys of all lists, and of one.
    keys: u32,
    length: u32,
    first: u32,
    last: u32,
}

@group(0) @binding(0) var<uniform> params: Sort;
@group(0) @binding(1) var<storage, read_write> keys: array<u32>;

var<workgroup> own: array<u32, SORT_KEYS>;

@compute @workgroup_size(THREADS)
fn sort(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let base = group * SORT_KEYS;
    for (var k = thread; k < SORT_KEYS; k += THREADS) {
        // Behind the last list nothing is read or written; it is whole lists, so that nothing of it moves into others.
        own[k] = BEHIND;
        if (base + k < params.keys) {
            own[k] = keys[base + k];
        }
    }
    for (var size = params.first; size <= params.last; size *= 2u) {
        for (var stride = min(size, SORT_KEYS) / 2u; stride > 0u; stride /= 2u) {
            // Every key has one partner in a pass, but another thread may have written it in the pass before.
            workgroupBarrier();
            for (var pair = thread; pair < SORT_KEYS / 2u; pair += THREADS) {
                let low = pair / stride * 2u * stride + pair % stride;
                let high = low + stride;
                let a = own[low];
                let b = own[high];
                if ((a > b) == ascends(base + low, size, params.length)) {
                    own[low] = b;
                    own[high] = a;
                }
            }
        }
    }
    workgroupBarrier();
    for (var k = thread; k < SORT_KEYS; k += THREADS) {
        if (base + k < params.keys) {
            keys[base + k] = own[k];
        }
    }
}
