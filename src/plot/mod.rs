//! Pictures of a run or sweep folder, for those who look before they count.
//!
//! This room reads what a run left on disk and runs nothing: `samples.csv` becomes one chart a quantity, `tokens.npy`
//! one view of the final tokens, `cells.csv` and `rates.csv` of a sweep its rates and phase diagrams. Each picture is written as
//! SVG, for papers, and as PNG, for pages. The font is carried along, so a bare machine draws the same words.
//!
//! ```text
//! samples ┐                  ┌ columns: series (spread), components ┐
//! cloud   ├ the run folder   ┤                                      │
//! heading ┤                  ├ histogram (heat)                     │
//!         │                  ├ tokens (circle, sphere, plane)       │
//! motion  │                  ├ over_time (panel), angles            ├ canvas ─ SVG, PNG (raster), GIF
//!         ┘                  └ attention (heat)                     │
//! grid    ─ the sweep folder ┬ rates                                │
//!                            ├ phase (heat)                         │
//!                            └ against (parameter)                  │
//! laws    ─ of papers        ─ law (parameter)                      ┘
//! ```

mod against;
mod angles;
mod attention;
mod axis;
mod camera;
mod canvas;
mod circle;
mod clusters;
mod columns;
mod components;
mod dots;
mod error;
mod font;
mod frame;
mod grid;
mod heading;
mod heat;
mod histogram;
mod key;
mod law;
mod legend;
mod motion;
mod over_time;
mod palette;
mod panel;
mod parameter;
mod phase;
mod plane;
mod projection;
mod raster;
mod rates;
mod replica_tokens;
mod samples;
mod series;
mod sphere;
mod spread;
mod token_file;
mod tokens;
mod view;

use std::path::{Path, PathBuf};

pub use error::PlotError;

use crate::{
    papers::{Law, Row},
    record::{Claim, RecordError, Standing, standing},
    sweep,
};

/// Draws the run or sweep folder `dir` and returns the pictures, which lie in it.
///
/// Of a run, every column of `samples.csv` is drawn against layer-time, one line a replica and their mean, or where replicas are many the
/// regions of most of them, with what the limit has beside; numbered columns share a picture, and those of the histogram of overlaps are a
/// map; `tokens` shows the final tokens of replica 0, and `tokens-over-time` earlier ones if the run kept them, on the circle their `angles` as well;
/// `attention` shows the last matrices of attention of replica 0, if these were kept. Of a sweep, `rates` shows its fits on log-log axes; without fits,
/// `phase-QUANTITY` is a map over two keys of numbers, or over one and layer-time, and `final-COLUMN` shows what cells end with; of other sweeps there is no picture.
/// Each is a `.svg` and a `.png`.
///
/// # Errors
///
/// A folder that somebody is at work on, whose run did not come to its end, or whose files are not what the manifest says, and a file that
/// is missing or not what a run or a sweep writes, are named, with the line and column at fault. Nothing is then drawn: all pictures are
/// finished before the first takes its name.
pub fn draw(dir: &Path) -> Result<Vec<PathBuf>, PlotError> {
    let is_sweep = is_sweep(dir);
    if !is_sweep {
        require_complete(dir)?;
    }
    let _alone = alone(dir)?;
    let finished = if is_sweep { of_sweep(dir)? } else { of_run(dir)? };
    finished.into_iter().map(canvas::Finished::publish).collect()
}

/// Draws `law` into the sweep folder of its experiments: what it predicts along a key, and what `rows` say was measured there. Nothing
/// where it predicts no numbers along a key.
pub fn draw_law(dir: &Path, law: &Law, rows: &[Row]) -> Result<Vec<PathBuf>, PlotError> {
    let Some(figure) = law::of(law, rows) else { return Ok(Vec::new()) };
    let _alone = alone(dir)?;
    canvas::finish(dir, &figure)?.into_iter().map(canvas::Finished::publish).collect()
}

fn is_sweep(dir: &Path) -> bool {
    dir.join("cells").is_dir() && !dir.join("samples.csv").exists()
}

/// The right to draw into a folder. Who has it may remove what others left who were killed while they drew.
fn alone(dir: &Path) -> Result<Claim, PlotError> {
    Claim::wait(dir).map_err(|error| match error {
        RecordError::Write { path, source } => PlotError::Write { path, source },
        other => PlotError::File { path: dir.to_owned(), problem: other.to_string(), remedy: "draw again" },
    })
}

/// Refuses a run folder that cannot be trusted.
fn require_complete(dir: &Path) -> Result<(), PlotError> {
    let again = "let `tokenfield run` write the folder again";
    let (path, problem, remedy) = match standing(dir) {
        Standing::Complete => return Ok(()),
        Standing::Broken { path, problem } => (path, problem, again),
        found @ Standing::Absent => {
            (dir.to_owned(), found.to_string(), "give a folder that `tokenfield run` or `tokenfield sweep` wrote")
        }
        found @ Standing::Held(_) => (dir.to_owned(), found.to_string(), "wait until its run has ended"),
        found @ (Standing::Interrupted | Standing::Failed(_)) => (dir.to_owned(), found.to_string(), again),
    };
    Err(PlotError::File { path, problem, remedy })
}

fn of_run(dir: &Path) -> Result<Vec<canvas::Finished>, PlotError> {
    let heading = heading::read(&dir.join("experiment.toml"))?;
    let (series, components) = columns::charts(&dir.join("samples.csv"), &heading)?;
    let mut tokens = token_file::TokenFile::open(&dir.join("tokens.npy"))?;

    let mut finished = Vec::new();
    for chart in &series {
        finished.extend(canvas::finish(dir, chart)?);
    }
    for chart in &components {
        finished.extend(canvas::finish(dir, chart)?);
    }
    finished.extend(canvas::finish(dir, &view::Tokens::read(&heading, &mut tokens)?)?);
    if let Some(map) = histogram::of(dir, &heading)? {
        finished.extend(canvas::finish(dir, &map)?);
    }
    if let Some(motion) = motion::Motion::read(dir)? {
        let heading = explained(heading.clone(), &motion);
        if let Some(angles) = angles::Angles::of(&heading, &motion) {
            finished.extend(canvas::finish(dir, &angles)?);
        }
        finished.extend(canvas::finish(dir, &over_time::OverTime { heading, motion: &motion })?);
    }
    if let Some(matrices) = attention::AttentionMatrices::read(dir, &heading)? {
        finished.extend(canvas::finish(dir, &matrices)?);
    }
    Ok(finished)
}

/// Draws the tokens of replica 0 in the run folder `dir` over time, and returns the animation `tokens.gif`, which lies in it.
///
/// # Errors
///
/// A run that did not keep its tokens, and files that are not what a run writes, as [`draw`] has it.
pub fn animate(dir: &Path) -> Result<PathBuf, PlotError> {
    if is_sweep(dir) {
        let (problem, remedy) = ("it is that of a sweep".into(), "give the folder of one of its cells");
        return Err(PlotError::File { path: dir.into(), problem, remedy });
    }
    require_complete(dir)?;
    let _alone = alone(dir)?;
    let heading = heading::read(&dir.join("experiment.toml"))?;
    let absent = || PlotError::File {
        path: dir.join("trajectory.npy"),
        problem: "it is absent: the run did not keep its tokens".into(),
        remedy: "add \"tokens\" to observe.quantities, and run the experiment again",
    };
    let motion = motion::Motion::read(dir)?.ok_or_else(absent)?;
    let heading = explained(heading, &motion);
    canvas::animate(dir, &over_time::Frame::all(&heading, &motion))?.publish()
}

/// Says what is drawn, where that is less than all there is.
fn explained(mut heading: canvas::Heading, motion: &motion::Motion) -> canvas::Heading {
    if motion.replicas > 1 {
        heading.caption.push_str(" · replica 0");
    }
    if let view::View::Plane(shares) = motion.view {
        let share = dots::percent(shares.iter().sum());
        heading.caption.push_str(&format!(" · two principal directions, {share} of the variance"));
    }
    heading
}

fn of_sweep(dir: &Path) -> Result<Vec<canvas::Finished>, PlotError> {
    // A sweep without tables is one that goes on, of which the reader speaks.
    let flaw = ["rates.csv", "cells.csv"].iter().all(|name| dir.join(name).exists()).then(|| sweep::flaw(dir));
    if let Some(sweep::Flaw { path, problem, remedy }) = flaw.flatten() {
        return Err(PlotError::File { path, problem, remedy });
    }
    let grid = grid::Grid::read(dir)?;
    let base = dir.join("cells").join(&grid.cells[0].id).join("experiment.toml");
    let heading = heading::read_without(&base, &grid.keys)?;
    let mut finished = Vec::new();
    for rates in rates::Rates::of(&grid, &heading) {
        finished.extend(canvas::finish(dir, &rates)?);
    }
    if finished.is_empty() {
        let varying = phase::varying(&grid).unwrap_or_default();
        for map in phase::diagrams(dir, &grid, &heading, &varying)? {
            finished.extend(canvas::finish(dir, &map)?);
        }
        for figure in against::figures(&grid, &heading, &varying) {
            finished.extend(canvas::finish(dir, &figure)?);
        }
    }
    Ok(finished)
}
