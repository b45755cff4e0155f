//! Laws of the literature.

use std::{path::PathBuf, sync::Arc};

use pyo3::{exceptions::PyValueError, prelude::*, types::PyDict};
use tokenfield::{
    backend::machine::Machine,
    papers::{Law, Paper, Predicted, catalogue, try_law as try_one},
    plot,
};

use crate::{
    errors::Raised,
    machines::{machine, precision},
    runs::{cells, watched},
};

fn find(slug: &str, law: &str) -> PyResult<(Paper, Law)> {
    let papers = catalogue().map_err(Raised::raised)?;
    let paper = papers.into_iter().find(|paper| paper.slug == slug);
    let found = paper.and_then(|paper| {
        let law = paper.laws.iter().find(|known| known.name == law)?.clone();
        Some((paper, law))
    });
    found.ok_or_else(|| PyValueError::new_err(format!("{slug}/{law}: no such law; tokenfield.laws() lists them")))
}

/// All laws that are known, a dictionary each.
#[pyfunction]
pub(crate) fn laws(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let mut laws = Vec::new();
    for paper in catalogue().map_err(Raised::raised)? {
        for law in &paper.laws {
            let entry = PyDict::new(py);
            entry.set_item("paper", &paper.slug)?;
            entry.set_item("title", &paper.title)?;
            entry.set_item("authors", &paper.authors)?;
            entry.set_item("arxiv", &paper.arxiv)?;
            entry.set_item("law", &law.name)?;
            entry.set_item("says", law.says.trim())?;
            entry.set_item("certainty", law.certainty.word())?;
            entry.set_item("finding", law.finding.as_deref().map(str::trim))?;
            laws.push(entry);
        }
    }
    Ok(laws)
}

/// Runs the experiments of a law into the folder `out`, draws its picture, and returns its rows, a dictionary each.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "one for each argument of the function in Python")]
pub(crate) fn try_law<'py>(
    py: Python<'py>,
    paper: &str,
    law: &str,
    full: bool,
    out: PathBuf,
    device: &str,
    precision: &str,
    on_cells: Option<Py<PyAny>>,
    on_steps: Option<Py<PyAny>>,
    on_warning: Py<PyAny>,
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let (paper, law) = find(paper, law)?;
    let law = if full { law.in_full() } else { law };
    let machine: Machine = machine(device, self::precision(precision)?)?;
    let on_cells = on_cells.map(Arc::new);
    let (of, tried) = (paper.clone(), law.clone());
    let folder = out.clone();
    let rows = watched(py, on_steps, None, on_warning, move |waiting, listener| {
        let listen = |event: tokenfield::sweep::Event<'_>| cells(waiting, listener, on_cells.as_ref(), event);
        pollster::block_on(try_one(&of, &tried, &folder, &machine, listen)).map_err(Raised::raised)
    })??;
    py.detach(|| plot::draw_law(&out, &law, &rows)).map_err(Raised::raised)?;
    let row = |row: &tokenfield::papers::Row| {
        let entry = PyDict::new(py);
        let (predicted, relation) = match row.predicted {
            Predicted::Value(value) => (value, "="),
            Predicted::AtLeast(value) => (value, ">="),
            Predicted::AtMost(value) => (value, "<="),
        };
        entry.set_item("paper", &paper.slug)?;
        entry.set_item("law", &law.name)?;
        entry.set_item("place", &row.place)?;
        entry.set_item("quantity", &row.quantity)?;
        entry.set_item("relation", relation)?;
        entry.set_item("predicted", predicted)?;
        entry.set_item("measured", row.measured)?;
        entry.set_item("interval", row.interval.map(|[low, high]| (low, high)))?;
        entry.set_item("holds", row.holds)?;
        Ok(entry)
    };
    rows.iter().map(row).collect()
}
