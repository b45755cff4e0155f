//! Randomness that does not depend on who asks first.
//!
//! Threads, workgroups, shards and restarts visit tokens in different orders, so a generator with a running state would
//! give each of them other numbers. Here a number is a function of where it is used: Philox4x32-10 (Salmon, Moraes,
//! Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011) encrypts a counter under a key, with
//!
//! ```text
//! key     = (low word of seed, high word of seed)
//! counter = (block, replica, token, purpose)
//! ```
//!
//! Each block gives four 32-bit words. Replicas and tokens are numbered by 32 bits each, and one token may draw 2^34
//! words for one purpose before its stream would repeat.

use std::convert::Infallible;

use rand::TryRng;

/// What random numbers are for. Two purposes never share numbers; the discriminant is the last counter word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Purpose {
    /// Where a token starts.
    Initial = 0,
    /// Which tokens a sample takes.
    Check = 1,
    /// What moves one token at random.
    Noise = 2,
    /// What moves all tokens of a replica at random.
    CommonNoise = 3,
    /// The entries of a random matrix; operands of heads stand in the place of replicas, and draws in that of tokens.
    Weights = 4,
    /// The entries of a random matrix that is a replica's own; draws stand in the place of tokens, and operands of heads beside.
    ReplicaWeights = 5,
    /// Which way a cloud is projected.
    Projection = 6,
    /// Which pairs of tokens are compared; numbers of pairs stand in the place of tokens.
    Pairs = 7,
    /// Which rows of attention are looked at.
    Rows = 8,
    /// Where a replica starts that is another one perturbed.
    Perturbation = 9,
    /// Where a token starts that stands for the limit.
    Reference = 10,
    /// Which tokens are kept over time.
    Kept = 11,
}

/// The random numbers of one token of one replica for one purpose; a generator in the sense of `rand`.
#[derive(Clone, Debug)]
pub struct Stream {
    key: [u32; 2],
    counter: [u32; 4],
    words: [u32; 4],
    used: usize,
}

impl Stream {
    /// From its first number on; the same arguments give the same numbers.
    pub fn new(seed: u64, replica: u32, token: u32, purpose: Purpose) -> Stream {
        let key = [seed as u32, (seed >> 32) as u32];
        Stream { key, counter: [0, replica, token, purpose as u32], words: [0; 4], used: 4 }
    }

    /// The same for one of several things that a token draws for one purpose.
    pub fn of_part(seed: u64, replica: u32, token: u32, purpose: Purpose, part: u32) -> Stream {
        let mut stream = Stream::new(seed, replica, token, purpose);
        stream.counter[3] += part << 8;
        stream
    }

    fn word(&mut self) -> u32 {
        if self.used == self.words.len() {
            self.words = philox4x32(self.counter, self.key);
            self.counter[0] = self.counter[0].wrapping_add(1);
            self.used = 0;
        }
        let word = self.words[self.used];
        self.used += 1;
        word
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let low = u64::from(self.word());
        Ok(u64::from(self.word()) << 32 | low)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(4) {
            chunk.copy_from_slice(&self.word().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// `count` standard normal numbers for one step, by the method of Box and Muller (1958).
///
/// Numbers 4 b .. 4 b + 3 come from the words of block b, which is the counter (step, replica, token, purpose + 256 b)
/// encrypted, steps being counted modulo 2^32: of words (v, w) the numbers r cos(a) and r sin(a) with r^2 = -2 ln((v + 1/2) /
/// 2^32) and a = 2 pi (w + 1/2) / 2^32.
pub fn normals(seed: u64, step: u64, replica: u32, token: u32, purpose: Purpose, count: usize) -> Vec<f64> {
    let key = [seed as u32, (seed >> 32) as u32];
    let mut numbers = Vec::with_capacity(count.next_multiple_of(4));
    for block in 0..count.div_ceil(4) as u32 {
        let words = philox4x32([step as u32, replica, token, purpose as u32 + (block << 8)], key);
        for [v, w] in [[words[0], words[1]], [words[2], words[3]]] {
            let uniform = |word: u32| (f64::from(word) + 0.5) / 4_294_967_296.0;
            let radius = (-2.0 * uniform(v).ln()).sqrt();
            let (sin, cos) = (std::f64::consts::TAU * uniform(w)).sin_cos();
            numbers.extend([radius * cos, radius * sin]);
        }
    }
    numbers.truncate(count);
    numbers
}

/// Philox4x32 with ten rounds: a bijection of the counter for every key.
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    // The multipliers and Weyl increments (golden ratio, sqrt(3) - 1) of the paper, tables 2 and 3.
    const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
    const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
    for _ in 0..10 {
        let product = |m: u32, c: u32| {
            let wide = u64::from(m) * u64::from(c);
            ((wide >> 32) as u32, wide as u32)
        };
        let (high_0, low_0) = product(MULTIPLIERS[0], counter[0]);
        let (high_1, low_1) = product(MULTIPLIERS[1], counter[2]);
        counter = [high_1 ^ counter[1] ^ key[0], low_1, high_0 ^ counter[3] ^ key[1], low_0];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    /// The file kat_vectors of Random123 1.14.0, entries "philox4x32 10".
    #[test]
    fn philox_gives_the_published_vectors() {
        let vectors = [
            ([0; 4], [0; 2], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]),
            (
                [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
                [0xa4093822, 0x299f31d0],
                [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
            ),
        ];
        for (counter, key, expected) in vectors {
            assert_eq!(philox4x32(counter, key), expected);
        }
    }

    #[test]
    fn a_stream_is_the_blocks_of_its_counter_in_order() {
        let seed = 0x0123_4567_89ab_cdef;
        let mut stream = Stream::new(seed, 5, 9, Purpose::Initial);
        for block in 0..3 {
            for word in philox4x32([block, 5, 9, 0], [0x89ab_cdef, 0x0123_4567]) {
                assert_eq!(stream.next_u32(), word);
            }
        }
    }

    /// Means of powers up to the fourth within five of their standard deviations, for tokens and for steps.
    #[test]
    fn normals_are_normal() {
        let of_tokens =
            (0..20_000).flat_map(|token| normals(9, 4, 1, token, Purpose::Noise, 5)).collect::<Vec<f64>>();
        let of_steps = (0..20_000).flat_map(|step| normals(9, step, 1, 4, Purpose::Noise, 5)).collect();
        for numbers in [of_tokens, of_steps] {
            for (power, mean, variance) in [(1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)] {
                let count = numbers.len() as f64;
                let found = numbers.iter().map(|number| number.powi(power)).sum::<f64>() / count;
                assert!((found - mean).abs() < 5.0 * f64::sqrt(variance / count), "moment {power}: {found}");
            }
        }
    }

    #[test]
    fn wide_draws_and_bytes_take_the_low_word_first() {
        let stream = || Stream::new(7, 0, 1, Purpose::Initial);
        let (mut words, mut wide, mut bytes) = (stream(), stream(), stream());
        let (low, high) = (words.next_u32(), words.next_u32());
        assert_eq!(wide.next_u64(), u64::from(high) << 32 | u64::from(low));
        let mut filled = [0; 6];
        bytes.fill_bytes(&mut filled);
        assert_eq!(filled[..4], low.to_le_bytes());
        assert_eq!(filled[4..], high.to_le_bytes()[..2]);
    }
}
