//! Linear maps of single tokens, applied as cheaply as their form allows.

use crate::{
    model::Matrix,
    sums::{columns::Numbers, exp2::Exp2, real::Real},
};

pub(super) enum Map {
    Scale(f64),
    Diagonal(Vec<f64>),
    /// Row-major, of any shape.
    Dense(Vec<f64>),
}

impl Map {
    /// `factor` times the matrix.
    pub(super) fn new(matrix: &Matrix, dim: usize, factor: f64) -> Self {
        match matrix {
            Matrix::Identity => Map::Scale(factor),
            Matrix::Scale(scale) => Map::Scale(factor * scale),
            Matrix::Diagonal(entries) => Map::Diagonal(entries.iter().map(|entry| factor * entry).collect()),
            Matrix::Dense(_) | Matrix::OfReplicas(_) | Matrix::Product { .. } => {
                Map::Dense(matrix.dense(dim, factor))
            }
        }
    }

    /// A matrix of `columns` columns turned around, times `factor`.
    pub(super) fn transpose(rows: &[f64], columns: usize, factor: f64) -> Self {
        let height = rows.len() / columns;
        let entry = |k: usize| factor * rows[k % height * columns + k / height];
        Map::Dense((0..rows.len()).map(entry).collect())
    }

    pub(super) fn transposed(self, dim: usize) -> Self {
        match self {
            Map::Dense(rows) => Map::transpose(&rows, dim, 1.0),
            symmetric => symmetric,
        }
    }

    /// Whether it is its own transpose; asked of square matrices.
    pub(super) fn is_symmetric(&self) -> bool {
        let Map::Dense(rows) = self else { return true };
        let dim = rows.len().isqrt();
        (0..rows.len()).all(|k| rows[k] == rows[k % dim * dim + k / dim])
    }

    /// `factor` times the image of a vector of tokens, of which components beyond the dimension are zero.
    #[inline(always)]
    pub(super) fn apply_to_lanes<S: Exp2, T: Real, const D: usize>(
        &self,
        simd: S,
        factor: f64,
        tokens: &[T::Vector<S>; D],
    ) -> [T::Vector<S>; D] {
        let splat = |entry: f64| T::splat(simd, T::from_f64(factor * entry));
        let mut image = [splat(0.0); D];
        match self {
            Map::Scale(scale) => {
                for k in 0..D {
                    image[k] = T::mul(simd, splat(*scale), tokens[k]);
                }
            }
            Map::Diagonal(entries) => {
                for (k, entry) in entries.iter().enumerate() {
                    image[k] = T::mul(simd, splat(*entry), tokens[k]);
                }
            }
            Map::Dense(rows) => {
                let dim = rows.len().isqrt();
                for (k, row) in rows.chunks_exact(dim).enumerate() {
                    for (entry, token) in row.iter().zip(tokens) {
                        image[k] = T::mul_add(simd, splat(*entry), *token, image[k]);
                    }
                }
            }
        }
        image
    }

    /// Hands out the components of the image of `vector`.
    pub(super) fn apply(&self, vector: &[f64], mut component: impl FnMut(usize, f64)) {
        match self {
            Map::Scale(factor) => vector.iter().enumerate().for_each(|(k, x)| component(k, factor * x)),
            Map::Diagonal(entries) => {
                vector.iter().zip(entries).enumerate().for_each(|(k, (x, entry))| component(k, entry * x));
            }
            Map::Dense(rows) => {
                for (k, row) in rows.chunks_exact(vector.len()).enumerate() {
                    component(k, row.iter().zip(vector).map(|(entry, x)| entry * x).sum());
                }
            }
        }
    }
}

/// A map for all replicas, or one for each in turn, from the first again after the last.
pub(super) struct Maps(Vec<Map>);

impl Maps {
    /// `factor` times the matrix.
    pub(super) fn new(matrix: &Matrix, dim: usize, factor: f64) -> Self {
        let own = |replica| Map::new(&matrix.in_replica(replica, dim), dim, factor);
        Self((0..matrix.variety(dim)).map(own).collect())
    }

    pub(super) fn transposed(self, dim: usize) -> Self {
        Self(self.0.into_iter().map(|map| map.transposed(dim)).collect())
    }

    pub(super) fn in_replica(&self, replica: usize) -> &Map {
        &self.0[replica % self.0.len()]
    }

    /// That of all replicas, if they have the same.
    pub(super) fn shared(&self) -> Option<&Map> {
        match &self.0[..] {
            [map] => Some(map),
            _ => None,
        }
    }

    pub(super) fn is_symmetric(&self) -> bool {
        self.0.iter().all(Map::is_symmetric)
    }
}

/// One map for all replicas.
impl From<Map> for Maps {
    fn from(map: Map) -> Self {
        Self(vec![map])
    }
}

/// A matrix for each lane, row by row.
pub(super) struct LaneMatrix<V>(Vec<V>);

impl<V: Copy> LaneMatrix<V> {
    /// `factor` times the maps of the `present` replicas from `first` on, lanes beyond repeating the last; none where all have the same.
    pub(super) fn of<S: Exp2, T: Real<Vector<S> = V>, const D: usize>(
        maps: &Maps,
        factor: f64,
        first: usize,
        present: usize,
    ) -> Option<Self> {
        if maps.shared().is_some() {
            return None;
        }
        let lanes = T::lanes::<S>();
        let mut entries = Numbers::<T>::zeros(D * D * lanes);
        let numbers = entries.all_mut();
        for lane in 0..lanes {
            let Map::Dense(rows) = maps.in_replica(first + lane.min(present - 1)) else { continue };
            let dim = rows.len().isqrt();
            for (k, row) in rows.chunks_exact(dim).enumerate() {
                for (l, entry) in row.iter().enumerate() {
                    numbers[(k * D + l) * lanes + lane] = T::from_f64(factor * entry);
                }
            }
        }
        Some(Self(T::vectors::<S>(numbers).to_vec()))
    }
}

/// `factor` times the image of a vector of tokens under the map of all replicas, or under the matrices of its lanes, which have the factor.
#[inline(always)]
pub(super) fn image<S: Exp2, T: Real, const D: usize>(
    simd: S,
    maps: &Maps,
    factor: f64,
    own: Option<&LaneMatrix<T::Vector<S>>>,
    tokens: &[T::Vector<S>; D],
) -> [T::Vector<S>; D] {
    let Some(LaneMatrix(entries)) = own else {
        return maps.in_replica(0).apply_to_lanes::<S, T, D>(simd, factor, tokens);
    };
    let mut image = [T::splat(simd, T::ZERO); D];
    for (image, row) in image.iter_mut().zip(entries.chunks_exact(D)) {
        for (entry, token) in row.iter().zip(tokens) {
            *image = T::mul_add(simd, *entry, *token, *image);
        }
    }
    image
}
