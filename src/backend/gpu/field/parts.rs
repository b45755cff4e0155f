//! Cuts a reduction into dispatches of bounded work.
//!
//! A display driver ends a device whose dispatch runs for seconds, and a reduction over a million tokens does. Cuts
//! lie between chunks, so they change no sum.

use std::ops::Range;

/// The parts of a reduction, in the order in which they must run: first cut along the keys, because fewer workgroups
/// leave a large adapter idle, then along the workgroups.
pub struct Parts {
    groups: u64,
    keys: usize,
    group_step: u64,
    key_step: usize,
    next: (u64, usize),
}

/// Some workgroups, over some keys of each slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub groups: Range<u64>,
    pub keys: Range<usize>,
}

impl Parts {
    /// Cuts `groups` workgroups over `keys` keys each into parts of at most `pairs` of a workgroup and a key, and of
    /// at most `most` workgroups, but of one workgroup and one chunk at least.
    pub fn new(groups: u64, keys: usize, chunk: usize, pairs: f64, most: u64) -> Parts {
        // Conversions from float saturate, so an enormous budget means all of it.
        let key_step = ((pairs / groups as f64) as usize / chunk * chunk).clamp(chunk, keys.max(chunk));
        let group_step = ((pairs / key_step as f64) as u64).clamp(1, most);
        Parts { groups, keys, group_step, key_step, next: (0, 0) }
    }
}

impl Iterator for Parts {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let (group, key) = self.next;
        if key >= self.keys {
            return None;
        }
        let group_end = (group + self.group_step).min(self.groups);
        let key_end = (key + self.key_step).min(self.keys);
        self.next = if group_end == self.groups { (0, key_end) } else { (group_end, key) };
        Some(Part { groups: group..group_end, keys: key..key_end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_every_group_and_key_once_in_the_order_of_keys() {
        for pairs in [1.0, 300.0, 4096.0, 1e5, 1e12, f64::INFINITY] {
            for most in [1, 3, 100] {
                let (groups, keys, chunk) = (7, 1000, 128);
                let mut seen = vec![0; groups as usize];
                for part in Parts::new(groups, keys, chunk, pairs, most) {
                    assert_eq!(part.keys.start % chunk, 0, "{part:?}");
                    assert!(part.groups.end - part.groups.start <= most, "{part:?}");
                    for group in part.groups.clone() {
                        // Each group must have met all earlier keys, and none of these.
                        assert_eq!(seen[group as usize], part.keys.start, "{part:?}");
                        seen[group as usize] = part.keys.end;
                    }
                }
                assert_eq!(seen, vec![keys; groups as usize]);
            }
        }
    }

    #[test]
    fn parts_hold_no_more_than_allowed() {
        for part in Parts::new(50, 100_000, 1000, 1e5, 1000) {
            assert!((part.groups.end - part.groups.start) as usize * part.keys.len() <= 100_000, "{part:?}");
        }
        for part in Parts::new(50, 100_000, 1000, 1e4, 1000) {
            assert!((part.groups.end - part.groups.start) as usize * part.keys.len() <= 10_000, "{part:?}");
        }
    }
}
