//! Sums that must not overflow, and refusals that must name both numbers.

use super::*;
use crate::sums::Precision;

fn needs() -> Needs {
    let mut needs = Needs::default();
    needs.add("the tokens", 16, &[("tokens.replicas", 2), ("tokens.count", 1000), ("tokens.dim", 3)]);
    needs.add("second moments", 8, &[("tokens.dim", 3), ("tokens.dim", 3)]);
    needs
}

#[test]
fn what_fits_is_let_through_and_one_byte_less_is_not() {
    let bytes = 16 * 2 * 1000 * 3 + 8 * 9;
    assert_eq!(needs().bytes(), bytes);
    assert_eq!(needs().require_of(bytes as u64), Ok(()));
    let shortage = needs().require_of(bytes as u64 - 1).expect_err("a byte is missing");
    assert_eq!((shortage.needed, shortage.available), (bytes, bytes as u64 - 1));
    assert_eq!(shortage.blame(), Some(("tokens.count", 1000)));
    assert_eq!(
        shortage.to_string(),
        "needs 96.1 kB of memory (96.0 kB of it for the tokens), and 96.1 kB are available; \
         write less than tokens.count = 1000 or tokens.dim = 3 or tokens.replicas = 2"
    );
}

#[test]
fn products_that_overflow_are_refused() {
    let mut needs = Needs::default();
    let many = u128::from(u64::MAX);
    needs.add("the tokens", 8, &[("tokens.replicas", many), ("tokens.count", many), ("tokens.dim", many)]);
    needs.add("the tokens", 8, &[("tokens.replicas", many), ("tokens.count", many)]);
    assert_eq!(needs.bytes(), u128::MAX);
    assert!(needs.require_of(u64::MAX).is_err());
}

#[test]
fn parts_that_follow_each_other_count_once() {
    let mut needs = Needs::default();
    needs.add_largest(vec![Part::new("a", 5, &[]), Part::new("b", 7, &[]), Part::new("c", 6, &[])]);
    assert_eq!(needs.bytes(), 7);
}

#[test]
fn bytes_are_written_as_people_write_them() {
    let texts = [(999, "999 bytes"), (1000, "1.0 kB"), (22_627_417_240, "22.6 GB"), (u128::MAX, "3.4e20 EB")];
    for (bytes, text) in texts {
        assert_eq!(Bytes(bytes).to_string(), text);
    }
}

/// This process runs, so some memory was there; and no machine has all that can be counted.
#[test]
fn the_machine_has_some_memory_and_not_all() {
    assert!((1 << 20..u64::MAX / 2).contains(&available()), "{}", available());
    assert!(room_on_disk(std::path::Path::new("not/there/yet")).is_none_or(|bytes| bytes < u64::MAX / 2));
}

/// What a token of the sphere takes at d = 3: the numbers that ARCHITECTURE.md gives.
#[test]
fn a_token_takes_so_many_bytes() {
    let bytes = |slots, precision, reads_tokens| {
        let count = 100_000_000;
        let sizes = Sizes { replicas: 1, count, dim: 3, slots, is_unit: true, reads_tokens, ..Sizes::default() };
        let start = sizes.needs(Vec::new()).bytes();
        (start + sizes.cpu_needs(precision, false).bytes()) as f64 / count as f64
    };
    // While they are handed over, in single precision 24 + 12 + 4; then the state, stages, the point of a stage, and weights.
    assert_eq!(bytes(1, Precision::Single, false), 40.0);
    assert_eq!(bytes(2, Precision::Single, false), 52.0);
    assert_eq!(bytes(4, Precision::Single, false), 76.0);
    assert_eq!(bytes(2, Precision::Double, false), 104.0);
    assert_eq!(bytes(1, Precision::Single, true), 24.0 + 24.0 + 28.0);
}
