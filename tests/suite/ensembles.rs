//! Many small systems side by side, against the reference: scores beyond the exponents, places, masks, weights and passive tokens.

use libtest_mimic::Trial;
use tokenfield::{
    backend::reference,
    model::{Attention, Head, Mask, Matrix, Normalization, Position},
    problem::{Problem, Schedule},
    scheme::Scheme,
    tokens::{Tokens, Weights},
};

use crate::{
    backends::{Kind, trials},
    clouds::{Numbers, assert_close, cloud, general_head, problem, uneven},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        trials("ensembles::scores_beyond_the_exponents", hot),
        trials("ensembles::weights_that_decay_with_distance", decaying),
    ];
    suites.into_iter().flatten().collect()
}

/// 70 replicas, which fill no whole vector.
fn ensemble(count: usize, dim: usize, attention: Attention) -> Problem {
    let schedule = Schedule::even(1, 0.1, 1);
    let model = attention.into();
    let tokens = cloud(70, count, dim, 3);
    Problem { scheme: Scheme::Heun, schedule, model, quantities: Vec::new(), ..problem(tokens, 1.0) }
}

#[track_caller]
fn assert_evolves(kind: Kind, what: &str, problem: &Problem, single: f64) {
    let expected = reference::evolve(problem);
    assert_close(what, &kind.evolve(problem).tokens, &expected, kind.tolerance(single, 1e-11));
}

/// Uneven weights, zero for the first two tokens: under a causal mask these see nothing.
fn light_beginnings(tokens: &Tokens) -> Weights {
    let Weights::Each(mut weights) = uneven(tokens.shape, 5) else { unreachable!("these are given one by one") };
    for replica in weights.chunks_mut(tokens.shape.count) {
        replica[..2].fill(0.0);
        let total: f64 = replica.iter().sum();
        replica.iter_mut().for_each(|weight| *weight /= total);
    }
    Weights::Each(weights)
}

/// A^T has images as long as 40, so that scores of beta = 20 are far beyond the exponents of both precisions.
fn hot(kind: Kind) {
    for (count, dim) in [(5, 2), (9, 3), (17, 7), (6, 16)] {
        let own = |seed: u64| {
            let entries = Numbers(seed).vector(70 * dim * dim);
            Matrix::OfReplicas(entries.iter().map(|entry| 40.0 * entry).collect())
        };
        let heads = [
            vec![Head { query_key: Matrix::Scale(-50.0), ..Head::default() }],
            vec![Head { query_key: own(7), ..general_head(dim, 11) }, Head::default()],
        ];
        for heads in heads {
            for mask in [Mask::None, Mask::Causal] {
                let heads = heads.clone();
                let attention = Attention { beta: 20.0, mask, heads, ..Attention::default() };
                let mut problem = ensemble(count, dim, attention);
                let what = format!("n = {count}, d = {dim}, {mask:?}");
                // In single precision scores of a thousand are off by 1e-4.
                assert_evolves(kind, &what, &problem, 2e-3);
                problem.tokens.weights = light_beginnings(&problem.tokens);
                assert_evolves(kind, &format!("{what}, weights"), &problem, 2e-3);
                problem.tokens.weights = Weights::Equal;
                problem.tokens.shape.passive = 2;
                assert_evolves(kind, &format!("{what}, passive"), &problem, 2e-3);
            }
        }
    }
}

fn decaying(kind: Kind) {
    for (count, dim) in [(5, 2), (9, 3), (17, 7)] {
        let sharp = Head { decay: Some(12.0), weight: -0.5, ..general_head(dim, 13) };
        for heads in [vec![Head::default()], vec![general_head(dim, 17), sharp]] {
            for mask in [Mask::Causal, Mask::StrictlyCausal] {
                for normalization in [Normalization::Softmax, Normalization::Unnormalized, Normalization::Shifted] {
                    let (heads, position) = (heads.clone(), Position::Alibi { decay: 2.0 });
                    let attention =
                        Attention { beta: 1.5, mask, normalization, position, heads, ..Attention::default() };
                    let mut problem = ensemble(count, dim, attention);
                    let what = format!("n = {count}, d = {dim}, {mask:?}, {normalization:?}");
                    assert_evolves(kind, &what, &problem, 1e-5);
                    problem.tokens.shape.passive = 1;
                    problem.tokens.weights = light_beginnings(&problem.tokens);
                    assert_evolves(kind, &format!("{what}, weights"), &problem, 1e-5);
                }
            }
        }
    }
}
