//! A law of a paper: what it predicts along a key, and what was measured there.

use super::canvas::Heading;
use super::parameter::{Curve, Figure, MOST, Point};
use crate::papers::{Law, Predicted, Row};

/// None of a law that predicts no number at two values of a key or more.
pub(super) fn of(law: &Law, rows: &[Row]) -> Option<Figure> {
    let mut curves: Vec<Curve> = Vec::new();
    let mut key = None;
    for row in rows {
        let (Some(at), Predicted::Value(predicted)) = (&row.at, row.predicted) else { continue };
        if !(predicted.is_finite() && row.measured.is_finite()) {
            continue;
        }
        key.get_or_insert(at.key.clone());
        let label =
            if at.others.is_empty() { row.quantity.clone() } else { format!("{}, {}", row.quantity, at.others) };
        let predicted = Some(predicted);
        let point = Point { key: at.value, predicted, measured: row.measured, interval: row.interval };
        match curves.iter_mut().find(|curve| curve.label == label) {
            Some(curve) => curve.points.push(point),
            None => curves.push(Curve { label, points: vec![point] }),
        }
    }
    curves.retain(|curve| curve.points.len() > 1);
    curves.truncate(MOST);
    for curve in &mut curves {
        curve.points.sort_by(|a, b| a.key.total_cmp(&b.key));
    }
    let heading = Heading { title: law.name.clone(), caption: law.says.clone() };
    let label = "rings: predicted; dots: measured, with 95 % intervals".into();
    (!curves.is_empty()).then_some(Figure { name: "law".into(), heading, key: key?, label, curves })
}
