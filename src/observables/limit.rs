//! The limit at the time of a sample, as each distance needs to see it: as the law that it is wherever more than its nodes is known.
//!
//! On the circle quantiles are known, and everything follows from these. On the sphere a grid of nodes gives moments, which are all of
//! a smooth law; where a law has become sharper than moments can say, its nodes have become close. Which of the two is nearer to the
//! law is decided by bounds on both. Symmetric laws in more dimensions are known by heights.

use super::{
    law::Law,
    limit_state::{LimitState, Nodes},
    resolution::Resolution,
};
use crate::{
    harmonic::coefficients,
    transport::{
        Masses, Measure, Order, TransportError,
        curve::Curve,
        harmonics::{SphereMoments, fourier},
        kernel,
        point_moments::PointMoments,
        series::Series,
        sliced::Slices,
        zonal::kernel_mean,
    },
    vector::dot,
};

/// Keys the directions of projections: the same for every replica, time and run.
pub(super) const SEED: u64 = 0;
/// Points that stand for a law along a line or on the circle, in units of the root of the number of tokens: they are
/// 0.6 / count from it, and n tokens some 0.3 n^{-1/2}.
const POINTS: f64 = 256.0;
const FEWEST_POINTS: usize = 4096;
const MOST_POINTS: usize = 1 << 18;
/// Points on the circle for each Fourier mode.
const POINTS_A_MODE: usize = 8;

/// The limit of a problem and its tokens at the time of a sample, of which the last are coupled to those of the problem.
pub struct Limit<'a> {
    /// The limit at the time of the sample.
    pub state: LimitState<'a>,
    /// On the circle.
    pub(super) curve: Option<Curve>,
    sphere: Option<Sphere>,
    /// Of the kernel of [`Quantity::MmdReference`], if that is asked for.
    pub(super) embedding: Option<Embedding>,
    /// Points along a line that are to stand for the law.
    points: usize,
}

/// What is known of a law on the sphere from a grid of nodes.
struct Sphere {
    moments: SphereMoments,
    /// A bound on W_2 between nodes and law: each cell is gathered at its node.
    nodes: f64,
}

/// h = int k(., y) dmu(y), with k(x, y) = e^{beta (<x, y> - 1)} and the measure mu of a limit.
pub(super) struct Embedding {
    /// int h dmu.
    pub(super) square: f64,
    pub(super) form: Form,
    /// How far the embedding may be from that of the law.
    pub(super) error: f64,
    /// Points that stand for the law.
    pub(super) nodes: usize,
}

/// How h is known.
pub(super) enum Form {
    Points(Law),
    /// As a function of the height over the axis.
    Heights(Series),
    /// By b_l and moments on the circle.
    Modes {
        coefficients: Vec<f64>,
        sums: Vec<[f64; 2]>,
    },
    /// By b_l and moments on the sphere.
    Harmonics {
        coefficients: Vec<f64>,
        moments: SphereMoments,
    },
}

impl<'a> Limit<'a> {
    /// `sources` is how many tokens are compared with it.
    pub(crate) fn new(
        state: LimitState<'a>,
        resolutions: &[Resolution],
        sources: usize,
    ) -> Result<Self, TransportError> {
        let points = (POINTS * (sources as f64).sqrt()) as usize;
        let points = points.clamp(FEWEST_POINTS, MOST_POINTS).next_power_of_two();
        let curve = state.quantiles.as_ref().map(|quantiles| Curve::new(&quantiles.angles, &quantiles.masses));
        let grid = state.grid;
        let mut seen = Self { state, curve, sphere: None, embedding: None, points };
        if let Some(grid) = grid.filter(|_| resolutions.iter().any(|resolution| resolution.reads_moments)) {
            let (points, weights) = seen.nodes();
            // Products of two harmonics of half the degree are what the nodes integrate at time zero.
            let moments = SphereMoments::of(points, weights, grid / 2);
            seen.sphere = Some(Sphere { moments, nodes: spread(points, weights, grid) });
        }
        for beta in resolutions.iter().filter_map(|resolution| resolution.kernel_beta) {
            seen.embedding = Some(seen.embedding(beta)?);
        }
        Ok(seen)
    }

    fn embedding(&self, beta: f64) -> Result<Embedding, TransportError> {
        if let Some(curve) = &self.curve {
            let wanted = (80.0 * beta).sqrt() as usize + 30;
            let count = (POINTS_A_MODE * wanted).next_power_of_two().clamp(self.points, MOST_POINTS);
            let degree = wanted.min(count / POINTS_A_MODE);
            let coefficients = coefficients(2, beta, degree);
            let points = on_circle(&curve.points(count));
            let sums = fourier(&points, &vec![1.0 / count as f64; count], degree);
            let square = coefficients.iter().zip(&sums).map(|(b, [re, im])| b * (re * re + im * im)).sum();
            let error = beta.sqrt() * curve.error(Order::Two);
            return Ok(Embedding { square, form: Form::Modes { coefficients, sums }, error, nodes: count });
        }
        let (points, weights) = self.nodes();
        let nodes = weights.len();
        if let Nodes::Meridian { axis } = self.state.nodes {
            let heights: Vec<f64> = points.chunks_exact(axis.len()).map(|x| dot(x, axis)).collect();
            let series = kernel_mean(&heights, weights, axis.len(), beta);
            let square = heights.iter().zip(weights).map(|(t, weight)| weight * series.at(*t)).sum();
            return Ok(Embedding { square, form: Form::Heights(series), error: 0.0, nodes });
        }
        if let Some(Sphere { moments, nodes: distance }) = &self.sphere {
            let degree = moments.degree();
            let coefficients = coefficients(3, beta, degree);
            let squares: Vec<f64> =
                coefficients.iter().zip(moments.products(moments)).map(|(b, square)| b * square).collect();
            // What follows is about what the last degrees were, as long as they fall.
            let left_out = squares[degree - degree / 4..].iter().sum::<f64>().max(0.0).sqrt();
            let gathered = beta.sqrt() * distance;
            if left_out <= gathered {
                let form = Form::Harmonics { coefficients, moments: moments.clone() };
                return Ok(Embedding { square: squares.iter().sum(), form, error: left_out, nodes });
            }
            let law = self.law()?;
            let square = kernel::mean(&law.measure()?, &law.measure()?, beta)?;
            return Ok(Embedding { square, form: Form::Points(law), error: gathered, nodes });
        }
        let law = self.law()?;
        let square = kernel::mean(&law.measure()?, &law.measure()?, beta)?;
        Ok(Embedding { square, form: Form::Points(law), error: 0.0, nodes })
    }

    /// int h dnu for the measure nu of tokens.
    pub(super) fn product(&self, tokens: &Measure<'_>, beta: f64) -> Result<f64, TransportError> {
        let Some(embedding) = &self.embedding else { return Ok(f64::NAN) };
        let weights = || (0..tokens.count()).map(|j| tokens.weight(j)).collect::<Vec<f64>>();
        let points = || tokens.points().flatten().copied().collect::<Vec<f64>>();
        Ok(match &embedding.form {
            Form::Points(law) => kernel::mean(tokens, &law.measure()?, beta)?,
            Form::Heights(series) => match self.state.nodes {
                Nodes::Meridian { axis } => tokens.mean(|x| series.at(dot(x, axis))),
                Nodes::Points | Nodes::Moments | Nodes::Overlap => f64::NAN,
            },
            Form::Modes { coefficients, sums } => {
                let own = fourier(&points(), &weights(), coefficients.len() - 1);
                let pairs = own.iter().zip(sums).map(|(a, b)| a[0] * b[0] + a[1] * b[1]);
                pairs.zip(coefficients).map(|(product, b)| product * b).sum()
            }
            Form::Harmonics { coefficients, moments } => {
                let own = SphereMoments::of(&points(), &weights(), moments.degree());
                own.products(moments).iter().zip(coefficients).map(|(product, b)| product * b).sum()
            }
        })
    }

    /// The law along the directions of [`Quantity::SlicedW2Reference`], and how far that may be from it, in the same distance.
    pub(crate) fn slices(&self, projections: u32) -> Result<(Slices<'_>, f64), TransportError> {
        if let Some(curve) = &self.curve {
            let points = on_circle(&curve.points(self.points));
            let along = move |direction: &[f64]| {
                let mut values: Vec<f64> = points.chunks_exact(2).map(|x| dot(x, direction)).collect();
                values.sort_unstable_by(f64::total_cmp);
                values
            };
            return Ok((Slices::of_quantiles(2, projections, SEED, self.points, along)?, curve.error(Order::Two)));
        }
        if let Some(Sphere { moments, nodes }) = &self.sphere {
            // A moment c_l that is left out moves the distribution function by about c_l / l.
            let left_out = moments.tail() / (moments.degree().max(1) as f64).sqrt();
            if left_out <= *nodes {
                let along = |direction: &[f64]| moments.along(direction, self.points);
                return Ok((Slices::of_quantiles(3, projections, SEED, self.points, along)?, left_out));
            }
        }
        let error = self.sphere.as_ref().map_or(0.0, |sphere| sphere.nodes / 3f64.sqrt());
        let (points, weights) = self.nodes();
        match self.state.nodes {
            Nodes::Points => {
                let measure = Measure::new(points, self.state.shape.dim, Masses::Each(weights))?;
                Ok((Slices::new(measure, projections, SEED)?, error))
            }
            Nodes::Meridian { .. } => Err(TransportError::NoPoints { known: "heights" }),
            Nodes::Moments => Err(TransportError::NoPoints { known: "moments" }),
            Nodes::Overlap => Err(TransportError::NoPoints { known: "overlaps" }),
        }
    }

    /// Mean and covariance of the law.
    pub(super) fn moments(&self) -> PointMoments {
        let dim = self.state.shape.dim;
        let (points, weights) = self.nodes();
        match self.state.nodes {
            Nodes::Points | Nodes::Moments | Nodes::Overlap => PointMoments::of(points, dim, |j| weights[j]),
            Nodes::Meridian { axis } => about(axis, points, weights),
        }
    }

    /// Nodes or heights of the law; none where its moments or overlaps are known.
    pub(super) fn node_count(&self) -> Option<usize> {
        match self.state.nodes {
            Nodes::Points | Nodes::Meridian { .. } => Some(self.state.weights.len()),
            Nodes::Moments | Nodes::Overlap => None,
        }
    }

    /// Quantiles of the law on the circle, elsewhere nodes.
    pub(super) fn quantile_count(&self) -> Option<usize> {
        self.state.quantiles.as_ref().map(|quantiles| quantiles.angles.len()).or_else(|| self.node_count())
    }

    /// Points that stand for the law on the circle, elsewhere nodes.
    pub(super) fn point_count(&self) -> Option<usize> {
        self.curve.as_ref().map(|_| self.points).or_else(|| self.node_count())
    }

    /// The nodes, row-major, and their weights.
    pub(super) fn nodes(&self) -> (&[f64], &[f64]) {
        let shape = self.state.shape;
        (&self.state.tokens[..shape.sources() * shape.dim], self.state.weights)
    }

    /// The measure as points.
    pub(super) fn law(&self) -> Result<Law, TransportError> {
        let dim = self.state.shape.dim;
        let (points, weights) = self.nodes();
        let is_unit = self.state.is_unit;
        if let Some(curve) = &self.curve {
            return Ok(Law::new(on_circle(&curve.points(self.points)), Vec::new(), dim, is_unit));
        }
        match self.state.nodes {
            Nodes::Points => Ok(Law::new(points.to_vec(), weights.to_vec(), dim, is_unit)),
            Nodes::Meridian { .. } => Err(TransportError::NoPoints { known: "heights" }),
            Nodes::Moments => Err(TransportError::NoPoints { known: "moments" }),
            Nodes::Overlap => Err(TransportError::NoPoints { known: "overlaps" }),
        }
    }
}

/// Of a measure symmetric about `axis`: mean E[t] e and covariance Var[t] e e^T + E[1 - t^2] / (d - 1) (I - e e^T).
fn about(axis: &[f64], points: &[f64], weights: &[f64]) -> PointMoments {
    let dim = axis.len();
    let height = |x: &[f64]| x.iter().zip(axis).map(|(x, e)| x * e).sum::<f64>();
    let expectation = |f: &dyn Fn(f64) -> f64| -> f64 {
        points.chunks_exact(dim).zip(weights).map(|(x, weight)| weight * f(height(x))).sum()
    };
    let mean = expectation(&|t| t);
    let (along, across) =
        (expectation(&|t| (t - mean) * (t - mean)), expectation(&|t| 1.0 - t * t) / (dim - 1) as f64);
    let entry = |k: usize, l: usize| (along - across) * axis[k] * axis[l] + if k == l { across } else { 0.0 };
    PointMoments {
        mean: axis.iter().map(|e| mean * e).collect(),
        covariance: (0..dim * dim).map(|index| entry(index / dim, index % dim)).collect(),
    }
}

/// Points at these angles.
fn on_circle(angles: &[f64]) -> Vec<f64> {
    angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]).collect()
}

/// (sum_j w_j (a_j^2 + b_j^2) / 12)^{1/2}, a_j and b_j being the sides of the cell of node j in a grid of `heights` by twice as many
/// longitudes, or in several of these: what it takes to spread the mass of every node over its cell.
fn spread(points: &[f64], weights: &[f64], heights: usize) -> f64 {
    let longitudes = 2 * heights;
    let node = |i: usize, k: usize| &points[3 * (i * longitudes + k % longitudes)..][..3];
    let square = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
    let cell = |index: usize| {
        let (i, k) = (index / longitudes, index % longitudes);
        let below = if (i + 1) % heights > 0 { i + 1 } else { i.saturating_sub(1) };
        square(node(i, k), node(i, k + 1)) + square(node(i, k), node(below, k))
    };
    (weights.iter().enumerate().map(|(index, weight)| weight * cell(index)).sum::<f64>() / 12.0).sqrt()
}
