//! Bessel functions against their power series.

use super::super::bessel::coefficients;

/// e^{-kappa} I_k(kappa) (d = 2) or e^{-kappa} i_l(kappa) (d = 3) by the series of DLMF 10.25.2 and 10.53.3, term by term:
/// sum_j (kappa/2)^{2j+k} / (j! (j+k)!) and sum_j kappa^{l+2j} / (2^j j! (2l+2j+1)!!).
fn series(dim: usize, l: usize, kappa: f64) -> f64 {
    let mut term = (-kappa).exp();
    for factor in 1..=l {
        term *= if dim == 2 { kappa / (2 * factor) as f64 } else { kappa / (2 * factor + 1) as f64 };
    }
    let mut sum = 0.0;
    for j in 1..2000 {
        sum += term;
        term *= match dim {
            2 => kappa * kappa / (4 * j * (j + l)) as f64,
            _ => kappa * kappa / (2 * j * (2 * l + 2 * j + 1)) as f64,
        };
    }
    sum
}

#[test]
fn coefficients_are_bessel_functions() {
    for dim in [2, 3] {
        for kappa in [0.0, 1e-3, 0.5, 4.0, 64.0, 400.0] {
            let found = coefficients(dim, kappa, 40);
            for (l, found) in found.iter().enumerate() {
                let multiplicity = if dim == 3 {
                    (2 * l + 1) as f64
                } else if l == 0 {
                    1.0
                } else {
                    2.0
                };
                let expected = multiplicity * series(dim, l, kappa);
                // The series itself loses a few units in the last place over 800 positive terms.
                let tolerance = 2e-13 * expected + 1e-300;
                assert!((found - expected).abs() <= tolerance, "d {dim} kappa {kappa} l {l}: {} {expected}", found);
            }
        }
    }
}

#[test]
fn tabulated_values() {
    // Abramowitz and Stegun, tables 9.8 and 10.8: e^{-1} I_0(1), e^{-1} I_1(1), e^{-5} I_0(5); i_0(1) = sinh 1.
    let circle = coefficients(2, 1.0, 1);
    assert!((circle[0] - 0.465_759_607_6).abs() < 1e-10, "{}", circle[0]);
    assert!((circle[1] - 2.0 * 0.207_910_415_4).abs() < 2e-10, "{}", circle[1]);
    assert!((coefficients(2, 5.0, 0)[0] - 0.183_540_812_6).abs() < 1e-10);
    assert!((coefficients(3, 1.0, 0)[0] - 1f64.sinh() * (-1f64).exp()).abs() < 1e-15);
}
