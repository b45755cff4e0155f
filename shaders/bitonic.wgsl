// The direction of a bitonic network: runs of `size` keys ascend and descend in turn, and a whole list ascends.

fn ascends(at: u32, size: u32, length: u32) -> bool {
    return (at & size & (length - 1u)) == 0u;
}
