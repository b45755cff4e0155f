//! Schedules of the model against closed forms.

use super::{operand::HeadOperand, *};
use crate::model::{Attention, Head, Matrix};

const FIRST: HeadOperand = HeadOperand { head: 0, operand: Operand::QueryKey };

fn dense(matrix: Matrix) -> Vec<f64> {
    match matrix {
        Matrix::Dense(entries) => entries,
        other => panic!("{other:?} is not dense"),
    }
}

#[track_caller]
fn assert_near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (k, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "entry {k} is {found}, expected {expected}");
    }
}

/// Matrices of replicas are draws of the law apart from each other and from that which all share; those of a pair agree; and they do not
/// depend on how many replicas there are.
#[test]
fn replicas_have_draws_of_their_own() {
    let (dim, variance) = (3, 0.5);
    let at = |draws, head, step| {
        let random = RandomMatrix { ensemble: Ensemble::Gaussian, variance, every: Some(2), dim, seed: 5, draws };
        match random.at(HeadOperand { head, operand: Operand::Value }, step) {
            Matrix::OfReplicas(rows) | Matrix::Dense(rows) => rows,
            other => panic!("{other:?}"),
        }
    };
    let many = at(Draws::Replicas(20_000), 0, 0);
    assert_eq!(many[..9 * 7], at(Draws::Replicas(7), 0, 1)[..], "the second step has the draw of the first");
    let moment = |power: i32| many.iter().map(|entry| entry.powi(power)).sum::<f64>() / many.len() as f64;
    let error = |variance: f64| 5.0 * (variance / many.len() as f64).sqrt();
    assert!(moment(1).abs() < error(variance), "mean {}", moment(1));
    assert!((moment(2) - variance).abs() < error(2.0 * variance * variance), "variance {}", moment(2));
    let product = many.windows(10).map(|window| window[0] * window[9]).sum::<f64>() / many.len() as f64;
    assert!(product.abs() < error(variance * variance), "neighbours correlate: {product}");
    for (draws, head, step) in [(Draws::Shared, 0, 0), (Draws::Replicas(1), 1, 0), (Draws::Replicas(1), 0, 2)] {
        assert_ne!(at(draws, head, step), many[..9], "{draws:?} {head} {step}");
    }
    let pairs = at(Draws::Pairs(6), 0, 0);
    for (k, own) in pairs.chunks(18).enumerate() {
        assert_eq!(own[..9], own[9..]);
        assert_eq!(own[..9], many[9 * k..][..9]);
    }
}

#[test]
fn a_ramp_is_linear_between_its_times_and_constant_outside() {
    let ramp = Ramp { times: vec![1.0, 2.0, 4.0], values: vec![3.0, 5.0, 1.0] };
    let found: Vec<f64> = [0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 9.0].iter().map(|time| ramp.at(*time)).collect();
    assert_near(&found, &[3.0, 3.0, 4.0, 5.0, 3.0, 1.0, 1.0], 0.0);
}

/// Cov(D_j, D_k) = s^2 / (2 r) (e^{-r |t_j - t_k|} - e^{-r (t_j + t_k)}) for a process that starts at its mean. Deviations
/// are linear in the draws, so unit vectors in their place give the covariance exactly.
#[test]
fn an_ornstein_uhlenbeck_process_has_its_covariance() {
    let (rate, intensity, h) = (0.7, 1.3, 0.4);
    let process = OrnsteinUhlenbeck { rate, intensity, step: h, ..process(vec![0.0]) };
    let stationary = OrnsteinUhlenbeck { start: ProcessStart::Stationary, ..process.clone() };
    const DRAWS: usize = 33;
    let unit = |number: u64| -> Vec<f64> { (0..DRAWS).map(|k| f64::from(u8::from(k as u64 == number))).collect() };
    // What is lost where the start is no chance.
    for (process, lost) in [(process, 1.0), (stationary, 0.0)] {
        let paths: Vec<Vec<f64>> = (0..=20).map(|step| process.deviation(step, DRAWS, &unit)).collect();
        for (j, a) in paths.iter().enumerate() {
            for (k, b) in paths.iter().enumerate() {
                let found: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                let (t, s) = (j as f64 * h, k as f64 * h);
                let exact = intensity * intensity / (2.0 * rate)
                    * ((-rate * (t - s).abs()).exp() - lost * (-rate * (t + s)).exp());
                assert!((found - exact).abs() < 1e-13, "steps {j} and {k}: {found}, expected {exact}");
            }
        }
    }
}

fn process(mean: Vec<f64>) -> OrnsteinUhlenbeck {
    OrnsteinUhlenbeck {
        mean,
        rate: 1.0,
        intensity: 1.0,
        start: ProcessStart::Mean,
        is_symmetric: false,
        draws: Draws::Shared,
        step: 0.1,
        seed: 3,
    }
}

/// Stationary symmetric processes of replicas and of pairs: symmetric about the mean, of variance s^2 / (2 r) = 1/2 off the diagonal
/// and twice that on it, at the start and later, and independent where they are not shared.
#[test]
fn processes_of_replicas_are_independent_and_symmetric() {
    let replicas = 20_000;
    let process = OrnsteinUhlenbeck {
        start: ProcessStart::Stationary,
        is_symmetric: true,
        draws: Draws::Replicas(replicas),
        ..process(vec![1.0, 2.0, -2.0, 4.0])
    };
    let deviations = |process: &OrnsteinUhlenbeck, step: u64| -> Vec<Vec<f64>> {
        let Matrix::OfReplicas(rows) = process.at(FIRST, step) else { panic!("matrices of replicas") };
        let of_one = |entries: &[f64]| entries.iter().zip(&process.mean).map(|(entry, mean)| entry - mean).collect();
        rows.chunks(4).map(of_one).collect()
    };
    for step in [0, 11] {
        let found = deviations(&process, step);
        assert_eq!(found.len(), replicas);
        assert!(found.iter().all(|d| (d[1] - d[2]).abs() < 1e-12), "not symmetric at step {step}");
        let mean = |f: &dyn Fn(usize) -> f64| (0..replicas).map(f).sum::<f64>() / replicas as f64;
        let moments = [
            (mean(&|k| found[k][0].powi(2)), 1.0),
            (mean(&|k| found[k][3].powi(2)), 1.0),
            (mean(&|k| found[k][1].powi(2)), 0.5),
            (mean(&|k| found[k][0] * found[k][3]), 0.0),
            (mean(&|k| found[k][0] * found[(k + 1) % replicas][0]), 0.0),
        ];
        for (moment, expected) in moments {
            // Five standard deviations of a mean of squares.
            assert!((moment - expected).abs() < 0.05, "step {step}: {moment}, expected {expected}");
        }
    }
    let pairs = deviations(&OrnsteinUhlenbeck { draws: Draws::Pairs(6), ..process }, 5);
    assert!(pairs.chunks(2).all(|pair| pair[0] == pair[1]) && pairs[0] != pairs[2]);
}

#[test]
fn an_ornstein_uhlenbeck_process_starts_at_its_mean_and_depends_on_seed_and_head() {
    let process = process(vec![1.0, 2.0, 3.0, 4.0]);
    assert_eq!(dense(process.at(FIRST, 0)), process.mean);
    let at_nine = dense(process.at(FIRST, 9));
    assert_eq!(dense(process.at(FIRST, 9)), at_nine);
    assert_ne!(dense(process.at(HeadOperand { head: 1, ..FIRST }, 9)), at_nine);
    assert_ne!(dense(process.at(HeadOperand { operand: Operand::Value, ..FIRST }, 9)), at_nine);
    assert_ne!(dense(OrnsteinUhlenbeck { seed: 4, ..process }.at(FIRST, 9)), at_nine);
}

/// E sum_kl M_kl N_kl / d^2 over some thousand draws: the second moments that define the ensembles.
#[test]
fn ensembles_have_their_second_moments() {
    let (d, variance, draws) = (4, 0.5, 4000);
    // The mean squares of an entry on the diagonal and of one off it, and the mean product of M_kl and M_lk.
    let expected = [
        (Ensemble::Gaussian, [variance, variance, 0.0]),
        (Ensemble::Goe, [2.0 * variance, variance, variance]),
        (Ensemble::Wigner, [variance, variance, variance]),
        // E (sum_m G_km^2)^2 = d (d + 2) variance^2, E (sum_m G_km G_lm)^2 = d variance^2.
        (Ensemble::Psd, [24.0 * variance * variance, 4.0 * variance * variance, 4.0 * variance * variance]),
        (Ensemble::GaussianProduct, [4.0 * variance * variance, 4.0 * variance * variance, 0.0]),
    ];
    for (ensemble, expected) in expected {
        let random = RandomMatrix { ensemble, variance, every: Some(3), dim: d, seed: 11, draws: Draws::Shared };
        let mut sums = [0.0; 3];
        for draw in 0..draws {
            let m = dense(random.at(FIRST, 3 * draw));
            assert_eq!(dense(random.at(FIRST, 3 * draw + 2)), m, "the same for three steps");
            sums[0] += (0..d).map(|k| m[k * d + k].powi(2)).sum::<f64>() / d as f64;
            let off = || (0..d).flat_map(|k| (0..d).filter(move |l| *l != k).map(move |l| (k, l)));
            sums[1] += off().map(|(k, l)| m[k * d + l].powi(2)).sum::<f64>() / (d * (d - 1)) as f64;
            sums[2] += off().map(|(k, l)| m[k * d + l] * m[l * d + k]).sum::<f64>() / (d * (d - 1)) as f64;
        }
        for (sum, expected) in sums.iter().zip(expected) {
            let found = sum / draws as f64;
            // Six standard deviations of the noisiest of these means.
            assert!((found - expected).abs() < 0.1 * (expected + 1.0), "{ensemble:?}: {found}, expected {expected}");
        }
    }
    let once =
        RandomMatrix { ensemble: Ensemble::Goe, variance, every: None, dim: d, seed: 11, draws: Draws::Shared };
    assert_eq!(once.at(FIRST, 0), once.at(FIRST, 1000));
}

/// V = [[1, 1], [0, 1]]: e^{tV} = e^t [[1, t], [0, 1]].
#[test]
fn rescaled_scores_are_those_of_the_tokens_themselves() {
    let (a, v) = (Matrix::Dense(vec![1.0, 2.0, 3.0, 4.0]), Matrix::Dense(vec![1.0, 1.0, 0.0, 1.0]));
    let t: f64 = 0.5;
    let e = [t.exp(), t * t.exp(), 0.0, t.exp()];
    let a_e = [e[0], e[1] + 2.0 * e[3], 3.0 * e[0], 3.0 * e[1] + 4.0 * e[3]];
    let expected = [e[0] * a_e[0], e[0] * a_e[1], e[1] * a_e[0] + e[3] * a_e[2], e[1] * a_e[1] + e[3] * a_e[3]];
    assert_near(&dense(rescaled::query_key(&a, &v, 2, t)), &expected, 1e-13);
}

#[test]
fn rescaled_scores_neither_overflow_nor_lose_their_shape() {
    let diagonal = Matrix::Diagonal(vec![1.0, 0.5]);
    for time in [100.0, 1e4] {
        let m = dense(rescaled::query_key(&Matrix::Identity, &diagonal, 2, time));
        assert!((m[0] / 1e24 - 1.0).abs() < 1e-12, "{m:?}");
        assert!((m[3] / 1e24 - (-time).exp()).abs() <= 1e-12 * (-time).exp(), "{m:?}");
    }
    let shrunk = dense(rescaled::query_key(&Matrix::Identity, &Matrix::Scale(-1.0), 2, 3.0));
    assert_near(&shrunk, &[(-6.0f64).exp(), 0.0, 0.0, (-6.0f64).exp()], 1e-15);
}

#[test]
fn parts_take_turns() {
    let attention = Attention { heads: vec![Head::default(); 2], ..Attention::default() };
    let layers = MatrixSchedule::Layers(vec![Matrix::Scale(2.0), Matrix::Scale(3.0)]);
    let oscillating = MatrixSchedule::Oscillating { base: vec![1.0; 4], amplitude: vec![2.0; 4], frequency: 3.0 };
    let matrix = |head, operand, schedule| Part::Matrix { head, operand, schedule };
    let model_schedule = ModelSchedule::Parts(vec![
        Part::Beta(Ramp { times: vec![0.0, 1.0], values: vec![1.0, 3.0] }.into()),
        matrix(0, Operand::QueryKey, layers),
        matrix(0, Operand::Value, MatrixSchedule::OfQueryKey(-0.5)),
        matrix(1, Operand::Value, oscillating),
        Part::Geometry { from: 2, geometry: Geometry::PreNorm },
    ]);
    let base = Model::from(attention);
    let model = model_schedule.at(&base, 1, 0.5);
    assert_eq!(model.attention.beta, 2.0);
    assert_eq!(model.attention.heads[0].query_key, Matrix::Scale(3.0));
    assert_eq!(model.attention.heads[0].value, Matrix::Scale(-1.5));
    assert_near(&dense(model.attention.heads[1].value.clone()), &[1.0 + 2.0 * 1.5f64.sin(); 4], 1e-15);
    assert_eq!(model.geometry, Geometry::Sphere);
    assert_eq!(model_schedule.at(&base, 2, 1.0).geometry, Geometry::PreNorm);
    assert_eq!(
        model_schedule.at(&base, 7, 1.0).attention.heads[0].query_key,
        Matrix::Scale(3.0),
        "the last one stays"
    );
}
