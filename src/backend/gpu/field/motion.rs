//! What the geometry makes of tokens before the field is evaluated, and of the field afterwards.
//!
//! Before: the inputs of attention and perceptron, which are tokens or their directions, and positions that are added to them.
//! Afterwards: projections and lengths of velocities.

use super::{
    places::{Placing, Table},
    project::{Affine, Linear, Projection, Rows, Sum},
};
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{codes::FieldRule, constants::Constants, declared, params},
    layout::{
        geometries::geometries,
        points::POINTS,
        token_buffers::{SegmentBuffers, TokenBuffers},
    },
};
use crate::{
    backend::{BackendError, Point},
    model::{Geometry, Model, Position},
    problem::Problem,
};

pub struct Motion {
    geometry: Geometry,
    dim: usize,
    /// By point and segment; `normalize` is empty where tokens are the inputs at all times, and `place` where nothing is added.
    normalize: [Vec<BoundKernel<params::NormalizeInputs>>; 2],
    place: [Vec<(BoundKernel<params::NormalizeInputs>, Placing)>; 2],
    tangent: [Vec<BoundKernel<params::Tangent>>; 2],
    /// The field -V z, where tokens are rescaled at some time.
    drift: Option<Drift>,
}

struct Drift {
    matrix: Linear,
    passes: [Vec<Projection>; 2],
}

/// Which rows a perceptron takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputRows {
    /// The inputs that the geometry makes.
    Normalized,
    /// The tokens as they are.
    Tokens,
}

impl Motion {
    pub fn new(
        scope: &AllocationScope,
        problem: &Problem,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
    ) -> Motion {
        let (device, model) = (scope.device(), &problem.model);
        let normalizing = Pipeline::<declared::NormalizeInputs>::new(device, constants);
        let tangential = Pipeline::<declared::Tangent>::new(device, constants);
        let normalize = |segment_buffers: &SegmentBuffers, point| {
            let directions = segment_buffers.normalized.as_ref()?;
            Some(normalizing.bind(device, recorder.uniforms(), [segment_buffers.tokens(point), directions]))
        };
        let dim = constants.dim as usize;
        let place = |segment_buffers: &SegmentBuffers, point| {
            let (Some(placed), Position::Additive { places, .. }) =
                (&segment_buffers.positioned, &model.attention.position)
            else {
                return None;
            };
            let table = Table::added(scope, places, &segment_buffers.segment, dim);
            let placing = Placing::new(device, recorder, constants, &table, placed);
            Some((normalizing.bind(device, recorder.uniforms(), [segment_buffers.tokens(point), placed]), placing))
        };
        let tangent = |segment_buffers: &SegmentBuffers, point| {
            Some(tangential.bind(
                device,
                recorder.uniforms(),
                [segment_buffers.tokens(point), &segment_buffers.velocities],
            ))
        };
        let drift = geometries(problem).any(|geometry| *geometry == Geometry::Rescaled).then(|| {
            let matrix = Linear::new(scope, "drift", &drift(model, dim));
            let pass = |segment_buffers: &SegmentBuffers, point| {
                Projection::new(
                    device,
                    recorder,
                    constants,
                    &matrix,
                    [segment_buffers.tokens(point), &segment_buffers.velocities],
                )
            };
            let passes = POINTS
                .map(|point| buffers.segments.iter().map(|segment_buffers| pass(segment_buffers, point)).collect());
            Drift { matrix, passes }
        });
        Motion {
            geometry: model.geometry.clone(),
            dim,
            normalize: by_point_and_segment(buffers, normalize),
            place: by_point_and_segment(buffers, place),
            tangent: by_point_and_segment(buffers, tangent),
            drift,
        }
    }

    pub fn is_spherical(&self) -> bool {
        self.geometry == Geometry::Sphere
    }

    /// Follows `model`, after whatever was submitted; false if its geometry needs what was not laid out.
    #[must_use]
    pub fn write(&mut self, device: &Device, model: &Model) -> bool {
        let geometry = &model.geometry;
        let has_inputs = !geometry.sees_directions() || self.normalize.iter().any(|bounds| !bounds.is_empty());
        let has_drift = *geometry != Geometry::Rescaled || self.drift.is_some();
        let fits = has_inputs && has_drift;
        self.geometry = geometry.clone();
        let drifts = self.drift.as_ref().is_none_or(|own| own.matrix.write(device, &drift(model, self.dim)));
        fits && drifts
    }

    /// Records the inputs of all segments: tokens or their directions, and these with positions added.
    pub fn normalize_inputs(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        point: Point,
    ) -> Result<(), BackendError> {
        let unit = u32::from(self.geometry.sees_directions());
        let normalize = |recorder: &mut Recorder, bound: &BoundKernel<params::NormalizeInputs>, rows: usize| {
            self.by_rows(recorder, bound, &params::NormalizeInputs { rows: rows as u32, unit }, rows)
        };
        for (bound, segment_buffers) in self.normalize[point as usize].iter().zip(&buffers.segments) {
            normalize(recorder, bound, segment_buffers.rows())?;
        }
        for ((bound, placing), segment_buffers) in self.place[point as usize].iter().zip(&buffers.segments) {
            normalize(recorder, bound, segment_buffers.rows())?;
            placing.record(recorder, segment_buffers.rows())?;
        }
        Ok(())
    }

    /// Records a field of zero for a segment, in the rows of `velocities` from `first_row`.
    pub fn zero_velocity(
        &self,
        recorder: &mut Recorder,
        point: Point,
        segment: usize,
        rows: usize,
        first_row: usize,
    ) -> Result<(), BackendError> {
        let params =
            params::Tangent { rows: rows as u32, first_row: first_row as u32, rule: FieldRule::Zero, alpha: 0.0 };
        self.by_rows(recorder, &self.tangent[point as usize][segment], &params, rows)
    }

    /// Records what the geometry makes of the field of a segment, in the rows of `velocities` from `first_row`.
    pub fn finish(
        &self,
        recorder: &mut Recorder,
        point: Point,
        segment: usize,
        rows: usize,
        first_row: usize,
    ) -> Result<(), BackendError> {
        let (rule, alpha) = match self.geometry {
            Geometry::Sphere => (FieldRule::Tangent, 0.0),
            Geometry::PeriNorm => (FieldRule::Direction, 0.0),
            Geometry::Ngpt { alpha } => (FieldRule::Ngpt, alpha as f32),
            Geometry::Euclidean | Geometry::PreNorm | Geometry::LayerNorm { .. } => return Ok(()),
            Geometry::Rescaled => {
                let Some(drift) = &self.drift else { return Ok(()) };
                let rows = Rows { first_output: first_row, sum: Sum::Continued, ..Rows::first(rows) };
                return drift.passes[point as usize][segment].record(recorder, rows);
            }
        };
        let params = params::Tangent { rows: rows as u32, first_row: first_row as u32, rule, alpha };
        self.by_rows(recorder, &self.tangent[point as usize][segment], &params, rows)
    }

    /// Records a kernel of one thread a row.
    fn by_rows<P: params::Params>(
        &self,
        recorder: &mut Recorder,
        bound: &BoundKernel<P>,
        params: &P,
        rows: usize,
    ) -> Result<(), BackendError> {
        recorder.record_rows(bound, params, rows, (rows * self.dim * 8) as f64)
    }
}

/// The results of `one` for every point and segment, without those that are none.
fn by_point_and_segment<T>(buffers: &TokenBuffers, one: impl Fn(&SegmentBuffers, Point) -> Option<T>) -> [Vec<T>; 2] {
    POINTS.map(|point| buffers.segments.iter().filter_map(|segment_buffers| one(segment_buffers, point)).collect())
}

/// -V, of the one head that there is.
fn drift(model: &Model, dim: usize) -> Affine {
    let rows = model.attention.heads.first().map(|head| head.value.dense(dim, -1.0)).unwrap_or_default();
    Affine::new(dim, dim, |k, l| rows.get(k * dim + l).copied().unwrap_or(0.0), &[])
}
