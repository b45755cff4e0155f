//! The modes of directions: sums over tokens as the harmonic algorithm takes them, by recurrences that keep more digits.

use super::observed::Observed;
use crate::backend::gpu::{
    engine::allocation::AllocationScope,
    harmonic::moments::{Basis, Moments},
};
use crate::{
    backend::{BackendError, Point},
    harmonic::Triangle,
};

/// Modes up to this degree are summed on the device. Amplitudes are right to 1e-6 then, of tokens of any lengths wherever they are,
/// the rounding of a direction counting as often as the degree.
const MOST_DEGREE: usize = 16;
/// By how much the sum of all weights may be off one; a token without direction adds far more.
const WHOLE: f64 = 1e-3;

/// The amplitudes of degrees 1 to `degree` of every replica, of tokens in two or three dimensions, unless the degree is too high
/// or the sums do not fit the device; `unit` is what weights of one are on the device. Not numbers where a token of positive weight has no direction.
pub async fn modes(
    laid_out: &mut Option<Moments>,
    observed: &mut Observed<'_>,
    unit: f64,
    degree: usize,
) -> Result<Option<Vec<Vec<f64>>>, BackendError> {
    let Observed { device, shape, constants, buffers, ref mut recorder, readback, .. } = *observed;
    if degree > MOST_DEGREE || !matches!(shape.dim, 2 | 3) {
        return Ok(None);
    }
    if laid_out.as_ref().is_none_or(|modes| modes.degree != degree) {
        let lay_out =
            |scope: &AllocationScope| Moments::new(scope, constants, buffers, recorder, Basis::Modes, degree);
        *laid_out = AllocationScope::afford(device, lay_out).await?;
    }
    let Some(moments) = laid_out else { return Ok(None) };
    moments.record(recorder, buffers, Point::State)?;
    let count = 2 * moments.replicas * moments.harmonics;
    let sums = readback.numbers(recorder, &moments.values, 0, count).await?;
    let of_replica = |sums: &[f32]| {
        let square = |index: usize| {
            let [re, im] = [sums[2 * index], sums[2 * index + 1]].map(|part| unit * f64::from(part));
            re * re + im * im
        };
        let amplitude = |l| if shape.dim == 2 { square(l).sqrt() } else { spherical(l, degree, square) };
        let is_whole = (square(0).sqrt() - 1.0).abs() < WHOLE;
        (1..=degree).map(|l| if is_whole { amplitude(l) } else { f64::NAN }).collect()
    };
    Ok(Some(sums.chunks(2 * moments.harmonics).map(of_replica).collect()))
}

/// (4 pi / (2 l + 1) sum_m |S_lm|^2)^{1/2} for S_lm = sum_j w_j Y_lm, from the squares of sum_j w_j q_lm (x_j + i y_j)^m at the places
/// of a triangle of that degree: Y_lm^2 4 pi / (2 l + 1) is the square of q_lm sin^m with
/// (l + m)! / (l - m)! / (2^m m!)^2 = prod_j (l - m + 2 j - 1) (l - m + 2 j) / (2 j)^2, j = 1 .. m.
fn spherical(l: usize, degree: usize, square: impl Fn(usize) -> f64) -> f64 {
    let factor = |m: usize| -> f64 {
        (1..=m).map(|j| ((l - m + 2 * j - 1) * (l - m + 2 * j)) as f64 / (4 * j * j) as f64).product()
    };
    // Orders m and -m of real weights have conjugate sums.
    let order = |m: usize| if m == 0 { 1.0 } else { 2.0 } * factor(m) * square(Triangle { degree }.index(l, m));
    (0..=l).map(order).sum::<f64>().sqrt()
}
