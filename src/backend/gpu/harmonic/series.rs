//! The series of every head at the queries of one cloud.

use super::{
    super::{
        cloud::{Cloud, Tract},
        device::Device,
        params,
        pipelines::{Bound, Pipeline},
        recorder::Recorder,
        shaders::{Constants, Kernel, SERIES_QUERIES, THREADS},
        velocity::{POINTS, View},
    },
    Harmonics,
    coefficients::{Coefficients, Radial},
};
use crate::{backend::BackendError, model::Head, problem::Problem};

pub(crate) struct Series {
    heads: Vec<HeadSeries>,
    /// Queries of one workgroup.
    group_queries: usize,
}

/// The series of one head: what does not change from one dispatch to the next, and its bindings by point and segment.
struct HeadSeries {
    params: params::Series,
    /// Multiply-adds for one query.
    work: f64,
    passes: [Vec<Bound>; 2],
}

impl Series {
    pub fn new(
        device: &Device,
        problem: &Problem,
        constants: &Constants,
        harmonics: &Harmonics,
        queries: &Cloud,
        recorder: &Recorder,
    ) -> Series {
        let head = |(head, coefficients): (&Head, &Coefficients)| {
            let degrees = match coefficients.radial {
                Radial::Shared { .. } => 0,
                Radial::Varying => coefficients.degree as u32 + 1,
            };
            let kernel = if constants.dim == 2 { Kernel::SeriesCircle } else { Kernel::SeriesSphere };
            let pipeline = Pipeline::new(device, kernel, &Constants { degrees, ..*constants });
            let bind = |tract: &Tract, point| {
                let from = if degrees == 0 { tract.tokens(point) } else { &queries.operands };
                let Coefficients { values, tables, .. } = coefficients;
                let buffers = [from, values, tables, &queries.partials, &harmonics.worst];
                pipeline.bind(device, recorder.uniforms(), &buffers)
            };
            HeadSeries {
                params: params(problem, head, harmonics, coefficients),
                work: (10 * coefficients.harmonics + 8 * coefficients.steps) as f64,
                passes: POINTS.map(|point| queries.tracts.iter().map(|tract| bind(tract, point)).collect()),
            }
        };
        let heads = problem.model.attention.heads.iter().zip(&harmonics.heads).map(head).collect();
        Series { heads, group_queries: (THREADS * constants.queries.min(SERIES_QUERIES)) as usize }
    }

    /// Records the partials of a view, whose queries have been projected if they need to be.
    pub fn record(&self, recorder: &mut Recorder, queries: &Cloud, view: View) -> Result<(), BackendError> {
        let head = &self.heads[view.head];
        let segment = &queries.tracts[view.segment].segment;
        let blocks = segment.tokens.div_ceil(self.group_queries);
        let groups = (segment.replicas * blocks) as u64;
        let work = groups as f64 * self.group_queries as f64 * head.work;
        for part in recorder.cut(groups, work) {
            let params = params::Series {
                first_group: part.start as u32,
                end_group: part.end as u32,
                blocks: blocks as u32,
                queries: segment.tokens as u32,
                first_replica: segment.first_replica as u32,
                ..head.params
            };
            let count = part.end - part.start;
            let bound = &head.passes[view.point as usize][view.segment];
            recorder.record(bound, &params, count, work * count as f64 / groups as f64)?;
        }
        Ok(())
    }
}

/// The parameters of one head, but for those of a dispatch.
fn params(problem: &Problem, head: &Head, harmonics: &Harmonics, coefficients: &Coefficients) -> params::Series {
    // Weights are in units of their mean.
    let total = problem.tokens.shape.sources() as f64;
    let (shift, factor) = match coefficients.radial {
        Radial::Shared { shift, factor } => (shift, factor),
        Radial::Varying => (0.0, 1.0),
    };
    let negative = head.query_key.multiple_of_identity().is_some_and(|scale| scale < 0.0);
    params::Series {
        first_group: 0,
        end_group: 0,
        blocks: 0,
        queries: 0,
        first_replica: 0,
        degree: coefficients.degree as u32,
        harmonics: coefficients.harmonics as u32,
        steps: coefficients.steps as u32,
        sign: if negative { -1.0 } else { 1.0 },
        shift: shift as f32,
        unit: (total * factor) as f32,
        least: (-harmonics.plan.most_lost).exp2() as f32,
    }
}
