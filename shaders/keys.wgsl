// Numbers as whole ones in the same order, so that sorting is exact: no compiler may reorder them, and none is lost.

// Behind all numbers: what fills a list, and what is no finite number.
const BEHIND: u32 = 0xffffffffu;

fn key_of(x: f32) -> u32 {
    let bits = bitcast<u32>(x);
    // Compilers may assume that no number is infinite, so the bits are compared.
    if ((bits & 0x7f800000u) == 0x7f800000u) {
        return BEHIND;
    }
    return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}

// BEHIND becomes zero, so that no arithmetic meets a number that is not finite; such keys are counted where that matters.
fn number_of(key: u32) -> f32 {
    let bits = select(~key, key ^ 0x80000000u, key >= 0x80000000u);
    return bitcast<f32>(select(bits, 0u, key == BEHIND));
}
