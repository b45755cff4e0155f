//! From moments to the coefficients of one head; the factors are computed here, in double precision.

use std::f64::consts::LOG2_E;

use super::moments::Moments;
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{constants::Constants, declared, params},
};
use crate::{
    backend::{BackendError, algorithm::Reach},
    harmonic::{self, Relation, Triangle},
};

pub struct Coefficients {
    pub degree: usize,
    /// Harmonics of one replica.
    pub harmonics: usize,
    /// For each harmonic the factors of (M, Z), of its real part and of its imaginary part; ordered (replica, harmonic).
    pub values: wgpu::Buffer,
    /// As the series read them: steps of the radial recurrence, then gamma_lm of every harmonic.
    pub tables: wgpu::Buffer,
    /// Steps of the radial recurrence; none where all queries have one length.
    pub steps: usize,
    pub radial: Radial,
    bound: BoundKernel<params::Coefficients>,
}

/// How the coefficients b_l depend on the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Radial {
    /// Not at all: they are in the coefficients, with a factor that makes the shift, kappa to base two, a whole number.
    Shared {
        shift: f64,
        factor: f64,
    },
    Varying,
}

impl Coefficients {
    /// The coefficients of a head of this `reach`. Fails with `BelowLimit` if they exceed a binding.
    pub fn new(
        scope: &AllocationScope,
        constants: &Constants,
        moments: &Moments,
        recorder: &Recorder,
        reach: &Reach,
    ) -> Result<Coefficients, BackendError> {
        let (device, dim, degree) = (scope.device(), moments.dim, reach.degree);
        let radial = match reach.kappa {
            Some(kappa) => {
                let shift = (kappa * LOG2_E).ceil();
                Radial::Shared { shift, factor: (kappa * LOG2_E - shift).exp2() }
            }
            None => Radial::Varying,
        };
        let folded = match (radial, reach.kappa) {
            (Radial::Shared { factor, .. }, Some(kappa)) => {
                harmonic::coefficients(dim, kappa, degree).iter().map(|b| factor * b).collect()
            }
            _ => vec![1.0; degree + 1],
        };
        let steps = match radial {
            Radial::Shared { .. } => Vec::new(),
            Radial::Varying => harmonic::steps(dim, reach.longest, degree),
        };
        let factors = factors(dim, degree, &folded);
        let mut tables: Vec<f32> = steps
            .iter()
            .flat_map(|step| [step.factor, step.multiplicity, step.threshold])
            .map(|x| x as f32)
            .collect();
        if dim == 3 {
            tables.extend(Triangle { degree }.each(|l, m| harmonic::gamma(l, m) as f32));
        }
        let upload = |label, bytes: &[u8]| {
            let buffer = scope.buffer(label, bytes.len().max(16) as u64);
            device.queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let bytes = (32 * moments.replicas * factors.len()) as u64;
        let most = device.device.limits().max_storage_buffer_binding_size;
        device.within("max_storage_buffer_binding_size", bytes, most)?;
        let values = scope.buffer("coefficients", bytes);
        let uniforms = recorder.uniforms();
        let buffers = [&moments.values, &upload("factors", bytemuck::cast_slice(&factors)), &values];
        let bound = match dim {
            2 => Pipeline::<declared::CoefficientsCircle>::new(device, constants).bind(device, uniforms, buffers),
            _ => Pipeline::<declared::CoefficientsSphere>::new(device, constants).bind(device, uniforms, buffers),
        };
        Ok(Coefficients {
            degree,
            harmonics: factors.len(),
            bound,
            values,
            tables: upload("tables", bytemuck::cast_slice(&tables)),
            steps: steps.len(),
            radial,
        })
    }

    /// Records the coefficients from `moments`.
    pub fn record(&self, recorder: &mut Recorder, moments: &Moments) -> Result<(), BackendError> {
        let groups = (moments.replicas * if moments.dim == 2 { 1 } else { self.degree + 1 }) as u64;
        let work = (moments.replicas * self.harmonics * 32) as f64;
        recorder.record_parts(&self.bound, groups, work, |part| params::Coefficients {
            first_group: part.start,
            end_group: part.end,
            degree: self.degree as u32,
            source_degree: moments.degree as u32,
            harmonics: moments.harmonics as u32,
        })
    }
}

/// For every harmonic what its coefficients are multiplied by, and the factors of its neighbours.
fn factors(dim: usize, degree: usize, folded: &[f64]) -> Vec<[f32; 4]> {
    let single = |numbers: [f64; 4]| numbers.map(|number| number as f32);
    if dim == 2 {
        return folded.iter().map(|b| single([*b, 0.0, 0.0, 0.0])).collect();
    }
    let triangle = Triangle { degree };
    let norms = triangle.norms();
    triangle.each(|l, m| {
        let Relation { axial, raise, lower } = Relation::new(l, m);
        single([norms[triangle.index(l, m)] * folded[l], axial, raise, lower])
    })
}
