//! Lines over time: where most of many are at each time, and how one is dashed.

use super::axis::Axis;

/// (layer-time, value), in order of time; a value may be NaN or infinite.
pub(super) type Polyline = Vec<(f64, f64)>;

/// From a quantile to another over time; not numbers where no replica has a value.
pub(super) struct Region {
    low: Polyline,
    high: Polyline,
}

impl Region {
    /// The middle `share` of the finite values of all replicas, for as long as every replica has been sampled.
    pub(super) fn of(lines: &[Polyline], share: f64) -> Self {
        let sampled = lines.iter().map(Vec::len).min().unwrap_or(0);
        let (mut low, mut high) = (Polyline::new(), Polyline::new());
        for sample in 0..sampled {
            let mut values: Vec<f64> =
                lines.iter().map(|line| line[sample].1).filter(|value| value.is_finite()).collect();
            values.sort_by(f64::total_cmp);
            let time = lines[0][sample].0;
            low.push((time, quantile(&values, 0.5 - 0.5 * share)));
            high.push((time, quantile(&values, 0.5 + 0.5 * share)));
        }
        Self { low, high }
    }

    pub(super) fn edges(&self) -> [&Polyline; 2] {
        [&self.low, &self.high]
    }

    /// Polygons between values that have a place on the axis.
    pub(super) fn outlines(&self, values: &Axis) -> Vec<Vec<(f64, f64)>> {
        let ends = self.low.iter().zip(&self.high);
        let placed: Vec<Option<[(f64, f64); 2]>> =
            ends.map(|(low, high)| Some([(low.0, values.place(low.1)?), (high.0, values.place(high.1)?)])).collect();
        let runs = placed.split(Option::is_none).filter(|run| run.len() > 1);
        let outline = |run: &[Option<[(f64, f64); 2]>]| {
            let ends = run.iter().flatten();
            ends.clone().map(|[low, _]| *low).chain(ends.rev().map(|[_, high]| *high)).collect()
        };
        runs.map(outline).collect()
    }
}

/// The value below which a share of the sorted values is, by linear interpolation.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let below = (place as usize).min(last);
    let above = (below + 1).min(last);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

/// The parts of a line that a dash of half a `period` of time covers.
pub(super) fn dashes(line: &Polyline, period: f64) -> Vec<Polyline> {
    let (Some(first), Some(last)) = (line.first(), line.last()) else { return Vec::new() };
    let count = ((last.0 - first.0) / period).ceil().max(1.0) as usize;
    let dash = |index: usize| {
        let from = first.0 + index as f64 * period;
        let to = (from + 0.5 * period).min(last.0);
        let inner = line.iter().copied().filter(|point| point.0 > from && point.0 < to);
        let ends = [at(line, from), at(line, to)];
        std::iter::once(ends[0]).chain(inner).chain([ends[1]]).collect()
    };
    (0..count).map(dash).collect()
}

/// The point of a line at a time between its ends.
fn at(line: &Polyline, time: f64) -> (f64, f64) {
    let after = line.partition_point(|point| point.0 < time).clamp(1, line.len().max(2) - 1);
    let (Some(a), Some(b)) = (line.get(after - 1), line.get(after)) else { return line[0] };
    let share = if b.0 > a.0 { ((time - a.0) / (b.0 - a.0)).clamp(0.0, 1.0) } else { 0.0 };
    (time, a.1 + share * (b.1 - a.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_hold_their_share_of_the_replicas() {
        let lines: Vec<Polyline> =
            (0..=100).map(|replica| vec![(0.0, f64::from(replica)), (1.0, 2.0 * f64::from(replica))]).collect();
        let region = Region::of(&lines, 0.5);
        assert_eq!(region.low, [(0.0, 25.0), (1.0, 50.0)]);
        assert_eq!(region.high, [(0.0, 75.0), (1.0, 150.0)]);
        let values = Axis::roomy(lines.iter().flatten().map(|sample| sample.1));
        assert_eq!(region.outlines(&values), [vec![(0.0, 25.0), (1.0, 50.0), (1.0, 150.0), (0.0, 75.0)]]);
    }

    #[test]
    fn dashes_cover_half_of_a_line_and_follow_it() {
        let line = vec![(0.0, 0.0), (1.0, 2.0), (4.0, 8.0)];
        let dashes = dashes(&line, 2.0);
        assert_eq!(dashes, [vec![(0.0, 0.0), (1.0, 2.0)], vec![(2.0, 4.0), (3.0, 6.0)]]);
        assert_eq!(super::dashes(&vec![(0.0, 1.0), (0.6, 2.2), (1.0, 3.0)], 2.0), [line_of(&[0.0, 0.6, 1.0])]);
    }

    fn line_of(times: &[f64]) -> Polyline {
        times.iter().map(|t| (*t, 1.0 + 2.0 * t)).collect()
    }
}
