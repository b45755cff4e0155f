//! The points of the scheme: state and stages, combined and retracted to the sphere.

use super::{
    cloud::Cloud,
    device::Device,
    params,
    pipelines::{Bound, Pipeline},
    recorder::Recorder,
    shaders::{Constants, Kernel, THREADS},
};
use crate::backend::{BackendError, Point};

/// Stages that the kernels can combine.
pub(super) const STAGES: usize = 4;

/// The kernel of all combinations, bound to the buffers of each segment.
pub(super) struct Combination {
    segments: Vec<Bound>,
    dim: usize,
}

impl Combination {
    pub fn new(device: &Device, constants: &Constants, cloud: &Cloud, recorder: &Recorder) -> Combination {
        let pipeline = Pipeline::new(device, Kernel::Combine, constants);
        let bind = |tract: &super::cloud::Tract| {
            pipeline.bind(device, recorder.uniforms(), &[&tract.state, &tract.stage, &tract.slopes])
        };
        Combination { segments: cloud.tracts.iter().map(bind).collect(), dim: constants.dim as usize }
    }

    /// Records `into` <- N(state + sum_s coefficients\[s\] k_s).
    pub fn record(
        &self,
        recorder: &mut Recorder,
        cloud: &Cloud,
        coefficients: &[f64],
        into: Point,
    ) -> Result<(), BackendError> {
        if coefficients.len() > STAGES {
            return Err(
                recorder.refused(format!("{} stages in one combination, at most {STAGES}", coefficients.len()))
            );
        }
        let mut padded = [0.0; STAGES];
        padded.iter_mut().zip(coefficients).for_each(|(to, from)| *to = *from as f32);
        for (bound, tract) in self.segments.iter().zip(&cloud.tracts) {
            let rows = tract.segment.rows();
            let params = params::Combine {
                rows: rows as u32,
                stages: coefficients.len() as u32,
                into: match into {
                    Point::State => 0,
                    Point::Stage => 1,
                },
                unused: 0,
                coefficients: padded,
            };
            let work = (rows * self.dim * 8) as f64;
            recorder.record(bound, &params, rows.div_ceil(THREADS as usize) as u64, work)?;
        }
        Ok(())
    }
}
