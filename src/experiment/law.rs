//! How the laws of initial tokens are typed: `initial = { law = "cap", axis = [0, 0, 1], angle = 0.5 }`.
//!
//! Which numbers make sense is the law's own knowledge, and asked when the experiment is resolved.

use super::{
    array::rows,
    error::ExperimentError,
    section::{Entry, Section},
};
use crate::initial::{
    Bound, Cap, Fourier, FromFile, Gaussian, Law, LawKind, Mixture, Orthonormal, Points, Simplex, Spread,
    TwoClusters, Uniform, UniformBox, VonMisesFisher,
};

pub(super) fn read(entry: &Entry) -> Result<Law, ExperimentError> {
    let kind = entry.peek("law", "\"uniform\"")?.word(LawKind::WORDS)?.meaning;
    let section = &entry.section(kind.keys())?;
    Ok(match kind {
        LawKind::Uniform => Law::Uniform(Uniform),
        LawKind::VonMisesFisher => {
            let concentration = section.required("concentration", "2.0")?.any_number()?;
            Law::VonMisesFisher(VonMisesFisher { concentration, axis: axis(section)? })
        }
        LawKind::Cap => {
            let axis = axis(section)?;
            Law::Cap(Cap { axis, angle: section.required("angle", "0.5")?.any_number()? })
        }
        LawKind::Fourier => {
            let amplitudes = section.required("amplitudes", "[0.0, 0.0, 0.01]")?.numbers()?;
            let quiet = section.read("quiet", "true", |entry| entry.truth())?.unwrap_or(false);
            Law::Fourier(Fourier { amplitudes, quiet })
        }
        LawKind::Simplex => {
            Law::Simplex(Simplex { overlap: section.read("overlap", "0.5", |entry| entry.any_number())? })
        }
        LawKind::Orthonormal => Law::Orthonormal(Orthonormal),
        LawKind::Points => {
            let rows = section.required("rows", "[[1.0, 0.0], [0.0, 1.0]]")?;
            let row = |row: &Entry| row.numbers();
            Law::Points(Points { rows: rows.list("[1.0, 0.0]")?.iter().map(row).collect::<Result<_, _>>()? })
        }
        LawKind::TwoClusters => {
            let overlap = section.required("overlap", "0.5")?.any_number()?;
            let fraction = section.required("fraction", "0.5")?.any_number()?;
            let concentration = section.read("concentration", "100.0", |entry| entry.any_number())?;
            Law::TwoClusters(TwoClusters { overlap, fraction, concentration: concentration.unwrap_or(f64::INFINITY) })
        }
        LawKind::Gaussian => {
            let mean = section.read("mean", "[0.0, 0.0, 0.0]", |entry| entry.numbers())?;
            Law::Gaussian(Gaussian { mean, spread: spread(section)? })
        }
        LawKind::Box => {
            let low = bound(&section.required("low", "-1.0")?)?;
            Law::Box(UniformBox { low, high: bound(&section.required("high", "1.0")?)? })
        }
        LawKind::Mixture => {
            let weights = section.read("weights", "[0.25, 0.75]", |entry| entry.numbers())?;
            let laws = section.required("laws", "[{ law = \"uniform\" }]")?.list("{ law = \"uniform\" }")?;
            Law::Mixture(Mixture { weights, laws: laws.iter().map(read).collect::<Result<_, _>>()? })
        }
        LawKind::File => Law::File(FromFile { path: section.required("path", "\"x.npy\"")?.path()? }),
    })
}

fn spread(section: &Section) -> Result<Spread, ExperimentError> {
    let Some(covariance) = section.optional("covariance", "[[1.0, 0.0], [0.0, 1.0]]") else {
        return Ok(Spread::Scale(section.required("scale", "1.0")?.any_number()?));
    };
    section.forbid(&["scale"], "stands beside covariance", "write one of the two")?;
    Ok(Spread::Covariance(rows(&covariance)?))
}

/// One number, or one for each component.
fn bound(entry: &Entry) -> Result<Bound, ExperimentError> {
    if entry.is_list() { entry.numbers().map(Bound::Each) } else { entry.any_number().map(Bound::All) }
}

fn axis(section: &Section) -> Result<Vec<f64>, ExperimentError> {
    section.required("axis", "[0.0, 0.0, 1.0]")?.numbers()
}
