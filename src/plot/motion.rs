//! Reads tokens of the first replica over time, as many as are drawn, and finds one view for all of them.

use std::path::Path;

use glam::DVec3;

use super::error::PlotError;
use super::replica_tokens::ReplicaTokens;
use super::samples;
use super::token_file::{Frames, unreadable};
use super::view::{View, picks, view as seen};

/// Moments and tokens that are looked at; no picture shows more.
const TIMES: usize = 600;
const TOKENS: usize = 16_384;

/// Tokens over time, as one view sees them.
pub(super) struct Motion {
    pub(super) view: View,
    pub(super) moments: Vec<Moment>,
    pub(super) replicas: usize,
    /// Tokens of a replica that were kept.
    pub(super) count: usize,
    /// The length that is drawn as the radius of a panel.
    pub(super) reach: f64,
}

/// Tokens at one time.
pub(super) struct Moment {
    /// Layer-time.
    pub(super) time: f64,
    /// Right, up, and towards the eye.
    pub(super) places: Vec<DVec3>,
}

impl Motion {
    /// From the run folder `dir`; none if its run did not keep the tokens.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, PlotError> {
        let Some(mut frames) = Frames::open(dir)? else { return Ok(None) };
        let (path, Frames { samples, replicas, count, dim, .. }) = (frames.path.clone(), &frames);
        let (samples, replicas, count, dim) = (*samples, *replicas, *count, *dim);
        let times = match frames.times.take() {
            Some(times) => times,
            None => samples::times(&dir.join("samples.csv"))?,
        };
        if samples != times.len() || samples * replicas * count * dim == 0 {
            return Err(unreadable(&path, format!("it has {samples} samples, and there are {} times", times.len())));
        }
        let (chosen, picks) = (evenly(samples, TIMES), picks(count, TOKENS));
        let mut coordinates = Vec::with_capacity(chosen.len() * picks.len() * dim);
        for sample in &chosen {
            coordinates.extend(frames.read(*sample, &picks)?);
        }
        let times: Vec<f64> = chosen.into_iter().map(|sample| times[sample]).collect();
        let all = ReplicaTokens { dim, replicas, coordinates };
        if all.finite().count() != all.count() {
            return Err(unreadable(&path, "some of its numbers are not finite".into()));
        }
        let (view, mut places) = seen(&all);
        if matches!(view, View::Plane(_)) {
            centre(&mut places);
        }
        let reach = reach(&view, &places);
        let moments = times.into_iter().zip(places.chunks(picks.len()));
        let moments = moments.map(|(time, places)| Moment { time, places: places.to_vec() }).collect();
        Ok(Some(Self { view, moments, replicas, count, reach }))
    }

    /// At most `most` of the moments, evenly spread, the first and the last among them.
    pub(super) fn spread(&self, most: usize) -> Vec<&Moment> {
        evenly(self.moments.len(), most).into_iter().map(|moment| &self.moments[moment]).collect()
    }
}

/// At most `most` of `count` numbers, evenly spread, the first and the last among them.
fn evenly(count: usize, most: usize) -> Vec<usize> {
    let (last, chosen) = (count.saturating_sub(1), most.min(count));
    (0..chosen).map(|k| (k * last).checked_div(chosen - 1).unwrap_or(last)).collect()
}

fn reach(view: &View, places: &[DVec3]) -> f64 {
    let reach = places.iter().map(|place| place.abs().max_element()).fold(0.0, f64::max);
    if matches!(view, View::Plane(_)) && reach > 0.0 { reach } else { 1.0 }
}

/// Moves the places so that the middle of all is the origin.
fn centre(places: &mut [DVec3]) {
    let bounds = places.iter().map(|place| (*place, *place)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let middle = bounds.map_or(DVec3::ZERO, |(low, high)| (low + high) / 2.0);
    places.iter_mut().for_each(|place| *place -= middle);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spread_from_the_first_to_the_last() {
        let moments = (0..10).map(|k| Moment { time: f64::from(k), places: vec![DVec3::ZERO] }).collect();
        let motion = Motion { view: View::Circle, moments, replicas: 1, count: 1, reach: 1.0 };
        let times = |most| motion.spread(most).iter().map(|moment| moment.time).collect::<Vec<_>>();
        assert_eq!(times(4), [0.0, 3.0, 6.0, 9.0]);
        assert_eq!(times(1), [9.0]);
        assert_eq!(times(100).len(), 10);
    }
}
