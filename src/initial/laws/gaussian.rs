//! Normal laws in R^d.

use nalgebra::{DMatrix, SymmetricEigen};
use rand_distr::{Distribution, StandardNormal};
use serde::Serialize;

use crate::{
    initial::{
        definition::{Form, InitialLaw, Placement},
        error::LawError,
        nodes::Nodes,
    },
    random::Stream,
    tokens::Shape,
};

/// N(mean, covariance) in R^d; without a mean, about the origin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gaussian {
    #[serde(skip_serializing_if = "Option::is_none")]
    /// d numbers.
    pub mean: Option<Vec<f64>>,
    #[serde(flatten)]
    /// The covariance.
    pub spread: Spread,
}

/// The covariance of a normal law.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// scale^2 times the identity.
    Scale(f64),
    /// Its rows: symmetric, without negative eigenvalues.
    Covariance(Vec<Vec<f64>>),
}

impl InitialLaw for Gaussian {
    const WORD: &'static str = "gaussian";
    const KEYS: &'static [&'static str] = &["law", "mean", "scale", "covariance"];

    fn check(&self) -> Result<(), LawError> {
        match &self.spread {
            Spread::Scale(scale) if !(scale.is_finite() && *scale >= 0.0) => {
                Err(LawError::outside("scale", "finite and at least 0", "1.0"))
            }
            Spread::Scale(_) | Spread::Covariance(_) => Ok(()),
        }
    }

    fn place(&self, shape: Shape) -> Result<Placement<'_>, LawError> {
        let sampler = Sampler::new(self, shape.dim)?;
        Ok(Placement::alike(move |stream, token| sampler.draw(stream, token)))
    }

    fn form(&self) -> Form<'_> {
        Form::Normal(Box::new(|dim| sigma_points(self, dim)))
    }

    fn is_on_sphere(&self) -> bool {
        false
    }

    fn write_defaults(&mut self, dim: usize) {
        self.mean.get_or_insert_with(|| vec![0.0; dim]);
    }
}

/// mean + root xi with xi standard normal.
struct Sampler {
    mean: Vec<f64>,
    root: Root,
}

/// A square root of the covariance.
enum Root {
    Scale(f64),
    /// The symmetric one, row-major.
    Matrix(Vec<f64>),
}

impl Sampler {
    fn new(law: &Gaussian, dim: usize) -> Result<Sampler, LawError> {
        let Gaussian { mean, spread } = law;
        let mean = mean.clone().unwrap_or_else(|| vec![0.0; dim]);
        if mean.len() != dim {
            let problem = format!("has {} components and tokens have {dim}", mean.len());
            return Err(LawError::new("mean", problem, format!("write {dim} numbers, or leave it out")));
        }
        let root = match spread {
            Spread::Scale(scale) => Root::Scale(*scale),
            Spread::Covariance(rows) => Root::Matrix(square_root(rows, dim)?),
        };
        Ok(Sampler { mean, root })
    }

    fn draw(&self, stream: &mut Stream, token: &mut [f64]) {
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
fn sigma_points(law: &Gaussian, dim: usize) -> Result<Nodes, LawError> {
    let Sampler { mean, root } = Sampler::new(law, dim)?;
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
    let unfit = |problem: String| {
        let remedy = format!("write {dim} rows of {dim} numbers, symmetric and without negative eigenvalues");
        LawError::new("covariance", problem, remedy)
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
