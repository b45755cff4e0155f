//! What has no distance is refused, with the remedy.

use tokenfield::transport::{
    Masses, Measure, Order, TransportError, assignment, circle, dirac, kernel,
    sinkhorn::{self, Sinkhorn},
    sliced,
};

use crate::clouds::Formula;

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, TransportError>, words: &[&str]) {
    let error = result.expect_err("a refusal").to_string();
    for word in words {
        assert!(error.contains(word), "{word:?} is not in {error:?}");
    }
}

#[test]
fn measures_are_whole_and_weigh_one() {
    let new = |coordinates: &'static [f64], dim, masses| Measure::new(coordinates, dim, masses);
    refused(new(&[1.0, 2.0, 3.0], 2, Masses::Equal), &["3 numbers", "R^2", "count * dim"]);
    refused(new(&[], 2, Masses::Equal), &["0 numbers"]);
    refused(new(&[1.0], 0, Masses::Equal), &["R^0"]);
    refused(new(&[1.0, 2.0, 3.0, f64::NAN], 2, Masses::Equal), &["number 1 of point 1", "NaN"]);
    refused(new(&[1.0, 2.0], 1, Masses::Each(&[1.0])), &["1 for 2 points"]);
    refused(new(&[1.0, 2.0], 1, Masses::Each(&[1.5, -0.5])), &["point 1 is -0.5"]);
    refused(new(&[1.0, 2.0], 1, Masses::Each(&[1.0, 1.0])), &["sum is 2", "divide"]);
}

#[test]
fn measures_fit_each_other_and_their_distance() {
    let plane = Formula::on_sphere(5, 2, 0.1, 0.0).cloud();
    let space = Formula::on_sphere(6, 3, 0.1, 0.0).cloud();
    let five = Formula::on_sphere(5, 3, 0.1, 0.0).cloud();
    let weighted = Formula::on_sphere(6, 3, 0.1, 0.0).weighted().cloud();
    let (plane, space, five, weighted) = (plane.measure(), space.measure(), five.measure(), weighted.measure());
    let settings = Sinkhorn { epsilon: 0.1, tolerance: 1e-6, iterations: 1000 };
    let both = ["R^2", "R^3", "same dim"];
    refused(assignment::wasserstein(Order::One, &plane, &space), &both);
    refused(sliced::wasserstein(Order::One, &plane, &space, 10, 1), &both);
    refused(sinkhorn::divergence(&plane, &space, settings), &both);
    refused(kernel::mmd(&plane, &space, 1.0), &both);
    refused(kernel::energy_distance(&plane, &space), &both);
    refused(dirac::wasserstein(Order::One, &plane, &[1.0, 0.0, 0.0]), &both);
    refused(circle::wasserstein(Order::One, &plane, &space), &["R^3", "sliced"]);
    let origin = Measure::new(&[1.0, 0.0, 0.0, 0.0], 2, Masses::Equal).expect("a measure");
    refused(circle::wasserstein(Order::One, &plane, &origin), &["point 1 is the origin"]);
    refused(assignment::wasserstein(Order::One, &five, &space), &["5 points and 6 points", "sinkhorn"]);
    refused(assignment::wasserstein(Order::One, &weighted, &space), &["not all equal"]);
    let many = vec![0.0; assignment::MOST + 1];
    let many = Measure::new(&many, 1, Masses::Equal).expect("a measure");
    refused(assignment::wasserstein(Order::One, &many, &many), &["8193 points", "at most 8192"]);
}

#[test]
fn settings_are_positive_and_enough() {
    let (a, b) = (Formula::on_sphere(9, 3, 0.1, 0.0).cloud(), Formula::on_sphere(6, 3, 0.1, 0.7).cloud());
    let (a, b) = (a.measure(), b.measure());
    let settings = Sinkhorn { epsilon: 0.1, tolerance: 1e-12, iterations: 3 };
    refused(sinkhorn::divergence(&a, &b, Sinkhorn { epsilon: 0.0, ..settings }), &["epsilon", "0 is not positive"]);
    refused(sinkhorn::divergence(&a, &b, Sinkhorn { tolerance: f64::NAN, ..settings }), &["tolerance", "NaN"]);
    refused(sinkhorn::divergence(&a, &b, settings), &["after 3 iterations", "1e-12", "raise epsilon"]);
    refused(kernel::mmd(&a, &b, f64::INFINITY), &["beta", "inf"]);
    refused(sliced::wasserstein(Order::One, &a, &b, 1, 1), &["projections: 1", "at least 2"]);
    refused(sliced::along(Order::One, &a, &b, &[1.0, 0.0, 0.0, 1.0]), &["4 numbers", "R^3"]);
    refused(sliced::along(Order::One, &a, &b, &[1.0, 0.0, 0.0, 0.0, 2.0, 0.0]), &["rows of length 1"]);
}
