//! What holds for every distance, and between them.

use tokenfield::{
    tokens::{Shape, Tokens, Weights},
    transport::{
        Measure, Order, assignment, circle, dirac, kernel,
        sinkhorn::{self, Sinkhorn},
        sliced::{self, Sliced, Slices},
    },
};

use crate::{
    clouds::{Formula, WeightedPoints},
    compare::close,
};

type Distance = fn(&Measure<'_>, &Measure<'_>) -> f64;

fn divergence(a: &Measure<'_>, b: &Measure<'_>, epsilon: f64) -> f64 {
    let settings = Sinkhorn { epsilon, tolerance: 1e-8, iterations: 100_000 };
    sinkhorn::divergence(a, b, settings).expect("a divergence").value
}

/// Every distance with its name and the error that it may leave near zero.
fn distances(dim: usize) -> Vec<(&'static str, Distance, f64)> {
    let mut distances: Vec<(&str, Distance, f64)> = vec![
        ("sliced 1", |a, b| sliced::wasserstein(Order::One, a, b, 50, 3).expect("a distance").distance, 1e-15),
        ("sliced 2", |a, b| sliced::wasserstein(Order::Two, a, b, 50, 3).expect("a distance").distance, 1e-15),
        ("mmd", |a, b| kernel::mmd(a, b, 4.0).expect("a distance"), 3e-8),
        ("energy", |a, b| kernel::energy_distance(a, b).expect("a distance"), 3e-8),
        ("assignment 1", |a, b| assignment::wasserstein(Order::One, a, b).expect("a distance"), 1e-15),
        ("assignment 2", |a, b| assignment::wasserstein(Order::Two, a, b).expect("a distance"), 1e-15),
        // The square root, which is a distance; S itself is known to 1e-15.
        ("sinkhorn", |a, b| divergence(a, b, 0.1).max(0.0).sqrt(), 1e-7),
    ];
    if dim == 2 {
        distances.push(("circle 1", |a, b| circle::wasserstein(Order::One, a, b).expect("a distance"), 1e-15));
        distances.push(("circle 2", |a, b| circle::wasserstein(Order::Two, a, b).expect("a distance"), 1e-15));
    }
    distances
}

/// Three clouds that are neither equal nor far.
fn triples() -> Vec<[WeightedPoints; 3]> {
    let triple = |count, dim| {
        [(0.1, 0.3), (2.0, -0.6), (4.0, 0.9)]
            .map(|(phase, shift)| Formula::on_sphere(count, dim, phase, shift).cloud())
    };
    vec![triple(31, 2), triple(40, 3), triple(24, 9)]
}

#[test]
fn distances_are_symmetric_positive_and_zero_on_the_diagonal() {
    for [a, b, _] in triples() {
        for (name, distance, error) in distances(a.dim) {
            let (ab, ba) = (distance(&a.measure(), &b.measure()), distance(&b.measure(), &a.measure()));
            assert!(ab > 0.05, "{name}: {ab}");
            close(&format!("{name}, symmetry"), ab, ba, 1e-14);
            close(&format!("{name}, zero"), distance(&a.measure(), &a.measure()), 0.0, error);
        }
    }
}

#[test]
fn distances_obey_the_triangle_inequality() {
    for [a, b, c] in triples() {
        // The square root of a Sinkhorn divergence promises nothing here.
        for (name, distance, _) in distances(a.dim).into_iter().filter(|(name, ..)| *name != "sinkhorn") {
            let of = |x: &WeightedPoints, y: &WeightedPoints| distance(&x.measure(), &y.measure());
            let sides = [of(&a, &b), of(&b, &c), of(&c, &a)];
            for side in 0..3 {
                let others: f64 = sides.iter().sum::<f64>() - sides[side];
                assert!(sides[side] <= others + 1e-12, "{name}: {sides:?}");
            }
        }
    }
}

/// What is compared with one measure together has the distances that each has alone, to the bit, whatever its masses.
#[test]
fn slices_of_many_are_those_of_each() {
    let [a, b, c] = [(0.1, 0.3), (2.0, -0.6), (4.0, 0.9)]
        .map(|(phase, shift)| [17, 40].map(|count| Formula::on_sphere(count, 3, phase, shift).cloud()));
    for [from, other, third] in [[&a[0], &b[1], &c[0]], [&a[1], &b[1], &c[0]]] {
        let slices = Slices::new(from.measure(), 30, 3).expect("slices");
        let costs = slices.costs(Order::Two, &[other.measure(), third.measure()]).expect("costs");
        for (cloud, costs) in [other, third].into_iter().zip(costs.chunks(30)) {
            let alone = sliced::wasserstein(Order::Two, &cloud.measure(), &from.measure(), 30, 3);
            assert_eq!(Sliced::of(Order::Two, costs), alone.expect("a distance"));
        }
        assert_ne!(costs[..30], costs[30..], "no test: two clouds are as far");
    }
}

/// Slices see other directions after a rotation: their error bar says by how much that may matter.
#[test]
fn distances_do_not_see_rotations() {
    for [a, b, _] in triples() {
        let (a2, b2) = (a.clone().rotated(2.5), b.clone().rotated(2.5));
        for (name, distance, _) in distances(a.dim).into_iter().filter(|(name, ..)| !name.starts_with("sliced")) {
            let (before, after) = (distance(&a.measure(), &b.measure()), distance(&a2.measure(), &b2.measure()));
            close(name, after, before, 1e-12);
            let moved = distance(&a2.measure(), &b.measure());
            assert!((moved - before).abs() > 1e-3, "{name}: a rotation of one cloud alone is seen");
        }
        for order in [Order::One, Order::Two] {
            let of = |a: &WeightedPoints, b: &WeightedPoints| {
                sliced::wasserstein(order, &a.measure(), &b.measure(), 4000, 5).expect("a distance")
            };
            let (before, after) = (of(&a, &b), of(&a2, &b2));
            let error = before.standard_error.hypot(after.standard_error);
            assert!((before.distance - after.distance).abs() < 3.5 * error, "{before:?} {after:?}");
        }
    }
}

/// Jensen: W_1 <= W_2; a projection shortens: SW <= W, SW_2 <= W_2 / sqrt(d) up to the error bar; a chord is shorter than
/// its arc; and W to the Dirac at a point is that to a cloud which is there.
#[test]
fn distances_are_ordered() {
    for [a, b, _] in triples() {
        let (a, b) = (a.measure(), b.measure());
        let exact = [Order::One, Order::Two].map(|p| assignment::wasserstein(p, &a, &b).expect("a distance"));
        let slices = [Order::One, Order::Two].map(|p| sliced::wasserstein(p, &a, &b, 500, 3).expect("a distance"));
        assert!(exact[0] < exact[1], "{exact:?}");
        assert!(slices[0].distance < slices[1].distance, "{slices:?}");
        for p in 0..2 {
            assert!(slices[p].distance < exact[p], "{slices:?} {exact:?}");
        }
        let bound = exact[1] / (a.dim() as f64).sqrt() + 4.0 * slices[1].standard_error;
        assert!(slices[1].distance < bound, "{slices:?} {exact:?}");
        if a.dim() == 2 {
            let arcs = [Order::One, Order::Two].map(|p| circle::wasserstein(p, &a, &b).expect("a distance"));
            assert!(arcs[0] < arcs[1] && exact[0] < arcs[0] && exact[1] < arcs[1], "{arcs:?} {exact:?}");
        }
    }
}

#[test]
fn a_dirac_is_a_cloud_in_one_place() {
    let a = Formula::on_sphere(37, 3, 0.1, 0.4).cloud();
    let point = [0.6, 0.0, -0.8];
    let there = WeightedPoints { coordinates: point.repeat(37), dim: 3, weights: None };
    for order in [Order::One, Order::Two] {
        let found = dirac::wasserstein(order, &a.measure(), &point).expect("a distance");
        let expected = assignment::wasserstein(order, &a.measure(), &there.measure()).expect("a distance");
        close("dirac", found, expected, 1e-14);
    }
}

/// Masses of powers of two are halved without rounding, so that W_2 does not see that points were written twice.
#[test]
fn weights_are_repeated_points() {
    for dim in [2, 3] {
        let even = Formula::on_sphere(32, dim, 0.1, 0.3).cloud();
        let uneven = even.clone().with_weights(|index| if index < 16 { 3.0 } else { 1.0 });
        let b = Formula::on_sphere(32, dim, 2.0, -0.6).cloud();
        for (name, distance, error) in distances(dim) {
            let of = |x: &WeightedPoints, y: &WeightedPoints| distance(&x.measure(), &y.measure());
            close(&format!("{name}, both twice"), of(&even.repeated(), &b.repeated()), of(&even, &b), 1e-14);
            // Points of unequal weights are not assigned.
            if name.starts_with("assignment") {
                continue;
            }
            close(&format!("{name}, to itself"), of(&uneven, &uneven.repeated()), 0.0, error);
            close(&format!("{name}, uneven"), of(&uneven.repeated(), &b), of(&uneven, &b), 1e-14);
            assert!((of(&uneven, &b) - of(&even, &b)).abs() > 1e-4, "{name}: weights are seen");
        }
    }
}

/// W_2^2 / 2 as epsilon -> 0 and |mean a - mean b|^2 / 2 as epsilon -> infinity, in between something in between.
#[test]
fn sinkhorn_goes_from_transport_to_means() {
    for [a, b, _] in triples() {
        let (a, b) = (a.measure(), b.measure());
        let exact = 0.5 * assignment::wasserstein(Order::Two, &a, &b).expect("a distance").powi(2);
        let mean = |m: &Measure<'_>, c: usize| m.points().map(|x| x[c]).sum::<f64>() / m.count() as f64;
        let means = 0.5 * (0..a.dim()).map(|c| (mean(&a, c) - mean(&b, c)).powi(2)).sum::<f64>();
        close("epsilon -> infinity", divergence(&a, &b, 1e6), means, 1e-6);
        let settings = Sinkhorn { epsilon: 1e-3, tolerance: 1e-4, iterations: 100_000 };
        let small = sinkhorn::divergence(&a, &b, settings).expect("a divergence");
        // A pairing is as good as found, and its entropy epsilon ln n is that of either cloud with itself.
        close("epsilon -> 0", small.value, exact, 2e-3);
        let between = divergence(&a, &b, 0.3);
        assert!(means < between && between < exact, "{means} {between} {exact}");
        assert!(small.marginal_error <= 1e-4 && small.iterations > 1, "{small:?}");
    }
}

/// A looser tolerance stops earlier, and is off by less than it.
#[test]
fn sinkhorn_says_how_converged_it_is() {
    let [a, b, _] = &triples()[1];
    let of = |tolerance| {
        let settings = Sinkhorn { epsilon: 0.02, tolerance, iterations: 100_000 };
        sinkhorn::divergence(&a.measure(), &b.measure(), settings).expect("a divergence")
    };
    let (loose, tight) = (of(1e-2), of(1e-10));
    assert!(loose.iterations < tight.iterations, "{loose:?} {tight:?}");
    assert!(loose.marginal_error > 1e-4 && tight.marginal_error <= 1e-10, "{loose:?} {tight:?}");
    close("loose", loose.value, tight.value, 1e-3);
    assert!(loose.value != tight.value);
}

/// Neither passive tokens nor other replicas are in a measure of tokens.
#[test]
fn tokens_are_measures_of_their_sources() {
    let coordinates: Vec<f64> = (0..2 * 5 * 3).map(|k| (1.1 * k as f64).sin()).collect();
    let shape = Shape { replicas: 2, count: 5, dim: 3, passive: 2 };
    let weights = vec![0.5, 0.3, 0.2, 0.0, 0.0, 0.25, 0.25, 0.5, 0.0, 0.0];
    for (weights, expected) in [(Weights::Each(weights), 0.5), (Weights::Equal, 1.0 / 3.0)] {
        let tokens = Tokens { shape, coordinates: coordinates.clone(), weights };
        let measure = Measure::of(&tokens, 1).expect("a measure");
        assert_eq!(measure.points().collect::<Vec<_>>().concat(), coordinates[15..24]);
        assert_eq!(measure.weight(2), expected);
    }
}

/// Plain half-steps to the same marginal error take 138 and 724 iterations here, in NumPy.
#[test]
fn sinkhorn_is_overdone_where_entropy_is_small() {
    let (a, b) = (Formula::on_sphere(300, 3, 0.1, 0.0).cloud(), Formula::on_sphere(300, 3, 2.0, 0.5).cloud());
    for (epsilon, most) in [(0.05, 46), (0.01, 145)] {
        let settings = Sinkhorn { epsilon, tolerance: 1e-6, iterations: 1000 };
        let found = sinkhorn::divergence(&a.measure(), &b.measure(), settings).expect("a divergence");
        assert!(found.iterations <= most, "epsilon {epsilon}: {found:?}");
    }
}

/// The same by harmonics and, a hair off the sphere, pair by pair. Sums that are wrong do not converge, and are not waited for.
fn harmonics_and_pairs_tell_one_distance(name: &str, [a, b]: &[WeightedPoints; 2], epsilon: f64) {
    let distances = |radius: f64| {
        let [a, b] = [a, b].map(|cloud| {
            let coordinates = cloud.coordinates.iter().map(|x| x * radius).collect();
            WeightedPoints { coordinates, ..cloud.clone() }
        });
        let settings = Sinkhorn { epsilon, tolerance: 1e-8, iterations: 150 };
        let divergence = sinkhorn::divergence(&a.measure(), &b.measure(), settings).expect("a divergence").value;
        [divergence, kernel::mmd(&a.measure(), &b.measure(), 1.0 / epsilon).expect("a distance")]
    };
    let (on_sphere, beside) = (distances(1.0), distances(1.0 + 1e-12));
    for (on_sphere, beside) in on_sphere.into_iter().zip(beside) {
        assert!(on_sphere > 1e-3 && (on_sphere - beside).abs() < 1e-10, "{name}: {on_sphere} and {beside}");
    }
}

#[test]
fn harmonics_and_pairs_tell_one_distance_of_wide_laws() {
    for dim in [2, 3] {
        let [a, b] = [Formula::on_sphere(4000, dim, 0.1, 0.0), Formula::on_sphere(4000, dim, 2.0, 0.5).weighted()];
        harmonics_and_pairs_tell_one_distance(&format!("dim {dim}"), &[a.cloud(), b.cloud()], 0.1);
    }
}

/// Weights span e^12; where laws are far apart, so do scores and potentials.
#[test]
fn harmonics_and_pairs_tell_one_distance_of_narrow_laws() {
    for dim in [2, 3] {
        for angle in [0.2, 1.0, 3.0] {
            let [a, b] = [
                WeightedPoints::von_mises_fisher(6000, dim, 200.0),
                WeightedPoints::von_mises_fisher(5000, dim, 200.0),
            ];
            let name = format!("dim {dim}, angle {angle}");
            harmonics_and_pairs_tell_one_distance(&name, &[a, b.rotated(angle)], 0.05);
        }
    }
}
