//! Pictures of a run or sweep folder, for those who look before they count.
//!
//! This room reads what a run left on disk and runs nothing: `samples.csv` becomes one chart a quantity, `tokens.npy`
//! one view of the final tokens, `cells.csv` and `rates.csv` of a sweep its rates and phase diagrams. Each picture is written as
//! SVG, for papers, and as PNG, for pages. The font is carried along, so a bare machine draws the same words.
//!
//! ```text
//! samples ┐                  ┌ series (axis, frame)            ┐
//! cloud   ├ the run folder   ┤                                 │
//! heading ┘                  └ tokens (circle, sphere, plane)  ├ canvas ─ SVG, PNG (raster)
//! grid    ─ the sweep folder ┬ rates                           │
//!                            └ phase (heat)                    ┘
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
mod grid;
mod heading;
mod heat;
mod legend;
mod palette;
mod phase;
mod plane;
mod projection;
mod raster;
mod rates;
mod samples;
mod series;
mod sphere;
mod tokens;

use std::path::{Path, PathBuf};

pub use error::PlotError;

/// Draws the run or sweep folder `dir` and returns the pictures, which lie in it.
///
/// Of a run, every quantity that has a picture and a column in `samples.csv` is drawn against layer-time, one line a replica and
/// their mean; `tokens` shows the final tokens of replica 0. Of a sweep, `rates` shows its fits on log-log axes; without fits,
/// `phase-QUANTITY` is a map over two keys of numbers, or over one and layer-time; of other sweeps there is no picture.
/// Each is a `.svg` and a `.png`.
///
/// # Errors
///
/// A file that is missing or not what a run or a sweep writes is named, with the line and column at fault. Nothing is then
/// drawn: all pictures are finished before the first takes its name.
pub fn draw(dir: &Path) -> Result<Vec<PathBuf>, PlotError> {
    let finished = if dir.join("cells").is_dir() { of_sweep(dir)? } else { of_run(dir)? };
    finished.into_iter().map(canvas::Finished::publish).collect()
}

fn of_run(dir: &Path) -> Result<Vec<canvas::Finished>, PlotError> {
    let samples = samples::read(&dir.join("samples.csv"))?;
    let heading = heading::read(&dir.join("experiment.toml"))?;
    let cloud = cloud::Cloud::read(&dir.join("tokens.npy"))?;

    let mut finished = Vec::new();
    for (curve, lines) in samples {
        finished.extend(canvas::finish(dir, &series::Series { heading: heading.clone(), curve, lines })?);
    }
    finished.extend(canvas::finish(dir, &tokens::Tokens::new(&heading, &cloud))?);
    Ok(finished)
}

fn of_sweep(dir: &Path) -> Result<Vec<canvas::Finished>, PlotError> {
    let grid = grid::Grid::read(dir)?;
    let base = dir.join("cells").join(&grid.cells[0].id).join("experiment.toml");
    let heading = heading::read_without(&base, &grid.keys)?;
    let mut finished = Vec::new();
    for rates in rates::Rates::of(&grid, &heading) {
        finished.extend(canvas::finish(dir, &rates)?);
    }
    if grid.fits.is_empty() {
        for map in phase::diagrams(dir, &grid, &heading)? {
            finished.extend(canvas::finish(dir, &map)?);
        }
    }
    Ok(finished)
}
