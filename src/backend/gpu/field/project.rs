//! Products of rows with a matrix, a bias and an activation: x -> sigma(M x + b).

use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{
        constants::Constants,
        declared, params,
        sizes::{NARROW, PROJECT_ROWS, PROJECT_VECTORS, THREADS},
    },
};
use crate::{backend::BackendError, model::Activation};

/// M and b on the host, padded like tokens: a row of M^T for each component of an input, then b; of each replica in turn where these
/// have their own.
pub struct Affine {
    inner: usize,
    outer: usize,
    /// How many there are, one for all replicas.
    variety: usize,
    numbers: Vec<f32>,
}

impl Affine {
    /// Components of an output.
    pub fn outer(&self) -> usize {
        self.outer
    }

    /// M has the entries `entry(row, column)` for `outer` rows and `inner` columns; b is empty for nothing.
    pub fn new(inner: usize, outer: usize, entry: impl Fn(usize, usize) -> f64, bias: &[f64]) -> Affine {
        let width = 4 * outer.div_ceil(4);
        let mut numbers = vec![0.0; width * (4 * inner.div_ceil(4) + 1)];
        for (column, to) in numbers.chunks_exact_mut(width).take(inner).enumerate() {
            to.iter_mut().take(outer).enumerate().for_each(|(row, to)| *to = entry(row, column) as f32);
        }
        let last = numbers.len() - width;
        numbers[last..].iter_mut().zip(bias).for_each(|(to, bias)| *to = *bias as f32);
        Affine { inner, outer, variety: 1, numbers }
    }

    /// Those of the replicas in turn, all of one shape.
    pub fn of_replicas(affines: Vec<Affine>) -> Affine {
        let (inner, outer) = affines.first().map_or((0, 0), |affine| (affine.inner, affine.outer));
        let variety = affines.len();
        Affine { inner, outer, variety, numbers: affines.into_iter().flat_map(|affine| affine.numbers).collect() }
    }

    /// Divides M and b by a power of two, which is returned, such that no component of an output exceeds one where inputs are at
    /// most of this length. It is asked where all replicas have one M.
    pub fn shrink(&mut self, length: f64) -> f64 {
        let width = 4 * self.outer.div_ceil(4);
        let (matrix, bias) = self.numbers.split_at(self.numbers.len() - width);
        let reach = |row: usize| {
            let square: f64 = matrix.iter().skip(row).step_by(width).map(|entry| f64::from(*entry).powi(2)).sum();
            length * square.sqrt() + f64::from(bias[row].abs())
        };
        let most = (0..self.outer).map(reach).fold(0.0, f64::max);
        let power = if most > 0.0 { most.log2().ceil().exp2() } else { 1.0 };
        self.numbers.iter_mut().for_each(|number| *number = (f64::from(*number) / power) as f32);
        power
    }
}

/// The same on the device.
pub struct Linear {
    pub inner: usize,
    pub outer: usize,
    variety: usize,
    buffer: wgpu::Buffer,
}

impl Linear {
    pub fn new(scope: &AllocationScope, label: &str, affine: &Affine) -> Linear {
        let Affine { inner, outer, variety, ref numbers } = *affine;
        Linear { inner, outer, variety, buffer: scope.upload(label, numbers) }
    }

    /// Replaces the numbers, after whatever was submitted; false if the shape is another.
    #[must_use]
    pub fn write(&self, device: &Device, affine: &Affine) -> bool {
        let fits = (self.inner, self.outer, self.variety) == (affine.inner, affine.outer, affine.variety);
        if fits {
            device.queue.write_buffer(&self.buffer, 0, bytemuck::cast_slice(&affine.numbers));
        }
        fits
    }
}

/// Whether a result starts a sum or goes on with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    Fresh,
    Continued,
}

/// What stands in the inputs for queries without a visible source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaskedRows {
    Zero,
    /// Marked, because a bias must not be added to them.
    Marked,
}

/// Which rows are multiplied, and how the products are written.
#[derive(Clone, Copy)]
pub struct Rows {
    pub count: usize,
    pub first_input: usize,
    pub first_output: usize,
    pub sum: Sum,
    pub activation: Activation,
    pub masked_rows: MaskedRows,
}

impl Rows {
    /// The first rows, into the first rows.
    pub fn first(count: usize) -> Rows {
        let (sum, activation, masked_rows) = (Sum::Fresh, Activation::Identity, MaskedRows::Zero);
        Rows { count, first_input: 0, first_output: 0, sum, activation, masked_rows }
    }
}

/// The kernel of a product, bound to its buffers.
pub struct Projection {
    bound: BoundKernel<params::Project>,
    is_narrow: bool,
    inner: usize,
    outer: usize,
    /// How many matrices there are, and where rows are among those of replicas that have their own.
    variety: usize,
    place: ReplicaRows,
}

/// Rows of each replica, and the first of these.
#[derive(Clone, Copy, Default)]
pub struct ReplicaRows {
    pub tokens: usize,
    pub first_replica: usize,
}

impl Projection {
    pub fn new(
        device: &Device,
        recorder: &Recorder,
        constants: &Constants,
        linear: &Linear,
        [inputs, outputs]: [&wgpu::Buffer; 2],
    ) -> Projection {
        let Linear { inner, outer, variety, ref buffer } = *linear;
        // A thread of the narrow kernel owns a row, and so knows its replica.
        let is_narrow = inner.min(outer) <= NARROW || variety > 1;
        let constants = Constants { dim: outer as u32, inner: inner as u32, ..*constants };
        let (uniforms, buffers) = (recorder.uniforms(), [inputs, buffer, outputs]);
        let bound = match is_narrow {
            true => Pipeline::<declared::ProjectNarrow>::new(device, &constants).bind(device, uniforms, buffers),
            false => Pipeline::<declared::ProjectWide>::new(device, &constants).bind(device, uniforms, buffers),
        };
        Projection { bound, is_narrow, inner, outer, variety, place: ReplicaRows::default() }
    }

    /// The same of rows of replicas that may have a matrix each.
    pub fn of_replicas(self, place: ReplicaRows) -> Projection {
        Projection { place, ..self }
    }

    pub fn record(&self, recorder: &mut Recorder, rows: Rows) -> Result<(), BackendError> {
        let groups = match self.is_narrow {
            true => rows.count.div_ceil(THREADS as usize),
            false => {
                let columns = self.outer.div_ceil(4).div_ceil(PROJECT_VECTORS as usize);
                rows.count.div_ceil(PROJECT_ROWS as usize) * columns
            }
        };
        let work = (rows.count * self.inner) as f64 * self.outer as f64;
        recorder.record_parts(&self.bound, groups as u64, work, |part| params::Project {
            first_group: part.start,
            end_group: part.end,
            rows: rows.count as u32,
            first_input: rows.first_input as u32,
            first_output: rows.first_output as u32,
            accumulate: u32::from(rows.sum == Sum::Continued),
            activation: rows.activation.into(),
            marked: u32::from(rows.masked_rows == MaskedRows::Marked),
            matrices: self.variety as u32,
            tokens: self.place.tokens as u32,
            first_replica: self.place.first_replica as u32,
            reserved: 0,
        })
    }
}
