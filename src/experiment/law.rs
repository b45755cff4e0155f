//! How the laws of initial tokens are typed: `initial = { law = "cap", axis = [0, 0, 1], angle = 0.5 }`.
//!
//! Which numbers make sense is the law's own knowledge, and asked when the experiment is resolved.

use super::{
    array::rows,
    error::ExperimentError,
    section::{Entry, Section},
};
use crate::initial::{Law, Spread};

/// The keys beside `law` that a law has, and how they are read.
#[derive(Clone, Copy)]
pub(crate) struct LawForm {
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
    ("gaussian", LawForm { keys: &["law", "mean", "scale", "covariance"], read: gaussian }),
    ("file", LawForm { keys: &["law", "path"], read: file }),
];

pub(super) fn read(entry: &Entry) -> Result<Law, ExperimentError> {
    let form = entry.peek("law", "\"uniform\"")?.word(LAWS)?.meaning;
    (form.read)(&entry.section(form.keys)?)
}

fn von_mises_fisher(section: &Section) -> Result<Law, ExperimentError> {
    let concentration = section.required("concentration", "2.0")?.any_number()?;
    Ok(Law::VonMisesFisher { concentration, axis: axis(section)? })
}

fn cap(section: &Section) -> Result<Law, ExperimentError> {
    let axis = axis(section)?;
    Ok(Law::Cap { axis, angle: section.required("angle", "0.5")?.any_number()? })
}

fn simplex(section: &Section) -> Result<Law, ExperimentError> {
    Ok(Law::Simplex { overlap: section.optional("overlap", "0.5").map(|entry| entry.any_number()).transpose()? })
}

fn two_clusters(section: &Section) -> Result<Law, ExperimentError> {
    let overlap = section.required("overlap", "0.5")?.any_number()?;
    let fraction = section.required("fraction", "0.5")?.any_number()?;
    let concentration = match section.optional("concentration", "100.0") {
        Some(entry) => entry.any_number()?,
        None => f64::INFINITY,
    };
    Ok(Law::TwoClusters { overlap, fraction, concentration })
}

fn gaussian(section: &Section) -> Result<Law, ExperimentError> {
    let mean = section.read("mean", "[0.0, 0.0, 0.0]", |entry| entry.numbers())?;
    let Some(covariance) = section.optional("covariance", "[[1.0, 0.0], [0.0, 1.0]]") else {
        let scale = section.required("scale", "1.0")?.any_number()?;
        return Ok(Law::Gaussian { mean, spread: Spread::Scale(scale) });
    };
    section.forbid(&["scale"], "stands beside covariance", "write one of the two")?;
    Ok(Law::Gaussian { mean, spread: Spread::Covariance(rows(&covariance)?) })
}

fn file(section: &Section) -> Result<Law, ExperimentError> {
    Ok(Law::File { path: section.required("path", "\"x.npy\"")?.path()? })
}

fn axis(section: &Section) -> Result<Vec<f64>, ExperimentError> {
    section.required("axis", "[0.0, 0.0, 1.0]")?.numbers()
}
