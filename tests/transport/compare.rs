//! Comparison of numbers, not-a-number first.

/// Whether |found - expected| <= tolerance max(1, |expected|): distances of clouds of size one are sums of terms of size one.
#[track_caller]
pub fn close(what: &str, found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs();
    let allowed = tolerance * expected.abs().max(1.0);
    assert!(error <= allowed, "{what}: {found} instead of {expected}, off by {error:e}, allowed {allowed:e}");
}

#[test]
#[should_panic = "off by"]
fn ten_tolerances_are_too_much() {
    close("a number", 1.0 + 1e-11, 1.0, 1e-12);
}

#[test]
#[should_panic = "NaN instead"]
fn no_number_is_close_to_nothing() {
    close("no number", f64::NAN, 1.0, f64::INFINITY);
}
