use super::{
    super::{
        super::{
            instructions::Instructions,
            real::Real,
            reduction::{BLOCK, Reduced},
        },
        Expansion, Moments, Radial, degree,
    },
    direct::{Cloud, cloud, packed, queries},
};
use crate::tokens::Weights;
use rayon::prelude::*;
use std::hint::black_box;
fn cpu() -> f64 {
    let mut total = 0.0;
    for t in std::fs::read_dir("/proc/self/task").unwrap() {
        let s = std::fs::read_to_string(t.unwrap().path().join("schedstat")).unwrap();
        total += s.split(' ').next().unwrap().parse::<f64>().unwrap();
    }
    total * 1e-9
}
fn go<T: Real>(dim: usize, beta: f64, tol: f64, varying: bool) {
    let n = 1 << 18;
    let tokens = cloud(Cloud::Spread, n, dim, Weights::Equal);
    let queries = queries(beta, |r, c| (r == c) as u8 as f64, &tokens);
    let l = degree(dim, beta, tol).unwrap();
    let radial = if varying { Radial::<T>::varying(dim, beta, l) } else { Radial::<T>::constant(dim, beta, l) };
    let ins = Instructions::detect();
    let packed = packed::<T>(&tokens);
    let mut b = vec![0.0; n * dim];
    let (mut k, mut q) = (vec![], vec![]);
    for _ in 0..15 {
        let s = cpu();
        let m = Moments::new(ins, packed.replica(0), l + 1);
        let e = cpu();
        k.push(e - s);
        let expansion = Expansion::new(&m, &radial);
        queries.par_chunks(BLOCK * dim).zip(b.par_chunks_mut(BLOCK * dim)).for_each_init(
            Reduced::default,
            |r, (q, b)| {
                black_box(expansion.reduce(ins, q, r));
                b.copy_from_slice(&r.barycentre);
            },
        );
        q.push(cpu() - e);
    }
    k.sort_by(f64::total_cmp);
    q.sort_by(f64::total_cmp);
    let f = 0.5e3 * 1e6 / n as f64;
    println!(
        "{:?} d{dim} beta {beta} L {l} varying {varying}: two-core ms per 1e6: keys {:.2} queries {:.2} (median {:.2} {:.2})",
        T::PRECISION,
        f * k[1],
        f * q[1],
        f * k[7],
        f * q[7]
    );
}
#[test]
#[ignore]
fn tune() {
    if std::env::var("ONE").is_ok() {
        for _ in 0..8 {
            go::<f32>(2, 16.0, 1e-6, false);
        }
        return;
    }
    go::<f32>(2, 16.0, 1e-6, false);
    go::<f32>(2, 16.0, 1e-6, true);
    go::<f32>(2, 400.0, 1e-6, false);
    go::<f32>(3, 4.0, 1e-6, false);
    go::<f32>(3, 4.0, 1e-6, true);
    go::<f32>(3, 64.0, 1e-6, false);
    go::<f64>(3, 4.0, 1e-12, false);
    go::<f64>(3, 64.0, 1e-12, false);
}
