//! What the trait promises of every backend, where no law of the equation would show it.

use libtest_mimic::Trial;
use pollster::block_on;
use tokenfield::{
    backend::{Backend, BackendError, Point, advance},
    diffusion::Diffusion,
    model::{Calculus, Field, Geometry, Mask, Noise, NoiseField, Normalization},
    observables::Quantity,
    observe::Sample,
    problem::{Problem, Samples, Schedule},
    scheme::Scheme,
    simulate::Ending,
};

use crate::{
    backends::{Kind, laws},
    clouds::{assert_close, cloud, normalize, problem},
};

pub fn all() -> Vec<Trial> {
    let suites = [
        laws("contract::a_model_without_noise_does_not_fluctuate", no_noise),
        laws("contract::observing_twice_is_observing_once", observed_twice),
        laws("contract::runs_of_tokens_are_parts_of_all_of_them", runs_of_tokens),
        laws("contract::stages_that_the_scheme_has_not_are_refused", unknown_stages),
        laws("contract::a_model_that_changes_after_steps_moves_tokens_from_there", changed),
        laws("contract::marginal_error_is_that_of_the_columns", marginal_error),
        laws("contract::marginal_error_is_the_largest_of_all_fields", largest_marginal_error),
        laws("contract::marginal_error_is_one_of_sinkhorn", no_marginals),
        laws("contract::a_run_stops_at_the_first_sample_at_which_its_condition_holds", stopped),
        laws("contract::a_step_is_the_same_whatever_samples_there_are", sampled),
    ];
    suites.into_iter().flatten().collect()
}

/// `fluctuate` leaves a stage of zeros, whatever was in it, and `diffuse` the tokens where they are.
fn no_noise(kind: Kind) {
    for geometry in [Geometry::Sphere, Geometry::Euclidean] {
        let mut problem = problem(cloud(2, 30, 3, 5), 2.0);
        problem.model.geometry = geometry;
        let found = fluctuated(kind.open(&problem).as_mut());
        assert_close("tokens", &found, &problem.tokens.coordinates, kind.tolerance(1e-6, 1e-14));
    }
}

/// Tokens after the field, the noise that follows it into the same stage, and what `diffuse` does, each with a coefficient of one.
fn fluctuated(backend: &mut dyn Backend) -> Vec<f64> {
    let noise = Noise {
        field: NoiseField::Independent,
        intensity: 1.0,
        calculus: Calculus::Stratonovich,
        seed: 1,
        is_shared: false,
    };
    let diffusion = Diffusion::new(&noise, 0.1, 3).expect("independent noise diffuses");
    backend.evaluate(Point::State, Field::Tangent, 0).expect("a field");
    backend.fluctuate(Point::State, 0, 0).expect("no noise");
    backend.combine(&[1.0], Point::State, Field::Tangent).expect("a step");
    backend.diffuse(&diffusion, 0).expect("no diffusion");
    block_on(backend.tokens()).expect("tokens are read")
}

/// Observations lose no token, and repeat bit for bit; so do tokens that are read.
fn observed_twice(kind: Kind) {
    let problem = problem(cloud(2, 70, 3, 5), 2.0);
    let mut backend = kind.open(&problem);
    let mut look = || {
        let statistics = block_on(backend.observe(&problem.quantities)).expect("statistics");
        (statistics, block_on(backend.tokens()).expect("tokens"))
    };
    let (once, twice) = (look(), look());
    assert_eq!(once, twice);
    assert_close("tokens", &once.1, &problem.tokens.coordinates, kind.tolerance(1e-7, 1e-16));
}

/// Runs within a replica, across replicas, of nothing, and beyond the last token.
fn runs_of_tokens(kind: Kind) {
    for (replicas, count, dim) in [(1, 70, 3), (3, 70, 2), (40, 5, 3), (2, 33, 17)] {
        let problem = problem(cloud(replicas, count, dim, 5), 2.0);
        let mut backend = kind.open(&problem);
        let (all, last) = (block_on(backend.tokens()).expect("tokens"), replicas * count);
        assert_close("tokens", &all, &problem.tokens.coordinates, kind.tolerance(1e-7, 1e-16));
        for run in
            [0..last, 0..1, 17..18, 30..last, 60..62, 3..last - 1, 12..12, last - 1..last + 9, last + 1..usize::MAX]
        {
            let (start, end) = (run.start.min(last), run.end.min(last));
            let found = block_on(backend.tokens_of(run.clone())).expect("tokens");
            assert_eq!(found, all[start * dim..end * dim], "{run:?} of {last}");
        }
    }
}

/// An error that counts stages, and tokens that stay where they are, whichever verb names a stage too many; noise in R^d has as many as
/// the scheme.
fn unknown_stages(kind: Kind) {
    for (scheme, is_noisy, stages) in [
        (Scheme::Euler, false, 1),
        (Scheme::Heun, false, 2),
        (Scheme::Rk4, false, 4),
        (Scheme::BogackiShampine, false, 4),
        (Scheme::Layer, false, 1),
        (Scheme::Heun, true, 4),
    ] {
        let mut problem = problem(cloud(2, 30, 3, 5), 2.0);
        problem.scheme = scheme;
        if is_noisy {
            problem.model.geometry = Geometry::Euclidean;
            let (field, calculus) = (NoiseField::Independent, Calculus::Stratonovich);
            problem.model.noise = Some(Noise { field, intensity: 1.0, calculus, seed: 1, is_shared: false });
        }
        let mut backend = kind.open(&problem);
        let backend = backend.as_mut();
        let field = scheme.field();
        (0..stages).for_each(|stage| backend.evaluate(Point::State, field, stage).expect("a stage of the scheme"));
        for stage in [stages, stages + 7, usize::MAX] {
            let refusals = [
                backend.evaluate(Point::State, field, stage),
                backend.fluctuate(Point::State, 0, stage),
                backend.combine(&vec![0.1; stage.min(20) + 1], Point::State, field),
            ];
            for refusal in refusals {
                let Err(BackendError::NoStage { asked, stages: own, .. }) = refusal else {
                    panic!("{scheme:?}, stage {stage}: {refusal:?}")
                };
                assert!(asked > own && own == stages, "{scheme:?}, stage {stage}: {asked} asked of {own}");
            }
        }
        let tokens = block_on(backend.tokens()).expect("tokens are read");
        assert_close("tokens", &tokens, &problem.tokens.coordinates, kind.tolerance(1e-7, 1e-16));
    }
}

/// Replicas that a backend keeps where they are for several steps, and what it does with another temperature afterwards.
fn changed(kind: Kind) {
    let mut problem = problem(cloud(80, 20, 3, 7), 1.0);
    problem.scheme = Scheme::Euler;
    problem.schedule = Schedule::even(6, 0.6, 6);
    let mut backend = kind.open(&problem);
    let mut done = 0;
    while done < 3 {
        done += advance(&problem, backend.as_mut(), done, 3 - done).expect("steps");
    }
    let mut hotter = problem.clone();
    hotter.tokens.coordinates = block_on(backend.tokens()).expect("tokens");
    hotter.model.attention.beta = 3.0;
    backend.change(&hotter.model).expect("another temperature");
    let mut fresh = kind.open(&hotter);
    for backend in [&mut backend, &mut fresh] {
        while done < 6 {
            done += advance(&hotter, backend.as_mut(), done, 6 - done).expect("steps");
        }
        done = 3;
    }
    let [found, expected] = [&mut backend, &mut fresh].map(|backend| block_on(backend.tokens()).expect("tokens"));
    assert_close("tokens", &found, &expected, kind.tolerance(1e-6, 1e-14));
}

/// The largest |ln sum_i w_i a_ij / w_j| after `iterations` of Sinkhorn's algorithm for e^{beta <x_i, x_j>}, in which rows come last,
/// of one replica; fewer where `tolerance` is met.
fn expected(problem: &Problem, replica: usize, iterations: u32, tolerance: f64) -> f64 {
    let (tokens, shape) = (problem.tokens.replica(replica), problem.tokens.shape);
    let n = shape.sources();
    let weight = |j: usize| problem.tokens.weight(replica, j);
    let x = |i: usize| &tokens[i * shape.dim..][..shape.dim];
    let kernel = |i: usize, j: usize| {
        let score: f64 = x(i).iter().zip(x(j)).map(|(a, b)| a * b).sum();
        (problem.model.attention.beta * score).exp()
    };
    let mut scaling = vec![1.0; n];
    for iteration in 0.. {
        let rows: Vec<f64> =
            (0..n).map(|i| 1.0 / (0..n).map(|j| weight(j) * kernel(i, j) * scaling[j]).sum::<f64>()).collect();
        let columns: Vec<f64> =
            (0..n).map(|j| scaling[j] * (0..n).map(|i| weight(i) * rows[i] * kernel(i, j)).sum::<f64>()).collect();
        let error = columns.iter().map(|sum| sum.ln().abs()).fold(0.0, f64::max);
        if iteration == iterations || error <= tolerance {
            return error;
        }
        scaling.iter_mut().zip(&columns).for_each(|(g, sum)| *g /= sum);
    }
    f64::NAN
}

fn balanced(iterations: u32, tolerance: f64, steps: u64) -> Problem {
    let mut problem = problem(cloud(2, 40, 3, 11), 3.0);
    problem.tokens.shape.passive = 3;
    problem.model.attention.normalization = Normalization::Sinkhorn { iterations, tolerance };
    problem.scheme = Scheme::Euler;
    problem.schedule = Schedule::even(steps, 0.1 * steps as f64, 1);
    problem
}

fn marginal_error(kind: Kind) {
    for (iterations, tolerance) in [(1, 0.0), (3, 0.0), (60, 1e-3)] {
        let problem = balanced(iterations, tolerance, 1);
        let expected = (0..2).map(|replica| expected(&problem, replica, iterations, tolerance)).fold(0.0, f64::max);
        let found = kind.evolve(&problem).summary.marginal_error.expect("rows and columns are balanced");
        let what = format!("{iterations} iterations: {found:e}, expected {expected:e}");
        assert!((found - expected).abs() < kind.tolerance(3e-6, 1e-12), "{what}");
        assert!(expected > 1e-5, "no test: {what}");
    }
}

/// At the end tokens are nearer to each other, and rows and columns nearer to being balanced, than they were.
fn largest_marginal_error(kind: Kind) {
    let [once, often] = [1, 40].map(|steps| kind.evolve(&balanced(2, 0.0, steps)).summary.marginal_error);
    let at_end = {
        let mut problem = balanced(2, 0.0, 1);
        problem.tokens.coordinates = kind.evolve(&balanced(2, 0.0, 40)).tokens;
        kind.evolve(&problem).summary.marginal_error
    };
    assert!(often >= once && often > at_end, "{once:?}, {often:?}, {at_end:?}");
}

fn no_marginals(kind: Kind) {
    let mut problem = problem(cloud(1, 20, 3, 11), 3.0);
    problem.model.attention.mask = Mask::Causal;
    assert_eq!(kind.evolve(&problem).summary.marginal_error, None);
}

/// Of as many samples as there would be without the condition those up to the first at which it holds in all replicas, which are not all
/// there at once.
fn stopped(kind: Kind) {
    for count in [20, 300] {
        let mut problem = problem(cloud(5, count, 3, 11), 3.0);
        // The first replica is nearer to its end.
        problem.tokens.coordinates[..3 * count].chunks_mut(3).for_each(|token| token[0] += 2.0);
        normalize(&mut problem.tokens.coordinates, 3);
        problem.quantities = vec![Quantity::Moments];
        problem.schedule = Schedule::even(60, 6.0, 3);
        let all = kind.evolve(&problem);
        assert_eq!((all.summary.ending, all.summary.time), (Ending::Scheduled, 6.0));
        let mean_norms = |samples: &[Sample]| samples.iter().map(|sample| sample.values[3]).collect::<Vec<f64>>();
        let norms: Vec<Vec<f64>> = all.samples.chunks(5).map(mean_norms).collect();
        let level = 0.999 * norms[7].iter().copied().fold(1.0, f64::min);
        let first = norms.iter().position(|norms| norms.iter().all(|norm| *norm > level)).expect("it holds at last");
        let earlier = norms.iter().position(|norms| norms.iter().any(|norm| *norm > level));
        assert!(earlier < Some(first) && first <= 7, "no test: {earlier:?}, {first}");
        problem.schedule.stop = Some(format!("mean_norm > {level}").parse().expect("a condition"));
        let found = kind.evolve(&problem);
        assert_eq!(found.samples, all.samples[..5 * (first + 1)], "{count} tokens");
        assert_eq!(
            (found.summary.ending, found.summary.time),
            (Ending::Stopped, problem.schedule.time(3 * first as u64))
        );
        problem.schedule = Schedule::even(3 * first as u64, problem.schedule.time(3 * first as u64), 3);
        assert_eq!(found.tokens, kind.evolve(&problem).tokens, "{count} tokens");
    }
}

/// Where steps are taken at once up to the next sample.
fn sampled(kind: Kind) {
    let mut problem = problem(cloud(3, 20, 3, 11), 3.0);
    problem.quantities = vec![Quantity::Moments];
    problem.schedule = Schedule::even(20, 2.0, 1);
    let all = kind.evolve(&problem);
    problem.schedule.samples = Samples::After(vec![1, 2, 9, 10, 17]);
    let some = kind.evolve(&problem);
    let expected = [0, 1, 2, 9, 10, 17, 20].map(|step| &all.samples[3 * step..][..3]).concat();
    assert_eq!((some.samples, some.tokens), (expected, all.tokens));
}
