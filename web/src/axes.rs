//! Along which directions tokens are drawn.

use nalgebra::{DMatrix, SymmetricEigen};

/// Tokens of which principal directions are taken at most; they are taken evenly among all.
const SAMPLE: usize = 4096;

/// Three directions, row-major (3, dim): the unit vectors up to three dimensions, with zeros where there are fewer; beyond, the principal
/// directions of `tokens`, row-major (token, component), with the largest second moments about the origin.
pub fn axes(tokens: &[f64], dim: usize) -> Vec<f64> {
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
    for (axis, column) in axes.chunks_exact_mut(dim).zip(&order) {
        let direction = eigen.eigenvectors.column(*column);
        // A direction and its negative are the same; the largest component is positive, so that pictures do not jump.
        let largest = direction[direction.icamax()];
        axis.iter_mut().zip(direction.iter()).for_each(|(to, from)| *to = from * largest.signum());
    }
    axes
}

#[cfg(test)]
mod tests {
    use super::axes;

    #[test]
    fn up_to_three_dimensions_nothing_is_turned() {
        assert_eq!(axes(&[], 3), [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(axes(&[], 2), [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
    }

    /// Tokens on three orthogonal lines, 3, 2 and 1 from the origin.
    #[test]
    fn beyond_they_are_the_principal_directions() {
        let lines = [[0.0, 0.6, 0.0, 0.8, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]];
        let mut tokens = Vec::new();
        for (line, length) in lines.iter().zip([3.0, 2.0, 1.0]) {
            tokens.extend([1.0, -1.0].iter().flat_map(|sign| line.map(|x| sign * length * x)));
        }
        let found = axes(&tokens, 5);
        for (axis, line) in found.chunks_exact(5).zip(lines) {
            assert!(axis.iter().zip(line).all(|(a, b)| (a - b).abs() < 1e-12), "{axis:?} is not {line:?}");
        }
    }
}
