// Which way the keys of a bitonic network go: every other run of `size` keys downward, and a whole list upward.

fn ascends(at: u32, size: u32, length: u32) -> bool {
    return (at & size & (length - 1u)) == 0u;
}
