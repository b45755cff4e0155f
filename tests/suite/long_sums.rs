//! Sums over a hundred thousand keys in single precision, where a careless sum would lose two digits. The GPU has a test
//! of its own, with its own segments and slices.

use libtest_mimic::Trial;
use tokenfield::model::Field;

use crate::{
    backends::Kind,
    clouds::{cloud, dot, problem},
};

pub fn all() -> Vec<Trial> {
    vec![Trial::test("cpu_single::long_sums_stay_exact", || {
        long_sums();
        Ok(())
    })]
}

fn long_sums() {
    let (count, dim, beta) = (100_000, 3, 4.0);
    let problem = problem(cloud(1, count, dim, 107), beta);
    let x = &problem.tokens.coordinates;
    let moved = Kind::CpuSingle.shifted(&problem, Field::Tangent);
    for i in (0..count).step_by(count / 64) {
        let (x_i, y_i) = (&x[i * dim..(i + 1) * dim], &moved[i * dim..(i + 1) * dim]);
        let (mut z, mut m) = (0.0, vec![0.0; dim]);
        for x_j in x.chunks(dim) {
            let weight = (beta * (dot(x_i, x_j) - 1.0)).exp();
            z += weight;
            m.iter_mut().zip(x_j).for_each(|(m, x)| *m += weight * x);
        }
        let radial = dot(x_i, &m) / z;
        let expected: Vec<f64> = m.iter().zip(x_i).map(|(m, x)| m / z - radial * x).collect();
        // y = (x + v) / |x + v| with v tangent, so v = y / <x, y> - x.
        let found: Vec<f64> = y_i.iter().zip(x_i).map(|(y, x)| y / dot(x_i, y_i) - x).collect();
        let difference: Vec<f64> = found.iter().zip(&expected).map(|(a, b)| a - b).collect();
        let error = (dot(&difference, &difference) / dot(&expected, &expected)).sqrt();
        assert!(error < 2e-6, "token {i}: relative error {error:e}");
    }
}
