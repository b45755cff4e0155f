//! A law of a paper: what it predicts along a key, and what was measured there.

use super::canvas::Heading;
use super::key::short;
use super::parameter::{Curve, Figure, MOST, Point};
use crate::papers::{Law, Predicted, Row};

/// None of a law that predicts no number at two values of a key or more.
pub(super) fn of(law: &Law, rows: &[Row]) -> Option<Figure> {
    let keys = keys(rows);
    let mut names: Vec<[&str; 2]> = Vec::new();
    let mut curves: Vec<Curve> = Vec::new();
    let mut key = None;
    for row in rows {
        let (Some(at), Predicted::Value(predicted)) = (&row.at, row.predicted) else { continue };
        if !(predicted.is_finite() && row.measured.is_finite()) {
            continue;
        }
        key.get_or_insert(at.key.clone());
        let predicted = Some(predicted);
        let point = Point { key: at.value, predicted, measured: row.measured, interval: row.interval };
        let name = [row.quantity.as_str(), at.others.as_str()];
        let index = match names.iter().rposition(|known| *known == name) {
            // What is held to two predictions at a value has a curve for each.
            Some(index) if curves[index].points.iter().all(|known| known.key != at.value) => index,
            known => {
                let before = names.iter().filter(|known| **known == name).count();
                let again = known.map_or(String::new(), |_| format!(" ({})", before + 1));
                names.push(name);
                let quantity = row.quantity.clone() + &again;
                curves.push(Curve { quantity, place: place(&at.others, &keys), points: Vec::new() });
                curves.len() - 1
            }
        };
        curves[index].points.push(point);
    }
    curves.retain(|curve| curve.points.len() > 1);
    let mut heading = Heading { title: law.name.clone(), caption: law.says.clone() };
    if curves.len() > MOST {
        heading.caption.push_str(&format!(" · and {} more curves, see laws.csv", curves.len() - MOST));
    }
    curves.truncate(MOST);
    for curve in &mut curves {
        curve.points.sort_by(|a, b| a.key.total_cmp(&b.key));
    }
    let has_intervals = curves.iter().flat_map(|curve| &curve.points).any(|point| point.interval.is_some());
    let intervals = if has_intervals { ", with 95 % intervals" } else { "" };
    let label = format!("rings: predicted; dots: measured{intervals}");
    (!curves.is_empty()).then_some(Figure { name: "law".into(), heading, key: key?, label, curves })
}

/// The keys that the rows are at values of.
fn keys(rows: &[Row]) -> Vec<&str> {
    let places = || rows.iter().filter_map(|row| row.at.as_ref());
    let others = places().flat_map(|at| at.others.split(", "));
    let mut keys: Vec<&str> = others.filter_map(|other| Some(other.split_once(" = ")?.0)).collect();
    keys.extend(places().map(|at| at.key.as_str()));
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The values of other keys, of which no more words are said than tell them from the rest of `keys`.
fn place(others: &str, keys: &[&str]) -> String {
    let place = |other: &str| match other.split_once(" = ") {
        Some((key, value)) => format!("{} = {value}", short(key, keys)),
        None => other.to_owned(),
    };
    others.split(", ").map(place).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::papers::{At, catalogue};

    fn row(value: f64, others: &str, predicted: f64) -> Row {
        let at = At { key: "attention.beta".into(), value, others: others.into() };
        Row {
            place: String::new(),
            at: Some(at),
            quantity: "x".into(),
            predicted: Predicted::Value(predicted),
            measured: 1.0,
            interval: None,
            holds: true,
        }
    }

    fn figure(rows: &[Row]) -> Figure {
        let law = catalogue().expect("good papers").remove(0).laws.remove(0);
        of(&law, rows).expect("curves")
    }

    #[test]
    fn labels_keep_the_values_of_keys() {
        let keys = ["tokens.dim", "query-key.diagonal.0", "tokens.initial.concentration"];
        assert_eq!(place("", &keys), "");
        assert_eq!(place("tokens.initial.concentration = 40.0", &keys), "concentration = 40.0");
        assert_eq!(place("query-key.diagonal.0 = 1.0, tokens.dim = 4", &keys), "diagonal.0 = 1.0, dim = 4");
    }

    #[test]
    fn two_predictions_of_one_quantity_have_a_curve_each() {
        let rows = [(1.0, 5.0), (2.0, 6.0), (1.0, 7.0), (2.0, 8.0), (3.0, 9.0)].map(|(at, y)| row(at, "", y));
        let curves = figure(&rows).curves;
        let heights = |curve: &Curve| curve.points.iter().filter_map(|point| point.predicted).collect::<Vec<_>>();
        assert_eq!(curves.iter().map(heights).collect::<Vec<_>>(), [vec![5.0, 6.0], vec![7.0, 8.0, 9.0]]);
        assert_eq!([&curves[0].quantity, &curves[1].quantity], ["x", "x (2)"]);
        // Predictions for cells of their own are of one curve.
        let rows = [(1.0, 5.0), (2.0, 6.0), (3.0, 7.0)].map(|(at, y)| row(at, "", y));
        assert_eq!(figure(&rows).curves.len(), 1);
    }

    #[test]
    fn curves_that_are_left_out_are_counted() {
        let rows = |dims: usize| {
            let of_dim = |dim| [1.0, 2.0].map(|at| row(at, &format!("tokens.dim = {dim}"), 1.0));
            (0..dims).flat_map(of_dim).collect::<Vec<_>>()
        };
        let ten = figure(&rows(10));
        assert!(ten.curves.len() == 10 && !ten.heading.caption.contains("more curves"));
        let twelve = figure(&rows(12));
        assert_eq!(twelve.curves.len(), 10);
        assert!(twelve.heading.caption.ends_with(" · and 2 more curves, see laws.csv"), "{}", twelve.heading.caption);
        assert!(ten.label.ends_with("measured"), "one replica has no intervals");
    }
}
