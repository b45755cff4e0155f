//! Mean and covariance of weighted points.

pub(crate) struct PointMoments {
    /// m = sum_j w_j x_j.
    pub mean: Vec<f64>,
    /// sum_j w_j (x_j - m)(x_j - m)^T, row-major.
    pub covariance: Vec<f64>,
}

impl PointMoments {
    /// Of `points`, row-major, whose weights have the sum one.
    pub fn of(points: &[f64], dim: usize, weight: impl Fn(usize) -> f64) -> Self {
        let mut mean = vec![0.0; dim];
        for (j, x) in points.chunks_exact(dim).enumerate() {
            mean.iter_mut().zip(x).for_each(|(m, x)| *m += weight(j) * x);
        }
        let mut covariance = vec![0.0; dim * dim];
        for (j, x) in points.chunks_exact(dim).enumerate() {
            for k in 0..dim {
                for l in 0..dim {
                    covariance[k * dim + l] += weight(j) * (x[k] - mean[k]) * (x[l] - mean[l]);
                }
            }
        }
        Self { mean, covariance }
    }
}
