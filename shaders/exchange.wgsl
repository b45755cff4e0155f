// One pass of a bitonic network over lists that are longer than what a workgroup sorts: keys that are `stride` apart are
// put in order. Every key has one partner, so threads share nothing.

struct Exchange {
    // Workgroups of this dispatch: [first_group, end_group) of all.
    first_group: u32,
    end_group: u32,
    // Pairs of all lists, and keys of one.
    pairs: u32,
    length: u32,
    size: u32,
    stride: u32,
}

@group(0) @binding(0) var<uniform> params: Exchange;
@group(0) @binding(1) var<storage, read_write> keys: array<u32>;

@compute @workgroup_size(THREADS)
fn exchange(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    let pair = group * THREADS + thread;
    if (group >= params.end_group || pair >= params.pairs) {
        return;
    }
    let low = pair / params.stride * 2u * params.stride + pair % params.stride;
    let high = low + params.stride;
    let a = keys[low];
    let b = keys[high];
    if ((a > b) == ascends(low, params.size, params.length)) {
        keys[low] = b;
        keys[high] = a;
    }
}
