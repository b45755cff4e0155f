//! Along which directions tokens are drawn.

use nalgebra::{DMatrix, SymmetricEigen};

/// Tokens of which principal directions are taken at most; they are taken evenly among all.
const SAMPLE: usize = 4096;

/// Three directions, row-major (3, dim): the unit vectors up to three dimensions, with zeros where there are fewer; beyond, the principal
/// directions of `tokens`, row-major (token, component), with the largest second moments about the origin. A direction and its negative are the same:
/// each is that which is nearer to the direction of `before`, so that pictures do not jump; without any its largest component is positive.
pub fn axes(tokens: &[f64], dim: usize, before: &[f64]) -> Vec<f64> {
    let mut axes = vec![0.0; 3 * dim];
    if dim <= 3 {
        (0..dim).for_each(|k| axes[k * dim + k] = 1.0);
        return axes;
    }
    let count = tokens.len() / dim;
    let stride = count.div_ceil(SAMPLE).max(1);
    let mut moments = DMatrix::zeros(dim, dim);
    for token in tokens.chunks_exact(dim).step_by(stride) {
        let token = nalgebra::DVectorView::from_slice(token, dim);
        moments.ger(1.0, &token, &token, 1.0);
    }
    let eigen = SymmetricEigen::new(moments);
    let mut order: Vec<usize> = (0..dim).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    for (k, axis) in axes.chunks_exact_mut(dim).enumerate() {
        let direction = eigen.eigenvectors.column(order[k]);
        let towards = match before.get(k * dim..(k + 1) * dim) {
            Some(before) => direction.iter().zip(before).map(|(a, b)| a * b).sum(),
            None => direction[direction.icamax()],
        };
        axis.iter_mut().zip(direction.iter()).for_each(|(to, from)| *to = if towards < 0.0 { -from } else { *from });
    }
    axes
}

#[cfg(test)]
mod tests {
    use super::axes;

    #[test]
    fn up_to_three_dimensions_nothing_is_turned() {
        assert_eq!(axes(&[], 3, &[]), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(axes(&[], 2, &[]), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }

    /// Tokens on three orthogonal lines, 3, 2 and 1 from the origin.
    #[test]
    fn beyond_they_are_the_principal_directions() {
        let lines = [[0.0, 0.6, 0.0, 0.8, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]];
        let mut tokens = Vec::new();
        for (line, length) in lines.iter().zip([3.0, 2.0, 1.0]) {
            tokens.extend([1.0, -1.0].iter().flat_map(|sign| line.map(|x| sign * length * x)));
        }
        let found = axes(&tokens, 5, &[]);
        for (axis, line) in found.chunks_exact(5).zip(lines) {
            assert!(axis.iter().zip(line).all(|(a, b)| (a - b).abs() < 1e-12), "{axis:?} is not {line:?}");
        }
        let before: Vec<f64> = found.iter().map(|x| -x).collect();
        assert!(axes(&tokens, 5, &before).iter().zip(&before).all(|(a, b)| (a - b).abs() < 1e-12), "signs are kept");
    }
}
