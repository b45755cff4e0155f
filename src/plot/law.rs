//! A law of a paper: what it predicts along a key, and what was measured there.

use super::canvas::Heading;
use super::parameter::{Curve, Figure, LONGEST, MOST, Point};
use super::rates::short;
use crate::papers::{Law, Predicted, Row};

/// None of a law that predicts no number at two values of a key or more.
pub(super) fn of(law: &Law, rows: &[Row]) -> Option<Figure> {
    // Names may be alike where they are shortened.
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
        match names.iter().position(|known| *known == name) {
            Some(index) => curves[index].points.push(point),
            None => {
                names.push(name);
                curves.push(Curve { label: label(name), points: vec![point] });
            }
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

/// A quantity and the values of other keys, of which the last word is enough; a long formula makes room for these.
fn label([quantity, others]: [&str; 2]) -> String {
    if others.is_empty() {
        return quantity.to_owned();
    }
    let place = |other: &str| match other.split_once(" = ") {
        Some((key, value)) => format!("{} = {value}", short(key)),
        None => other.to_owned(),
    };
    let others = others.split(", ").map(place).collect::<Vec<_>>().join(", ");
    let room = LONGEST.saturating_sub(others.chars().count() + 3).max(8);
    match quantity.char_indices().nth(room) {
        Some((end, _)) => format!("{}…, {others}", &quantity[..end]),
        None => format!("{quantity}, {others}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_keep_the_values_of_keys() {
        assert_eq!(label(["pair_overlap", ""]), "pair_overlap");
        assert_eq!(label(["settled", "tokens.initial.concentration = 40.0"]), "settled, concentration = 40.0");
        let long = label(["acos(max(-1, min(1, pair_overlap)))", "tokens.dim = 4"]);
        assert_eq!(long, "acos(max(-1, min(1, pair…, dim = 4");
    }
}
