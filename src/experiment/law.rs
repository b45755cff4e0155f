//! How the laws of initial tokens are typed: `initial = { law = "cap", axis = [0, 0, 1], angle = 0.5 }`.

use std::f64::consts::PI;

use super::{
    error::ExperimentError,
    section::{Entry, Section},
};
use crate::initial::Law;

/// The keys beside `law` that a law has, and how they are read.
#[derive(Clone, Copy)]
pub(super) struct LawForm {
    pub keys: &'static [&'static str],
    read: fn(&Section) -> Result<Law, ExperimentError>,
}

pub(super) const LAWS: &[(&str, LawForm)] = &[
    ("uniform", LawForm { keys: &["law"], read: |_| Ok(Law::Uniform) }),
    ("von-mises-fisher", LawForm { keys: &["law", "concentration", "axis"], read: von_mises_fisher }),
    ("cap", LawForm { keys: &["law", "axis", "angle"], read: cap }),
    ("simplex", LawForm { keys: &["law", "overlap"], read: simplex }),
    ("orthonormal", LawForm { keys: &["law"], read: |_| Ok(Law::Orthonormal) }),
    ("two-clusters", LawForm { keys: &["law", "overlap", "fraction", "concentration"], read: two_clusters }),
    ("file", LawForm { keys: &["law", "path"], read: file }),
];

pub(super) fn read(entry: &Entry) -> Result<Law, ExperimentError> {
    let form = entry.peek("law", "\"uniform\"")?.word(LAWS)?.meaning;
    (form.read)(&entry.section(form.keys)?)
}

fn von_mises_fisher(section: &Section) -> Result<Law, ExperimentError> {
    let concentration = section.required("concentration", "2.0")?.number_or_infinity()?;
    Ok(Law::VonMisesFisher { concentration, axis: axis(section)? })
}

fn cap(section: &Section) -> Result<Law, ExperimentError> {
    let axis = axis(section)?;
    let in_range = |angle| angle > 0.0 && angle <= PI;
    let angle = section.required("angle", "0.5")?.number("in radians, greater than 0 and at most pi", in_range)?;
    Ok(Law::Cap { axis, angle })
}

fn simplex(section: &Section) -> Result<Law, ExperimentError> {
    Ok(Law::Simplex { overlap: section.optional("overlap", "0.5").map(|entry| overlap(&entry)).transpose()? })
}

fn two_clusters(section: &Section) -> Result<Law, ExperimentError> {
    let overlap = overlap(&section.required("overlap", "0.5")?)?;
    let in_range = |fraction| (0.0..=1.0).contains(&fraction);
    let fraction = section.required("fraction", "0.5")?.number("from 0 to 1", in_range)?;
    let concentration = match section.optional("concentration", "100.0") {
        Some(entry) => entry.number_or_infinity()?,
        None => f64::INFINITY,
    };
    Ok(Law::TwoClusters { overlap, fraction, concentration })
}

fn file(section: &Section) -> Result<Law, ExperimentError> {
    Ok(Law::File { path: section.required("path", "\"x.npy\"")?.path()? })
}

fn axis(section: &Section) -> Result<Vec<f64>, ExperimentError> {
    section.required("axis", "[0.0, 0.0, 1.0]")?.numbers()
}

fn overlap(entry: &Entry) -> Result<f64, ExperimentError> {
    entry.number("from -1 to 1", |overlap| (-1.0..=1.0).contains(&overlap))
}
