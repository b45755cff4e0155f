//! Reads the tokens of the first replica at every sample, from `trajectory.npy`, and finds one view for all of them.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use glam::DVec3;
use ndarray::{Array4, Axis};
use ndarray_npy::{ReadNpyError, ReadNpyExt, ReadableElement};

use super::error::PlotError;
use super::replica_tokens::ReplicaTokens;
use super::samples;
use super::view::{View, view as seen};

/// Tokens over time, as one view sees them.
pub(super) struct Motion {
    pub(super) view: View,
    pub(super) moments: Vec<Moment>,
    pub(super) replicas: usize,
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
        let path = dir.join("trajectory.npy");
        if !path.exists() {
            return Ok(None);
        }
        let (shape, coordinates) = match array::<f64>(&path)? {
            Ok(double) => first_replica(&double),
            Err(ReadNpyError::WrongDescriptor(_)) => {
                first_replica(&array::<f32>(&path)?.map_err(|error| unreadable(&path, error.to_string()))?)
            }
            Err(error) => return Err(unreadable(&path, error.to_string())),
        };
        let times = samples::times(&dir.join("samples.csv"))?;
        let (samples, replicas, count, dim) = shape;
        if samples != times.len() || coordinates.is_empty() {
            return Err(unreadable(&path, format!("it has {samples} samples, and samples.csv has {}", times.len())));
        }
        let all = ReplicaTokens { dim, replicas, coordinates };
        if all.finite().count() != all.count() {
            return Err(unreadable(&path, "some of its numbers are not finite".into()));
        }
        let (view, mut places) = seen(&all);
        if matches!(view, View::Plane(_)) {
            centre(&mut places);
        }
        let reach = reach(&view, &places);
        let moments = times.into_iter().zip(places.chunks(count));
        let moments = moments.map(|(time, places)| Moment { time, places: places.to_vec() }).collect();
        Ok(Some(Self { view, moments, replicas, reach }))
    }

    /// At most `most` of the moments, evenly spread, the first and the last among them.
    pub(super) fn spread(&self, most: usize) -> Vec<&Moment> {
        let last = self.moments.len() - 1;
        let count = most.min(self.moments.len());
        (0..count).map(|k| &self.moments[(k * last).checked_div(count - 1).unwrap_or(last)]).collect()
    }
}

fn reach(view: &View, places: &[DVec3]) -> f64 {
    let reach = places.iter().map(|place| place.abs().max_element()).fold(0.0, f64::max);
    if matches!(view, View::Plane(_)) && reach > 0.0 { reach } else { 1.0 }
}

/// (samples, replicas, count, dim), and what the first replica has of it; nothing of an empty array.
fn first_replica<T: Copy + Into<f64>>(tokens: &Array4<T>) -> ((usize, usize, usize, usize), Vec<f64>) {
    let first = match tokens.is_empty() {
        true => Vec::new(),
        false => tokens.index_axis(Axis(1), 0).iter().map(|component| (*component).into()).collect(),
    };
    (tokens.dim(), first)
}

/// Moves the places so that the middle of all is the origin.
fn centre(places: &mut [DVec3]) {
    let bounds = places.iter().map(|place| (*place, *place)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    let middle = bounds.map_or(DVec3::ZERO, |(low, high)| (low + high) / 2.0);
    places.iter_mut().for_each(|place| *place -= middle);
}

fn array<T: ReadableElement>(path: &Path) -> Result<Result<Array4<T>, ReadNpyError>, PlotError> {
    let file = File::open(path).map_err(|source| PlotError::Read { path: path.into(), source })?;
    Ok(Array4::read_npy(BufReader::new(file)))
}

fn unreadable(path: &Path, problem: String) -> PlotError {
    let remedy =
        "it must be an array (samples, replicas, count, dim) of `<f4` or `<f8`, as `tokenfield run` writes it";
    PlotError::File { path: path.into(), problem, remedy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spread_from_the_first_to_the_last() {
        let moments = (0..10).map(|k| Moment { time: f64::from(k), places: vec![DVec3::ZERO] }).collect();
        let motion = Motion { view: View::Circle, moments, replicas: 1, reach: 1.0 };
        let times = |most| motion.spread(most).iter().map(|moment| moment.time).collect::<Vec<_>>();
        assert_eq!(times(4), [0.0, 3.0, 6.0, 9.0]);
        assert_eq!(times(1), [9.0]);
        assert_eq!(times(100).len(), 10);
    }
}
