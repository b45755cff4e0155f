//! Normal laws in R^d.

use nalgebra::{DMatrix, SymmetricEigen};
use rand_distr::{Distribution, StandardNormal};

use super::{
    error::LawError,
    law::{Law, Spread},
    quadrature::Nodes,
};
use crate::random::Stream;

/// mean + root xi with xi standard normal.
pub(super) struct Gaussian {
    mean: Vec<f64>,
    root: Root,
}

/// A square root of the covariance.
enum Root {
    Scale(f64),
    /// The symmetric one, row-major.
    Matrix(Vec<f64>),
}

impl Gaussian {
    pub fn new(mean: Option<&[f64]>, spread: &Spread, dim: usize) -> Result<Gaussian, LawError> {
        let mean = mean.map_or_else(|| vec![0.0; dim], <[f64]>::to_vec);
        if mean.len() != dim {
            let problem = format!("has {} components and tokens have {dim}", mean.len());
            return Err(LawError { key: "mean", problem, remedy: format!("write {dim} numbers, or leave it out") });
        }
        let root = match spread {
            Spread::Scale(scale) => Root::Scale(*scale),
            Spread::Covariance(rows) => Root::Matrix(square_root(rows, dim)?),
        };
        Ok(Gaussian { mean, root })
    }

    pub fn draw(&self, stream: &mut Stream, token: &mut [f64]) {
        let xi: Vec<f64> = StandardNormal.sample_iter(stream).take(self.mean.len()).collect();
        for (k, (component, mean)) in token.iter_mut().zip(&self.mean).enumerate() {
            *component = mean
                + match &self.root {
                    Root::Scale(scale) => scale * xi[k],
                    Root::Matrix(rows) => rows[k * xi.len()..].iter().zip(&xi).map(|(root, xi)| root * xi).sum(),
                };
        }
    }
}

/// 2d points of equal weights that have the mean and the covariance of a normal law: m +- sqrt(d) r_k for the columns r_k of
/// the symmetric root of its covariance.
pub(crate) fn sigma_points(law: &Law, dim: usize) -> Result<Nodes, LawError> {
    let Law::Gaussian { mean, spread } = law else {
        let remedy = "take gaussian".into();
        return Err(LawError { key: "law", problem: "is not normal".into(), remedy });
    };
    let Gaussian { mean, root } = Gaussian::new(mean.as_deref(), spread, dim)?;
    let entry = |k: usize, l: usize| match &root {
        Root::Scale(scale) => {
            if k == l {
                *scale
            } else {
                0.0
            }
        }
        Root::Matrix(rows) => rows[k * dim + l],
    };
    let length = (dim as f64).sqrt();
    let point = |k: usize, sign: f64| (0..dim).map(|l| mean[l] + sign * length * entry(k, l)).collect::<Vec<_>>();
    let coordinates = (0..dim).flat_map(|k| [point(k, 1.0), point(k, -1.0)]).flatten().collect();
    Ok(Nodes { coordinates, weights: vec![0.5 / dim as f64; 2 * dim] })
}

fn square_root(rows: &[Vec<f64>], dim: usize) -> Result<Vec<f64>, LawError> {
    let unfit = |problem: String| LawError {
        key: "covariance",
        problem,
        remedy: format!("write {dim} rows of {dim} numbers, symmetric and without negative eigenvalues"),
    };
    if rows.len() != dim || rows.iter().any(|row| row.len() != dim) {
        return Err(unfit(format!("is no matrix of {dim} rows of {dim} numbers")));
    }
    let matrix = DMatrix::from_row_slice(dim, dim, &rows.concat());
    let size = matrix.amax();
    if (&matrix - matrix.transpose()).amax() > 1e-12 * size {
        return Err(unfit("is not symmetric".into()));
    }
    let SymmetricEigen { eigenvectors, eigenvalues } = SymmetricEigen::new(matrix);
    // Rounding leaves the zeros of a singular covariance a little negative.
    if eigenvalues.min() < -1e-12 * size {
        return Err(unfit(format!("has the eigenvalue {}", eigenvalues.min())));
    }
    let roots = eigenvalues.map(|eigenvalue| eigenvalue.max(0.0).sqrt());
    let root = &eigenvectors * DMatrix::from_diagonal(&roots) * eigenvectors.transpose();
    // Symmetric, so that rows are columns.
    Ok(root.as_slice().to_vec())
}
