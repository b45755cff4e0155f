//! Matrices of random entries, drawn afresh as layers go by.

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::operand::HeadOperand;
use crate::{
    model::Matrix,
    random::{Purpose, Stream},
};

/// The law of a random d x d matrix, from matrices G, W, W' of independent entries N(0, variance).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ensemble {
    /// G.
    Gaussian,
    /// (G + G^T) / sqrt(2): symmetric, of variance `variance` off the diagonal and twice that on it.
    Goe,
    /// Symmetric, of variance `variance` everywhere.
    Wigner,
    /// G G^T.
    Psd,
    /// W W'^T: ensemble (G) of "Homogenized Transformers" (arXiv:2604.01978) for A.
    GaussianProduct,
}

/// A random matrix of width `dim`. Its entries come from the stream of (seed, head and operand, number of the draw), and of the replica
/// if it is its own, so any draw can be had without those before it.
#[derive(Clone, Debug, PartialEq)]
pub struct RandomMatrix {
    /// The law of the matrix.
    pub ensemble: Ensemble,
    /// That of the entries of G, W and W'.
    pub variance: f64,
    /// Drawn afresh every so many steps; none given: once.
    pub every: Option<u64>,
    /// d.
    pub dim: usize,
    /// The key of all draws.
    pub seed: u64,
    /// Which replicas have the same draws.
    pub draws: Draws,
}

/// Which replicas have the same draws of a random matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draws {
    /// All.
    Shared,
    /// None of so many replicas; after these they begin again.
    Replicas(usize),
    /// Those of each pair 2k and 2k + 1, of so many replicas.
    Pairs(usize),
}

impl RandomMatrix {
    pub(super) fn at(&self, place: HeadOperand, step: u64) -> Matrix {
        let draw = self.every.map_or(0, |every| step / every.max(1));
        let (replicas, sharers) = match self.draws {
            Draws::Shared => return Matrix::Dense(self.entries(stream(self.seed, place, draw))),
            Draws::Replicas(replicas) => (replicas, 1),
            Draws::Pairs(replicas) => (replicas, 2),
        };
        let own = |replica: usize| self.entries(stream_of_replica(self.seed, place, draw, replica / sharers));
        // In the order of replicas, however many threads there are.
        Matrix::OfReplicas((0..replicas).into_par_iter().flat_map_iter(own).collect())
    }

    /// All d * d entries of one matrix, row-major.
    fn entries(&self, mut stream: Stream) -> Vec<f64> {
        let (d, deviation) = (self.dim, self.variance.sqrt());
        let mut gaussian = || -> Vec<f64> {
            (0..d * d)
                .map(|_| {
                    let normal: f64 = StandardNormal.sample(&mut stream);
                    deviation * normal
                })
                .collect()
        };
        let g = gaussian();
        let entry = |k: usize, l: usize| g[k * d + l];
        let row_by_row = |entry: &dyn Fn(usize, usize) -> f64| -> Vec<f64> {
            (0..d * d).map(|index| entry(index / d, index % d)).collect()
        };
        let product = |other: &[f64]| {
            row_by_row(&|k, l| {
                let (row, column) = (&g[k * d..][..d], &other[l * d..][..d]);
                row.iter().zip(column).map(|(a, b)| a * b).sum()
            })
        };
        match self.ensemble {
            Ensemble::Gaussian => g,
            Ensemble::Goe => row_by_row(&|k, l| (entry(k, l) + entry(l, k)) * std::f64::consts::FRAC_1_SQRT_2),
            Ensemble::Wigner => row_by_row(&|k, l| entry(k.max(l), k.min(l))),
            Ensemble::Psd => product(&g),
            Ensemble::GaussianProduct => product(&gaussian()),
        }
    }
}

/// The random numbers of one draw of a matrix. Draws are numbered by 32 bits.
pub(super) fn stream(seed: u64, HeadOperand { head, operand }: HeadOperand, draw: u64) -> Stream {
    Stream::new(seed, 2 * head as u32 + operand as u32, draw as u32, Purpose::Weights)
}

/// The same of a matrix that is a replica's own.
pub(super) fn stream_of_replica(
    seed: u64,
    HeadOperand { head, operand }: HeadOperand,
    draw: u64,
    replica: usize,
) -> Stream {
    let part = 2 * head as u32 + operand as u32;
    Stream::of_part(seed, replica as u32, draw as u32, Purpose::ReplicaWeights, part)
}
