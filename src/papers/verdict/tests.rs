//! Verdicts on numbers that are written down.

use std::collections::BTreeMap;

use super::*;
use crate::{papers::file::Expectation, record::Fingerprint};

fn expected(text: &str) -> Expected {
    let typed: Expectation = toml::from_str(text).expect("an expectation");
    Expected::read(&typed).unwrap_or_else(|fault| panic!("{fault:?}"))
}

/// A cell of two columns, one of which pairs of replicas share.
fn cell(beta: f64, own: &[f64]) -> Measured {
    let keys = format!("[attention]\nbeta = {beta:?}").parse().expect("TOML");
    let rows = own.iter().enumerate().map(|(replica, x)| {
        let values = [x.to_string(), format!("{}", replica / 2)];
        Final { replica, values: values.iter().collect() }
    });
    let finals = Finals {
        columns: vec!["x".into(), "shared".into()],
        sharers: vec![1, 2],
        rows: rows.collect(),
        samples: Fingerprint::of(b""),
    };
    Measured {
        place: format!("attention.beta = {beta}"),
        at: None,
        scope: Scope::new(keys, &BTreeMap::new()).expect("a scope"),
        finals,
    }
}

#[test]
fn chance_and_bounds_are_allowed_for_and_no_more() {
    // Mean 3, standard error 2^{-1/2}: four of them are 2.83.
    let cells = [cell(2.0, &[1.0, 2.0, 3.0, 4.0, 5.0])];
    let holds = |text: &str| judge(&expected(text), &cells).expect("names are known")[0].holds;
    assert!(holds("measured = \"x\"\npredicted = \"5.8\""));
    assert!(!holds("measured = \"x\"\npredicted = \"5.9\""));
    assert!(holds("measured = \"x\"\npredicted = \"5.9\"\nwithin = \"0.05 * attention.beta\"\nreason = \"bias\""));
    assert!(holds("measured = \"x\"\npredicted = \"3.7\"\nstandard-errors = 1"));
    assert!(!holds("measured = \"x\"\npredicted = \"3.8\"\nstandard-errors = 1"));
    assert!(holds("measured = \"x / attention.beta\"\nat-least = \"1.5\"\nreason = \"half\""));
    assert!(!holds("measured = \"x\"\nat-most = \"0.1\"\nreason = \"small\""));
    assert!(!holds("measured = \"ln(x - 9)\"\npredicted = \"0\""), "what is not a number is no evidence");
    assert!(!holds("measured = \"ln(x - 9)\"\nat-most = \"0\"\nreason = \"none\""));
    let row = &judge(&expected("measured = \"shared\"\npredicted = \"1\""), &cells).expect("names")[0];
    assert_eq!(row.measured, 1.0, "0, 1 and 2: each number of a pair counts once");
    assert!(judge(&expected("measured = \"y\"\npredicted = \"1\""), &cells).is_err());
}

#[test]
fn rates_are_over_the_cells_that_are_concerned() {
    let cells = [1.0, 2.0, 4.0, 8.0].map(|beta| {
        let height = if beta == 8.0 { 1.0 } else { 1.0 / (beta * beta) };
        cell(beta, &[height * 0.99, height, height * 1.01])
    });
    let all = expected("rate = \"x\"\nagainst = \"attention.beta\"\npredicted = \"-2\"");
    assert!(!judge(&all, &cells).expect("names")[0].holds);
    let some =
        expected("rate = \"x\"\nagainst = \"attention.beta\"\npredicted = \"-2\"\nwhere = \"attention.beta < 8\"");
    let rows = judge(&some, &cells).expect("names");
    assert_eq!(rows.len(), 1);
    assert!(rows[0].holds && (rows[0].measured + 2.0).abs() < 1e-12, "{rows:?}");
    let means = expected("measured = \"x\"\npredicted = \"attention.beta^-2\"\nwhere = \"attention.beta < 8\"");
    assert_eq!(judge(&means, &cells).expect("names").iter().filter(|row| row.holds).count(), 3);
}
