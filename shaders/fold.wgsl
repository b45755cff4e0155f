// The parts of all threads of a workgroup, joined by a binary tree, so in a fixed order. A kernel says what a part is (`Part`)
// and what two of them are together (`joined`).

var<workgroup> parts: array<Part, THREADS>;

// Called in uniform control flow. The whole is what thread 0 gets; other threads get parts of it.
fn folded(thread: u32, part: Part) -> Part {
    // Threads may still read what an earlier call left.
    workgroupBarrier();
    parts[thread] = part;
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (thread < half) {
            parts[thread] = joined(parts[thread], parts[thread + half]);
        }
    }
    return parts[thread];
}
