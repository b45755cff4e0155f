//! The coefficients of the expansion of e^{kappa cos gamma}, exponentially scaled so that no kappa overflows.
//!
//! ```text
//! e^{kappa (cos gamma - 1)} = sum_k b_k(kappa) cos(k gamma)     b_k = (2 - [k = 0]) I_k(kappa) e^{-kappa}     d = 2
//! e^{kappa (cos gamma - 1)} = sum_l b_l(kappa) P_l(cos gamma)   b_l = (2l + 1) i_l(kappa) e^{-kappa}          d = 3
//! ```
//!
//! with the modified Bessel functions I_k and the modified spherical ones i_l (DLMF 10.35.2, 10.60.8). At gamma = 0
//! each reads sum b_l = 1; that, and the recurrence downward in l, is all that is needed to compute them.

/// b_0, .., b_degree at `kappa` >= 0 for tokens of width `dim` (2 or 3).
///
/// Ratios of neighbours come from the continued fraction, evaluated downward from an order so high that its tail no
/// longer matters (Gautschi, SIAM Review 9, 1967); their products are normalised by sum b_l = 1.
pub(crate) fn coefficients(dim: usize, kappa: f64, degree: usize) -> Vec<f64> {
    let ratios = ratios(dim, kappa, degree);
    let mut function = 1.0;
    let mut coefficients = vec![multiplicity(dim, 0)];
    for (l, ratio) in (1..).zip(ratios) {
        function *= ratio;
        coefficients.push(multiplicity(dim, l) * function);
    }
    let total: f64 = coefficients.iter().rev().sum();
    coefficients.truncate(degree + 1);
    coefficients.iter_mut().for_each(|coefficient| *coefficient /= total);
    coefficients
}

/// I_l / I_{l-1}, or i_l / i_{l-1}, for l = 1, 2, .. until beyond `degree` they are too small to count.
pub(super) fn ratios(dim: usize, kappa: f64, degree: usize) -> Vec<f64> {
    // Beyond degree, b_l falls at least like e^{-l^2 / 2 kappa}, and like (kappa / 2l)^l once l > kappa.
    let last = ((degree * degree) as f64 + 80.0 * kappa).sqrt().ceil() as usize + 30;
    let mut ratios = vec![0.0; last];
    let mut next = 0.0;
    for l in (1..=last).rev() {
        next = kappa / (recurrence(dim, l) + kappa * next);
        ratios[l - 1] = next;
    }
    ratios
}

/// c_l in f_{l-1}(kappa) = f_{l+1}(kappa) + (c_l / kappa) f_l(kappa): 2l for I_l, 2l + 1 for i_l.
pub(super) fn recurrence(dim: usize, l: usize) -> f64 {
    (2 * l + dim - 2) as f64
}

/// What b_l multiplies I_l or i_l by: the number of independent harmonics of degree l.
pub(super) fn multiplicity(dim: usize, l: usize) -> f64 {
    match (dim, l) {
        (_, 0) => 1.0,
        (2, _) => 2.0,
        _ => (2 * l + 1) as f64,
    }
}
