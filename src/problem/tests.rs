//! Times against decimals that are put together from whole numbers.

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::{Growth, Samples, Schedule, Uneven, decimal::Decimal};

/// The decimal string of whole * 10^-places, without zeros at its end.
fn decimal(whole: u128, places: usize) -> String {
    let digits = format!("{whole:0>width$}", width = places + 1);
    let (units, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { units.to_owned() } else { format!("{units}.{fraction}") }
}

/// The schedule of so many steps of whole * 10^-places.
fn schedule(whole: u64, places: usize, steps: u64) -> Schedule {
    let step: f64 = decimal(whole.into(), places).parse().expect("a number");
    let end = Decimal::of(step).expect("a decimal").times(steps);
    Schedule::even(steps, end, 1)
}

/// Steps of up to six digits, and up to 10^9 of them: no more than 15 digits, which a double prints as they are.
#[test]
fn times_are_the_decimals_of_the_grid() {
    let mut random = SmallRng::seed_from_u64(1);
    for _ in 0..20_000 {
        let (whole, places) = (random.random_range(1..1_000_000u64), random.random_range(0..9usize));
        let steps = 10u64.pow(random.random_range(0..9)) * random.random_range(1..10u64);
        let schedule = schedule(whole, places, steps);
        assert_eq!(schedule.step(0).to_string(), decimal(whole.into(), places), "{schedule:?}");
        for k in [0, 1, 3, random.random_range(0..=steps), steps] {
            assert_eq!(
                schedule.time(k).to_string(),
                decimal(u128::from(whole) * u128::from(k), places),
                "{schedule:?}"
            );
        }
    }
}

#[test]
fn the_same_time_is_the_same_number_whatever_the_end() {
    for (end, steps) in [(1.0, 10), (0.3, 3), (0.7, 7), (100.0, 1000), (1e9, 10_000_000_000)] {
        let schedule = Schedule::even(steps, end, 1);
        assert_eq!((schedule.step(0), schedule.time(3)), (0.1, 0.3), "{end}");
        assert_eq!(schedule.time(steps), end);
    }
}

/// A third has no decimal: its multiples are rounded once, and the last is the end.
#[test]
fn ends_that_no_decimal_divides_are_divided() {
    let schedule = Schedule::even(3, 1.0, 1);
    assert_eq!((schedule.step(0), schedule.time(2), schedule.time(3)), (1.0 / 3.0, 2.0 / 3.0, 1.0));
    let still = Schedule::even(0, 0.0, 1);
    assert_eq!((still.step(0), still.time(0)), (0.0, 0.0));
}

/// Sixteen digits and more are the user's own, up to the last of them.
#[test]
fn long_decimals_are_kept() {
    for typed in ["0.333333333333", "0.0123456789012345", "2.50000000000001", "1e-7", "123456.7"] {
        let step: f64 = typed.parse().expect("a number");
        for steps in [1, 7, 3000, 123_456_789] {
            let end = Decimal::of(step).expect("a decimal").times(steps);
            assert_eq!(Schedule::even(steps, end, 1).step(0), step, "{typed}, {steps} steps");
        }
    }
}

/// A walk from sample to sample finds those that are listed, the start and the end, and no others.
#[test]
fn samples_are_where_they_are_wanted() {
    let cases: [(u64, Samples, &[u64]); 8] = [
        (10, Samples::Every(0), &[0, 10]),
        (10, Samples::Every(4), &[0, 4, 8, 10]),
        (10, Samples::Every(5), &[0, 5, 10]),
        (10, Samples::Every(u64::MAX), &[0, 10]),
        (10, Samples::After(vec![]), &[0, 10]),
        (10, Samples::After(vec![1, 2, 7]), &[0, 1, 2, 7, 10]),
        (10, Samples::After(vec![0, 9, 10]), &[0, 9, 10]),
        (0, Samples::After(vec![0]), &[0]),
    ];
    for (steps, samples, expected) in cases {
        let schedule = Schedule { samples, ..Schedule::even(steps, 0.1 * steps as f64, 1) };
        let (mut done, mut walked) = (0, vec![0]);
        while schedule.until_observed(done) > 0 {
            done += schedule.until_observed(done);
            walked.push(done);
        }
        assert_eq!(walked, expected, "{schedule:?}");
        assert_eq!((0..=steps).filter(|done| schedule.observes(*done)).collect::<Vec<_>>(), expected, "{schedule:?}");
        assert_eq!(schedule.observations(), expected.len() as u64, "{schedule:?}");
    }
}

/// 1, 2, 4, 8, 8, .. up to 40: ends at 1, 3, 7, 15, 23, 31, 39; with a time at 5 the third step is cut to 2.
#[test]
fn steps_grow_up_to_the_longest() {
    let growth = Growth { first: 1.0, factor: 2.0, most: 8.0 };
    let steps = |marks: &[f64]| Uneven::growing(growth, marks).expect("few steps");
    assert_eq!(steps(&[40.0]).lengths(), [1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0, 1.0]);
    assert_eq!(steps(&[5.0, 21.0]).lengths(), [1.0, 2.0, 2.0, 8.0, 8.0]);
    assert_eq!(steps(&[0.0, 3.0]).ends(), [1.0, 3.0]);
    assert_eq!(steps(&[0.0]).ends(), [0.0; 0]);
    let tenths = Growth { first: 0.1, factor: 1.0, most: 0.1 };
    let even = Uneven::growing(tenths, &[1.0]).expect("few steps");
    assert_eq!((even.lengths().len(), even.ends()[9]), (10, 1.0), "rounding is no step");
    assert_eq!(Uneven::growing(Growth { first: 1e-9, ..growth }, &[40.0]).expect("few steps").lengths().len(), 37);
    assert_eq!(Uneven::growing(Growth { factor: 1.0, ..growth }, &[2e6]), None);

    let schedule = Schedule::uneven(steps(&[40.0]), Samples::Every(3));
    assert_eq!((schedule.steps, schedule.end), (8, 40.0));
    assert_eq!([0, 1, 3, 7, 8].map(|done| schedule.time(done)), [0.0, 1.0, 7.0, 39.0, 40.0]);
    assert_eq!([0, 1, 7].map(|done| schedule.step(done)), [1.0, 2.0, 1.0]);
    assert_eq!(
        [(0, 8), (3, 8), (3, 2), (4, 8), (7, 1)].map(|(done, most)| schedule.alike(done, most)),
        [1, 4, 2, 3, 1]
    );
    assert_eq!(Schedule::even(8, 0.8, 1).alike(3, 5), 5);
}
