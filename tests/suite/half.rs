//! Half precision, on adapters that have it: against the f64 oracle, within what rounding to f16 explains.

use libtest_mimic::Trial;
use tokenfield::{
    backend::gpu,
    model::{Field, Normalization},
    problem::Problem,
    tokens::Tokens,
};

use crate::{
    backends::Kind,
    clouds::{cloud, distance, general_head, problem, uneven},
    oracle,
};

pub fn all() -> Vec<Trial> {
    vec![Trial::test("half::probe", || {
        probe();
        Ok(())
    })]
}

fn probe() {
    for (dim, count) in [(32, 1), (32, 31), (33, 65), (48, 33), (64, 300), (96, 64), (128, 100), (200, 70), (32, 2500)] {
        let tokens = cloud(1, count, dim, (dim * count) as u64);
        for beta in [1.5, 4.0, 16.0] {
            let plain = problem(tokens.clone(), beta);
            let mut general = problem(Tokens { weights: uneven(tokens.shape, 3), ..tokens.clone() }, beta);
            general.model.attention.heads = vec![general_head(dim, 17)];
            let mut raw = general.clone();
            raw.model.attention.normalization = Normalization::Unnormalized;
            for (name, problem) in [("plain", plain), ("general", general), ("raw", raw)] {
                let x = &problem.tokens.coordinates;
                let field = oracle::field(&problem, x, Field::Tangent);
                let mut moved: Vec<f64> = x.iter().zip(&field).map(|(x, f)| x + f).collect();
                crate::clouds::normalize(&mut moved, dim);
                let single = distance(&Kind::GpuSingle.shifted(&problem, Field::Tangent), &moved);
                let half = distance(&Kind::GpuHalf.shifted(&problem, Field::Tangent), &moved);
                let largest = field.chunks(dim).map(|v| oracle::dot(v, v).sqrt()).fold(0.0, f64::max);
                println!("d {dim} n {count} beta {beta} {name}: single {single:.1e} half {half:.1e} largest {largest:.2}");
            }
        }
    }
}
