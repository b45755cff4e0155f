//! Distances by POT and GeomLoss, as `reference.py` stored them.

use serde::Deserialize;
use tokenfield::transport::{Order, assignment, circle, kernel, sinkhorn, sinkhorn::Sinkhorn, sliced};

use crate::{clouds::Formula, compare::close};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    quantity: String,
    value: f64,
    a: Formula,
    b: Formula,
    order: Option<u8>,
    epsilon: Option<f64>,
    beta: Option<f64>,
    directions: Option<Formula>,
}

impl Record {
    fn order(&self) -> Order {
        match self.order {
            Some(1) => Order::One,
            Some(2) => Order::Two,
            order => panic!("{}: no order {order:?}", self.quantity),
        }
    }
}

/// Compares `quantity` of this library with all records of it, of which there must be some.
fn compare(quantity: &str, tolerance: f64, found: impl Fn(&Record) -> f64) {
    let records: Vec<Record> = serde_json::from_str(include_str!("reference.json")).expect("records");
    let records: Vec<Record> = records.into_iter().filter(|record| record.quantity == quantity).collect();
    assert!(records.len() >= 3, "{} records of {quantity}", records.len());
    for (index, record) in records.iter().enumerate() {
        close(&format!("{quantity} {index}"), found(record), record.value, tolerance);
    }
}

#[test]
fn circle_is_that_of_pot() {
    // POT halves its interval of cuts down to 1e-10 for p = 2; W_2 is flat to first order there.
    compare("circle", 1e-9, |record| {
        let (a, b) = (record.a.cloud(), record.b.cloud());
        circle::wasserstein(record.order(), &a.measure(), &b.measure()).expect("a distance")
    });
}

#[test]
fn assignment_is_that_of_pot() {
    compare("assignment", 1e-13, |record| {
        let (a, b) = (record.a.cloud(), record.b.cloud());
        assignment::wasserstein(record.order(), &a.measure(), &b.measure()).expect("a distance")
    });
}

#[test]
fn sliced_along_the_same_directions_is_that_of_pot() {
    compare("sliced", 1e-13, |record| {
        let (a, b) = (record.a.cloud(), record.b.cloud());
        let directions = record.directions.as_ref().expect("directions").cloud().coordinates;
        sliced::along(record.order(), &a.measure(), &b.measure(), &directions).expect("a distance").distance
    });
}

fn divergence(record: &Record) -> f64 {
    let epsilon = record.epsilon.expect("epsilon");
    let settings = Sinkhorn { epsilon, tolerance: 1e-12, iterations: 100_000 };
    let (a, b) = (record.a.cloud(), record.b.cloud());
    sinkhorn::divergence(&a.measure(), &b.measure(), settings).expect("a divergence").value
}

#[test]
fn sinkhorn_is_that_of_pot() {
    // POT is stopped after 20,000 iterations; at the smallest epsilon it lacks 3e-10 then, as this library would.
    compare("sinkhorn", 1e-9, divergence);
}

#[test]
fn sinkhorn_is_that_of_geomloss() {
    // GeomLoss anneals and stops; what its last steps leave is this large.
    compare("sinkhorn-geomloss", 1e-4, divergence);
}

fn energy(record: &Record) -> f64 {
    let (a, b) = (record.a.cloud(), record.b.cloud());
    kernel::energy_distance(&a.measure(), &b.measure()).expect("a distance")
}

#[test]
fn energy_distance_is_that_of_scipy() {
    compare("energy", 1e-13, energy);
}

#[test]
fn energy_distance_is_that_of_geomloss() {
    // GeomLoss takes no distance for less than 1e-4, not even that of a point to itself.
    compare("energy-geomloss", 1e-5, energy);
}

#[test]
fn mmd_is_that_of_geomloss() {
    compare("mmd", 1e-11, |record| {
        let (a, b) = (record.a.cloud(), record.b.cloud());
        kernel::mmd(&a.measure(), &b.measure(), record.beta.expect("beta")).expect("a distance")
    });
}
