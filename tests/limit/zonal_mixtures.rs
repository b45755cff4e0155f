//! Mixtures of laws about one axis by their heights, against nodes of the plane and of the sphere, and closed forms.

use super::{FISHER, UNIFORM, VON_MISES, cap, experiment, mixture, run};

const OPPOSITE: &str = "{ law = \"von-mises-fisher\", concentration = 8.0, axis = [0.0, 0.0, -2.0] }";
const CAP: &str = "{ law = \"cap\", axis = [0.0, 0.0, 1.0], angle = 0.8 }";

/// The mean of a law of concentration k on the sphere is coth k - 1 / k, that of a cap (1 + cos angle) / 2.
#[test]
fn heights_of_mixtures_are_those_of_their_laws_on_the_sphere() {
    let law = mixture(&[(0.2, UNIFORM), (0.3, OPPOSITE), (0.4, FISHER), (0.1, CAP)]);
    let observe =
        "every = 0.5\nquantities = [\"coupling_error\", \"limit_moments\", \"limit_pair_overlap\", \"limit_energy\"]";
    let [nodes, heights] = ["quadrature", "zonal"].map(|kind| run(&experiment(20, 3, &law, 0.5, kind, observe)));
    let langevin = |k: f64| 1.0 / k.tanh() - 1.0 / k;
    let mean = -0.3 * langevin(8.0) + 0.4 * langevin(3.0) + 0.1 * (1.0 + 0.8_f64.cos()) / 2.0;
    for printed in [&nodes, &heights] {
        let found = printed.at("limit_mean_2", 0.0);
        assert!((found - mean).abs() < 1e-9, "{found}, not {mean}");
    }
    for column in &nodes.columns {
        for time in [0.0, 0.5] {
            let (found, expected) = (heights.at(column, time), nodes.at(column, time));
            assert!((found - expected).abs() < 1e-8, "t = {time}: {column} = {found}, not {expected}");
        }
    }
    let moved = heights.at("limit_mean_2", 0.5) - mean;
    assert!(moved.abs() > 1e-3, "no test: {moved}");
}

/// On the circle quantiles are counted from opposite the first law, wherever the axis is.
#[test]
fn distances_from_mixtures_are_those_by_nodes_of_the_circle() {
    let below = "{ law = \"von-mises-fisher\", concentration = 5.0, axis = [0.0, -1.0] }";
    let sideways = "{ law = \"von-mises-fisher\", concentration = 5.0, axis = [-1.0, 0.0] }";
    let left = cap(std::f64::consts::PI, 0.5);
    let mixtures = [
        mixture(&[(0.5, UNIFORM), (0.3, below), (0.2, VON_MISES)]),
        mixture(&[(0.4, UNIFORM), (0.4, sideways), (0.2, &left)]),
    ];
    for law in mixtures {
        let observe = "quantities = [\"w1_reference\", \"w2_reference\", \"coupling_error\", \"limit_energy\"]";
        let [nodes, heights] = ["quadrature", "zonal"].map(|kind| run(&experiment(64, 2, &law, 0.5, kind, observe)));
        for column in &nodes.columns {
            let (found, expected) = (heights.last(column), nodes.last(column));
            assert!((found - expected).abs() < 1e-7, "{law}: {column} = {found}, not {expected}");
        }
    }
}
