//! What a browser has left for this program: addresses of 32 bits. It has no disk.

/// Bytes by which the memory of the program can still grow; what was given back inside of it is not counted.
pub(crate) fn available() -> u64 {
    const PAGE: u64 = 64 << 10;
    (1 << 32) - PAGE * core::arch::wasm32::memory_size(0) as u64
}
