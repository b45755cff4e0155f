// What is known about one query after some of its keys: the softmax sums
//
//     Z = sum_j w_j 2^(s_j - shift)      M = sum_j w_j 2^(s_j - shift) x_j
//
// with their shift. A partial lies in memory as M (WIDTH vectors), then (shift, Z, 0, 0). Shifts are whole numbers,
// so that changing from one to another multiplies by a power of two, which rounds nothing.

const STRIDE: u32 = WIDTH + 1u;
