//! Pictures of a run folder, for those who look before they count.
//!
//! This room reads what a run left on disk and runs nothing: `samples.csv` becomes one chart a quantity, `tokens.npy`
//! one view of the final tokens. Each picture is written as SVG, for papers, and as PNG, for pages. The font is
//! carried along, so a bare machine draws the same words.
//!
//! ```text
//! samples ┐                ┌ series (axis, frame)            ┐
//! cloud   ├ the run folder ┤                                 ├ canvas ─ SVG, PNG (raster)
//! heading ┘                └ tokens (circle, sphere, plane)  ┘
//! ```

mod axis;
mod canvas;
mod circle;
mod cloud;
mod clusters;
mod dots;
mod error;
mod font;
mod frame;
mod heading;
mod legend;
mod palette;
mod plane;
mod projection;
mod raster;
mod samples;
mod series;
mod sphere;
mod tokens;

use std::path::{Path, PathBuf};

pub use error::PlotError;

/// Draws the run folder `dir` and returns the pictures, which lie in it.
///
/// `mean_norm`, `log_energy` and `w2_dirac` are drawn against layer-time if `samples.csv` has their columns, one line
/// a replica and their mean; `tokens` shows the final tokens of replica 0. Each is a `.svg` and a `.png`.
///
/// # Errors
///
/// A file that is missing or not what a run writes is named, with the line and column at fault. Nothing is then
/// drawn: all pictures are finished before the first takes its name.
pub fn draw(dir: &Path) -> Result<Vec<PathBuf>, PlotError> {
    let samples = samples::read(&dir.join("samples.csv"))?;
    let heading = heading::read(&dir.join("experiment.toml"))?;
    let cloud = cloud::Cloud::read(&dir.join("tokens.npy"))?;

    let mut finished = Vec::new();
    for (curve, lines) in samples {
        finished.extend(canvas::finish(dir, &series::Series { heading: heading.clone(), curve, lines })?);
    }
    finished.extend(canvas::finish(dir, &tokens::Tokens::new(&heading, &cloud))?);
    finished.into_iter().map(canvas::Finished::publish).collect()
}
