//! Weighted nodes, and the rule of Gauss and Legendre.

use std::f64::consts::PI;

/// Nodes on S^{d-1}, row-major, and their weights, which sum to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Nodes {
    /// Row-major (node, component).
    pub coordinates: Vec<f64>,
    /// One a node, of sum one.
    pub weights: Vec<f64>,
}

/// The nodes in (-1, 1) and weights, of sum 2, of the rule of Gauss and Legendre with `count` nodes: the zeros of P_n by
/// Newton's iteration from Tricomi's guess.
pub fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    let n = count as f64;
    let node = |k: usize| {
        let mut x = (PI * (k as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 0.0;
        for _ in 0..20 {
            let (mut before, mut here) = (1.0, x);
            for l in 2..=count {
                let l = l as f64;
                (before, here) = (here, ((2.0 * l - 1.0) * x * here - (l - 1.0) * before) / l);
            }
            slope = n * (x * here - before) / (x * x - 1.0);
            let shift = here / slope;
            x -= shift;
            if shift.abs() < 1e-16 {
                break;
            }
        }
        (x, 2.0 / ((1.0 - x * x) * slope * slope))
    };
    match count {
        0 => Vec::new(),
        1 => vec![(0.0, 2.0)],
        _ => (0..count).map(node).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauss_legendre_integrates_polynomials_of_twice_its_degree() {
        for count in [1, 2, 3, 8, 40] {
            for power in 0..2 * count {
                let found: f64 = gauss_legendre(count).iter().map(|(x, w)| w * x.powi(power as i32)).sum();
                let exact = if power % 2 == 0 { 2.0 / (power as f64 + 1.0) } else { 0.0 };
                assert!((found - exact).abs() < 1e-13, "{count} nodes, x^{power}: {found}");
            }
        }
    }
}
