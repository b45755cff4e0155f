//! What the geometry has to say: what of a token is seen, and what becomes of the field that it feels.

use super::{
    cloud::{Cloud, Tract},
    device::Device,
    params,
    pipelines::{Bound, Pipeline},
    project::{Affine, Linear, Projection, Rows, Sum},
    recorder::Recorder,
    shaders::{Constants, Kernel, THREADS},
    velocity::POINTS,
};
use crate::{
    backend::{BackendError, Point},
    model::{Geometry, Model},
};

pub(super) struct Motion {
    geometry: Geometry,
    dim: usize,
    /// By point and segment; `see` is empty where tokens themselves are seen.
    see: [Vec<Bound>; 2],
    tangent: [Vec<Bound>; 2],
    /// What the field -V z of rescaled tokens takes.
    drift: Option<Drift>,
}

struct Drift {
    matrix: Linear,
    passes: [Vec<Projection>; 2],
}

/// What attention and perceptron are to see of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// What the geometry lets them see.
    Usual,
    /// The tokens, for observations.
    Plain,
}

impl Motion {
    pub fn new(device: &Device, model: &Model, constants: &Constants, cloud: &Cloud, recorder: &Recorder) -> Motion {
        let bound = |kernel: Kernel, buffers: &dyn Fn(&Tract, Point) -> Vec<wgpu::Buffer>| {
            let pipeline = Pipeline::new(device, kernel, constants);
            let bind = |tract, point| {
                let buffers = buffers(tract, point);
                pipeline.bind(device, recorder.uniforms(), &buffers.iter().collect::<Vec<_>>())
            };
            POINTS.map(|point| cloud.tracts.iter().map(|tract| bind(tract, point)).collect::<Vec<_>>())
        };
        let see = match model.geometry.sees_directions() {
            false => [Vec::new(), Vec::new()],
            true => bound(Kernel::See, &|tract, point| vec![tract.tokens(point).clone(), tract.seen(point).clone()]),
        };
        let dim = constants.dim as usize;
        let drift = (model.geometry == Geometry::Rescaled).then(|| {
            let matrix = Linear::new(device, "drift", &drift(model, dim));
            let pass = |tract: &Tract, point| {
                Projection::new(device, recorder, constants, &matrix, [tract.tokens(point), &tract.slopes])
            };
            let passes = POINTS.map(|point| cloud.tracts.iter().map(|tract| pass(tract, point)).collect());
            Drift { matrix, passes }
        });
        Motion {
            geometry: model.geometry.clone(),
            dim,
            see,
            tangent: bound(Kernel::Tangent, &|tract, point| vec![tract.tokens(point).clone(), tract.slopes.clone()]),
            drift,
        }
    }

    pub fn is_spherical(&self) -> bool {
        self.geometry == Geometry::Sphere
    }

    /// Follows `model`, after whatever was submitted; false if its geometry needs what was not laid out.
    #[must_use]
    pub fn write(&mut self, device: &Device, model: &Model) -> bool {
        let fits = match (&self.geometry, &model.geometry) {
            (from, to) if from.sees_directions() != to.sees_directions() => false,
            (from, to) => (*from == Geometry::Rescaled) == (*to == Geometry::Rescaled),
        };
        self.geometry = model.geometry.clone();
        let drifts = self.drift.as_ref().is_none_or(|own| own.matrix.write(device, &drift(model, self.dim)));
        fits && drifts
    }

    /// Records what is seen of the tokens of all segments.
    pub fn look(&self, recorder: &mut Recorder, cloud: &Cloud, point: Point, look: Look) -> Result<(), BackendError> {
        for (bound, tract) in self.see[point as usize].iter().zip(&cloud.tracts) {
            let rows = tract.segment.rows();
            let params = params::See { rows: rows as u32, unit: u32::from(look == Look::Usual) };
            self.by_rows(recorder, bound, &params, rows)?;
        }
        Ok(())
    }

    /// Records what becomes of the field of a segment in the rows of `slopes` from `first_row`.
    pub fn finish(
        &self,
        recorder: &mut Recorder,
        (point, segment, rows): (Point, usize, usize),
        first_row: usize,
    ) -> Result<(), BackendError> {
        let (kind, alpha) = match self.geometry {
            Geometry::Sphere => (0, 0.0),
            Geometry::PeriNorm => (1, 0.0),
            Geometry::Ngpt { alpha } => (2, alpha as f32),
            Geometry::Euclidean | Geometry::PreNorm | Geometry::LayerNorm { .. } => return Ok(()),
            Geometry::Rescaled => {
                let Some(drift) = &self.drift else { return Ok(()) };
                let rows = Rows { first_output: first_row, sum: Sum::Continued, ..Rows::first(rows) };
                return drift.passes[point as usize][segment].record(recorder, rows);
            }
        };
        let params = params::Tangent { rows: rows as u32, first_row: first_row as u32, kind, alpha };
        self.by_rows(recorder, &self.tangent[point as usize][segment], &params, rows)
    }

    /// Records a kernel of one thread a row.
    fn by_rows<P: params::Params>(
        &self,
        recorder: &mut Recorder,
        bound: &Bound,
        params: &P,
        rows: usize,
    ) -> Result<(), BackendError> {
        recorder.record(bound, params, rows.div_ceil(THREADS as usize) as u64, (rows * self.dim * 8) as f64)
    }
}

/// -V, of the one head that there is.
fn drift(model: &Model, dim: usize) -> Affine {
    let rows = model.attention.heads.first().map(|head| head.value.dense(dim, -1.0)).unwrap_or_default();
    Affine::new(dim, dim, |k, l| rows.get(k * dim + l).copied().unwrap_or(0.0), &[])
}
