//! The velocity against the reference: widths, sizes, matrices, weights, and what single precision makes hard.

use tokenfield::{
    backend::reference,
    model::{Field, Head, Mask, Matrix, Normalization},
    tokens::Shape,
};

use crate::{
    compare::{check, compare, device, dot, largest, tolerance, velocity},
    problems::{Stream, problem, shape, uneven_weights},
};

/// The same over a hundred thousand terms, where a plain sum would be off by ten times as much.
const LONG_SUM: f64 = 2e-6;

/// Sizes on both sides of a tile and of a block of queries, in the narrow kernel (tiles of 128 or 256) and the wide
/// one (tiles of 32, blocks of 64).
pub fn velocity_at_width(dim: usize) -> Result<(), String> {
    let sizes: &[usize] = match dim {
        ..=4 => &[1, 2, 3, 255, 256, 257, 300, 520],
        5..=16 => &[1, 2, 127, 128, 129, 300],
        17..=64 => &[1, 2, 31, 32, 33, 63, 65, 300],
        _ => &[1, 33, 100],
    };
    for &count in sizes {
        for beta in [0.0, 1.0, 5.0] {
            let mut problem = problem(shape(count, dim), beta);
            check(&format!("n = {count}, beta = {beta}, softmax"), &problem)?;
            problem.model.attention.normalization = Normalization::Unnormalized;
            check(&format!("n = {count}, beta = {beta}, unnormalized"), &problem)?;
        }
    }
    Ok(())
}

pub fn general_matrices() -> Result<(), String> {
    for dim in [2, 3, 5, 16, 17, 40] {
        let mut stream = Stream(3);
        let diagonal = Matrix::Diagonal((0..dim).map(|k| 1.0 + k as f64 / 8.0).collect());
        let dense = |stream: &mut Stream| stream.matrix(dim);
        let heads = [
            Head { query_key: dense(&mut stream), value: Matrix::Identity, ..Head::default() },
            Head { query_key: Matrix::Identity, value: dense(&mut stream), ..Head::default() },
            Head { query_key: dense(&mut stream), value: dense(&mut stream), ..Head::default() },
            Head { query_key: diagonal.clone(), value: diagonal, ..Head::default() },
            Head { query_key: Matrix::Scale(-2.0), value: Matrix::Scale(-0.5), ..Head::default() },
        ];
        for head in heads {
            let mut problem = problem(shape(150, dim), 3.0);
            let what = format!("d = {dim}, {head:?}");
            problem.model.attention.heads = vec![head];
            check(&what[..what.len().min(60)], &problem)?;
        }
    }
    Ok(())
}

pub fn several_heads() -> Result<(), String> {
    for dim in [3, 20] {
        let mut stream = Stream(5);
        let (a, v) = (stream.matrix(dim), stream.matrix(dim));
        let general = Head { query_key: a, value: v.clone(), ..Head::default() };
        let scaled = Head { query_key: Matrix::Scale(2.0), value: Matrix::Scale(0.5), ..Head::default() };
        let half = Head { query_key: Matrix::Identity, value: v, ..Head::default() };
        // Both orders, because the last head projects to the tangent space.
        for heads in [vec![general.clone(), scaled.clone(), half.clone()], vec![half, general, scaled]] {
            for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                let mut problem = problem(shape(130, dim), 2.0);
                problem.model.attention.heads = heads.clone();
                problem.model.attention.normalization = normalization;
                check(&format!("d = {dim}, {normalization:?}"), &problem)?;
            }
        }
    }
    Ok(())
}

pub fn weights() -> Result<(), String> {
    for (dim, count) in [(3, 2), (3, 300), (8, 140), (17, 70)] {
        for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
            let mut problem = problem(shape(count, dim), 4.0);
            problem.tokens.weights = uneven_weights(problem.tokens.shape);
            problem.model.attention.normalization = normalization;
            check(&format!("d = {dim}, n = {count}, {normalization:?}"), &problem)?;
        }
    }
    Ok(())
}

/// Masks over several tiles and blocks, with passive tokens, to which all sources are visible; one token alone has no visible source
/// under the strict mask.
pub fn masks() -> Result<(), String> {
    for mask in [Mask::Causal, Mask::StrictlyCausal] {
        for (dim, count, passive) in [(3, 1, 0), (3, 600, 0), (3, 600, 30), (8, 200, 0), (17, 1, 0), (17, 150, 40)] {
            for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                let mut problem = problem(Shape { replicas: 2, count, dim, passive }, 3.0);
                problem.model.attention.mask = mask;
                problem.model.attention.normalization = normalization;
                check(&format!("{mask:?}, d = {dim}, {passive} of {count}, {normalization:?}"), &problem)?;
            }
        }
    }
    Ok(())
}

pub fn passive_tokens() -> Result<(), String> {
    for (dim, count, passive) in [(3, 300, 40), (3, 257, 256), (4, 10, 3), (17, 70, 33)] {
        for beta in [2.0, 1000.0] {
            let shape = Shape { replicas: 2, count, dim, passive };
            let mut problem = problem(shape, beta);
            check(&format!("d = {dim}, {passive} of {count}, beta = {beta}, equal weights"), &problem)?;
            problem.tokens.weights = uneven_weights(shape);
            check(&format!("d = {dim}, {passive} of {count}, beta = {beta}, uneven weights"), &problem)?;
        }
    }
    Ok(())
}

pub fn replicas() -> Result<(), String> {
    for (dim, count, replicas) in [(3, 32, 50), (3, 300, 3), (2, 1, 9), (17, 20, 7)] {
        let shape = Shape { replicas, count, dim, passive: 0 };
        let mut problem = problem(shape, 3.0);
        check(&format!("d = {dim}, {replicas} of {count}"), &problem)?;
        problem.tokens.weights = uneven_weights(shape);
        check(&format!("d = {dim}, {replicas} of {count}, uneven weights"), &problem)?;
    }
    Ok(())
}

pub fn extreme_beta() -> Result<(), String> {
    for dim in [2, 3, 16, 17] {
        for query_key in [Matrix::Identity, Matrix::Scale(-1.0), Stream(9).matrix(dim)] {
            let mut problem = problem(shape(300, dim), 1000.0);
            problem.model.attention.heads[0].query_key = query_key;
            check(&format!("d = {dim}"), &problem)?;
        }
    }
    Ok(())
}

/// With A = -I and tokens close together every score is near -beta, where a shift by the largest possible score would
/// leave nothing of the softmax.
pub fn distant_tokens() -> Result<(), String> {
    for dim in [3, 17] {
        let mut problem = problem(shape(300, dim), 1000.0);
        problem.model.attention.heads[0].query_key = Matrix::Scale(-1.0);
        for token in problem.tokens.coordinates.chunks_exact_mut(dim) {
            token.iter_mut().for_each(|c| *c *= 0.1);
            token[0] = 1.0;
            let norm = dot(token, token).sqrt();
            token.iter_mut().for_each(|c| *c = f64::from((*c / norm) as f32));
        }
        check(&format!("d = {dim}"), &problem)?;
    }
    Ok(())
}

/// A hundred thousand terms in every sum under a fixed shift, fewer under a running one, which takes longer; a sample
/// of queries is compared.
pub fn long_sums() -> Result<(), String> {
    for (count, query_key) in [(100_000, Matrix::Identity), (40_000, Matrix::Diagonal(vec![1.0; 3]))] {
        let mut problem = problem(shape(count, 3), 4.0);
        problem.model.attention.heads[0].query_key = query_key;
        let found = velocity(device()?, &problem, Field::Ambient)?;
        let expected = reference::field_of_rows(&problem.tokens, &problem.model, Field::Ambient, 0, 0..64);
        compare(&format!("n = {count}"), &found[..expected.len()], &expected, LONG_SUM)?;
    }
    Ok(())
}

/// Moves one coordinate of one token by ten tolerances: the comparison must see it.
pub fn teeth() -> Result<(), String> {
    for dim in [3, 17] {
        let problem = problem(shape(300, dim), 1.0);
        let expected = reference::field(&problem.tokens, &problem.model, Field::Ambient);
        let mut found = velocity(device()?, &problem, Field::Ambient)?;
        compare("unperturbed", &found, &expected, tolerance(&problem))?;
        found[5 * dim + 1] += 10.0 * tolerance(&problem) * largest(&expected);
        if compare("perturbed", &found, &expected, tolerance(&problem)).is_ok() {
            return Err("a velocity off by ten tolerances passed".into());
        }
        // And a token that is elsewhere changes the velocity of the others beyond tolerance.
        let mut moved = problem.clone();
        moved.tokens.coordinates[..dim].iter_mut().for_each(|c| *c = -*c);
        let others = &velocity(device()?, &moved, Field::Ambient)?[dim..];
        if compare("moved", others, &expected[dim..], tolerance(&problem)).is_ok() {
            return Err("a token on the other side went unnoticed".into());
        }
    }
    Ok(())
}
