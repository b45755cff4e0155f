//! What the geometry has to say: what of a token is seen, and what becomes of the field that it feels. Places that are added to
//! tokens are added to what is seen.

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
    /// By point and segment; `normalize` is empty where tokens themselves are seen at all times, and `place` where they are nowhere.
    normalize: [Vec<BoundKernel<params::NormalizeInputs>>; 2],
    place: [Vec<(BoundKernel<params::NormalizeInputs>, Placing)>; 2],
    tangent: [Vec<BoundKernel<params::Tangent>>; 2],
    /// What the field -V z of tokens that are rescaled at some time takes.
    drift: Option<Drift>,
}

struct Drift {
    matrix: Linear,
    passes: [Vec<Projection>; 2],
}

/// What attention and perceptron are to normalize of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputRows {
    /// What the geometry lets them normalize.
    Usual,
    /// The tokens, for observations.
    Plain,
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
        let seeing = Pipeline::<declared::NormalizeInputs>::new(device, constants);
        let tangential = Pipeline::<declared::Tangent>::new(device, constants);
        let normalize = |segment_buffers: &SegmentBuffers, point| {
            let directions = segment_buffers.normalized.as_ref()?;
            Some(seeing.bind(device, recorder.uniforms(), [segment_buffers.tokens(point), directions]))
        };
        let dim = constants.dim as usize;
        let place = |segment_buffers: &SegmentBuffers, point| {
            let (Some(placed), Position::Additive(places)) = (&segment_buffers.positioned, &model.attention.position)
            else {
                return None;
            };
            let table = Table::added(scope, places, &segment_buffers.segment, dim);
            let placing = Placing::new(device, recorder, constants, &table, placed);
            Some((seeing.bind(device, recorder.uniforms(), [segment_buffers.tokens(point), placed]), placing))
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
        let is_seen = !geometry.sees_directions() || self.normalize.iter().any(|bounds| !bounds.is_empty());
        let is_drawn = *geometry != Geometry::Rescaled || self.drift.is_some();
        let fits = is_seen && is_drawn;
        self.geometry = geometry.clone();
        let drifts = self.drift.as_ref().is_none_or(|own| own.matrix.write(device, &drift(model, self.dim)));
        fits && drifts
    }

    /// Records what is seen of the tokens of all segments, and where they are placed.
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
            normalize(recorder, bound, segment_buffers.segment.rows())?;
        }
        for ((bound, placing), segment_buffers) in self.place[point as usize].iter().zip(&buffers.segments) {
            normalize(recorder, bound, segment_buffers.segment.rows())?;
            placing.record(recorder, segment_buffers.segment.rows())?;
        }
        Ok(())
    }

    /// Records a field of zero for a segment, in the rows of `velocities` from `first_row`.
    pub fn zero_velocity(
        &self,
        recorder: &mut Recorder,
        (point, segment, rows): (Point, usize, usize),
        first_row: usize,
    ) -> Result<(), BackendError> {
        let params =
            params::Tangent { rows: rows as u32, first_row: first_row as u32, rule: FieldRule::Zero, alpha: 0.0 };
        self.by_rows(recorder, &self.tangent[point as usize][segment], &params, rows)
    }

    /// Records what becomes of the field of a segment in the rows of `velocities` from `first_row`.
    pub fn finish(
        &self,
        recorder: &mut Recorder,
        (point, segment, rows): (Point, usize, usize),
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

/// What `one` makes for every point and segment, where it makes something.
fn by_point_and_segment<T>(buffers: &TokenBuffers, one: impl Fn(&SegmentBuffers, Point) -> Option<T>) -> [Vec<T>; 2] {
    POINTS.map(|point| buffers.segments.iter().filter_map(|segment_buffers| one(segment_buffers, point)).collect())
}

/// -V, of the one head that there is.
fn drift(model: &Model, dim: usize) -> Affine {
    let rows = model.attention.heads.first().map(|head| head.value.dense(dim, -1.0)).unwrap_or_default();
    Affine::new(dim, dim, |k, l| rows.get(k * dim + l).copied().unwrap_or(0.0), &[])
}
