//! How far tokens are from their twins in the limit: root mean squares of |x_i - xbar_i|, chordal.

use super::View;

/// Over sources; not a number without a limit.
pub fn coupling_error(view: &View, replica: usize) -> f64 {
    root_mean_square(&squares(view, replica)[..view.problem.tokens.shape.sources()])
}

/// Over passive tokens; not a number without a limit, or where there are none.
pub fn tagged_error(view: &View, replica: usize) -> f64 {
    root_mean_square(&squares(view, replica)[view.problem.tokens.shape.sources()..])
}

/// |x_i - xbar_i|^2 of every token.
fn squares(view: &View, replica: usize) -> Vec<f64> {
    let shape = view.problem.tokens.shape;
    let Some(twins) = view.twins(replica) else {
        return vec![f64::NAN; shape.count];
    };
    let square = |(x, y): (&[f64], &[f64])| x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum::<f64>();
    view.replica(replica).chunks_exact(shape.dim).zip(twins.chunks_exact(shape.dim)).map(square).collect()
}

fn root_mean_square(squares: &[f64]) -> f64 {
    (squares.iter().sum::<f64>() / squares.len() as f64).sqrt()
}
