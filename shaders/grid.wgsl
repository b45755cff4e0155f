// A grid has two dimensions because one holds at most 65535 workgroups; kernels count along the flattened grid.

fn flat(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}
