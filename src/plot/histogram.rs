//! The histogram of overlaps over layer-time, as a map: how a cloud gathers, and how clusters merge.

use std::path::Path;

use super::canvas::Heading;
use super::error::PlotError;
use super::heat::{Heat, Side};
use super::samples;
use super::series::{Polyline, mean};

const COLUMN: &str = "overlap_histogram_";
/// More times than this are finer than the paper.
const TIMES: usize = 240;

/// The mean over replicas of the shares of pairs in each part of [-1, 1]; none if they were not measured, or once only.
pub(super) fn of(dir: &Path, heading: &Heading) -> Result<Option<Heat>, PlotError> {
    // Its bins are numbered; the column of its error is none of them.
    let is_bin = |name: &str| name.strip_prefix(COLUMN).is_some_and(|bin| bin.parse::<usize>().is_ok());
    let columns = samples::lines(&dir.join("samples.csv"), is_bin)?;
    let shares: Vec<Polyline> = columns.iter().map(|(_, lines)| mean(lines)).collect();
    let times: Vec<f64> = shares.first().map_or(Vec::new(), |line| line.iter().map(|sample| sample.0).collect());
    if times.len() < 2 {
        return Ok(None);
    }
    let stride = times.len().div_ceil(TIMES);
    let bins = shares.len() as f64;
    let middle = |bin: usize| -1.0 + (2.0 * bin as f64 + 1.0) / bins;
    // No pair is no colour.
    let row = |line: &Polyline| line.iter().step_by(stride).map(|sample| sample.1.log10()).collect();
    let mut heading = heading.clone();
    if stride > 1 {
        heading.caption.push_str(&format!(" · 1 in {stride} samples drawn"));
    }
    Ok(Some(Heat {
        name: "overlap_histogram".into(),
        heading,
        label: "log₁₀ of the share of pairs".into(),
        x: Side { label: "layer-time t".into(), values: times.into_iter().step_by(stride).collect() },
        y: Side { label: "overlap of two tokens".into(), values: (0..shares.len()).map(middle).collect() },
        values: shares.iter().map(row).collect(),
    }))
}
