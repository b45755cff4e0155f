//! The two directions that show most of a cloud in many dimensions.

use nalgebra::{DMatrix, SymmetricEigen};

/// A cloud seen along its two leading principal directions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Projection {
    /// Coordinates of each token along the two directions, from the mean token.
    pub(super) places: Vec<[f64; 2]>,
    /// The share of the variance that each direction explains; zero if nothing varies.
    pub(super) shares: [f64; 2],
}

/// Projects `tokens`, each of `dim` finite components, onto their two leading principal directions.
pub(super) fn principal<'a>(tokens: impl Iterator<Item = &'a [f64]>, dim: usize) -> Projection {
    let flat: Vec<f64> = tokens.flatten().copied().collect();
    let count = flat.len() / dim;
    // One column a token.
    let mut tokens = DMatrix::from_vec(dim, count, flat);
    if count > 0 {
        let mean = tokens.column_mean();
        tokens.column_iter_mut().for_each(|mut token| token -= &mean);
    }
    let total = tokens.norm_squared();
    if total == 0.0 {
        return Projection { places: vec![[0.0; 2]; count], shares: [0.0; 2] };
    }
    // The same singular vectors come from the smaller of the two Gram matrices.
    let wide = dim <= count;
    let gram = if wide { &tokens * tokens.transpose() } else { tokens.transpose() * &tokens };
    let eigen = SymmetricEigen::new(gram);
    let mut order: Vec<usize> = (0..eigen.eigenvalues.len()).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));

    let mut places = vec![[0.0; 2]; count];
    let mut shares = [0.0; 2];
    for (axis, &index) in order.iter().take(2).enumerate() {
        let value = eigen.eigenvalues[index].max(0.0);
        shares[axis] = value / total;
        let vector = eigen.eigenvectors.column(index);
        let along = if wide { tokens.tr_mul(&vector) } else { vector * value.sqrt() };
        // An eigenvector has no sign of its own: the token farthest out is put on the positive side.
        let sign = along[along.iamax()].signum();
        for (place, coordinate) in places.iter_mut().zip(along.iter()) {
            place[axis] = sign * coordinate;
        }
    }
    Projection { places, shares }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens on an ellipse of half-axes 3 and 1 in a tilted plane of R^`dim`, about a centre away from zero.
    fn ellipse(dim: usize, count: usize) -> Vec<Vec<f64>> {
        let token = |k: usize| {
            let angle = std::f64::consts::TAU * k as f64 / count as f64;
            let (long, short) = (3.0 * angle.cos(), angle.sin());
            let mut token = vec![0.7; dim];
            token[0] += 0.6 * long;
            token[dim - 1] += 0.8 * long;
            token[1] += short;
            token
        };
        (0..count).map(token).collect()
    }

    #[test]
    fn an_ellipse_is_found_from_either_gram_matrix() {
        for (dim, count) in [(5, 40), (40, 12)] {
            let tokens = ellipse(dim, count);
            let projection = principal(tokens.iter().map(Vec::as_slice), dim);
            assert!((projection.shares[0] - 0.9).abs() < 1e-9, "{dim}: {:?}", projection.shares);
            assert!((projection.shares[1] - 0.1).abs() < 1e-9, "{dim}: {:?}", projection.shares);
            for [long, short] in projection.places {
                let radius = (long / 3.0).powi(2) + short.powi(2);
                assert!((radius - 1.0).abs() < 1e-9, "{dim}: {long}, {short}");
            }
        }
    }

    #[test]
    fn a_cloud_that_does_not_vary_lies_at_the_origin() {
        let one = [0.1, 0.2, 0.3, 0.4];
        let cases: [Vec<&[f64]>; 3] = [vec![], vec![&one], vec![&[2.0; 4], &[2.0; 4]]];
        for tokens in cases {
            let projection = principal(tokens.iter().copied(), 4);
            assert_eq!(projection, Projection { places: vec![[0.0; 2]; tokens.len()], shares: [0.0; 2] });
        }
        let line = principal([[1.0].as_slice(), &[3.0]].into_iter(), 1);
        assert_eq!((line.places[0][1], line.shares), (0.0, [1.0, 0.0]));
    }
}
