//! Harmonic sums against the reference, and the honesty of the algorithm about its own error.

use libtest_mimic::Trial;
use tokenfield::{
    backend::{BackendError, Method, cpu, reference},
    model::{Field, Matrix, Normalization},
    observables::Quantity,
    problem::{Algorithm, Problem, Schedule},
    simulate::{SimulateError, simulate},
    tokens::{Shape, Tokens},
};

use crate::{
    backends::{self, Kind},
    clouds::{assert_close, cloud, general_head, normalize, problem, uneven},
};

pub fn all() -> Vec<Trial> {
    let trial = |name: String, test: Box<dyn Fn() + Send>| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let mut trials = backends::trials("harmonic::fields_are_those_of_the_reference", fields);
    trials.extend(backends::trials("harmonic::energies_are_those_of_the_reference", energies));
    trials.push(trial("cpu_double::harmonic::auto_takes_what_pays".into(), Box::new(auto_takes_what_pays)));
    trials.push(trial(
        "cpu_single::harmonic::unreachable_tolerances_are_refused".into(),
        Box::new(unreachable_tolerance),
    ));
    trials.push(trial("cpu::harmonic::lonely_tokens_are_served".into(), Box::new(lonely_tokens)));
    trials.push(trial("cpu_double::harmonic::errors_above_the_tolerance_are_owned".into(), Box::new(owned_errors)));
    trials
}

/// A problem for harmonics whose own check will not interfere.
fn harmonic(tokens: Tokens, beta: f64) -> Problem {
    Problem { algorithm: Algorithm::Harmonic, ..problem(tokens, beta) }
}

#[track_caller]
fn assert_field(kind: Kind, problem: &Problem, tolerance: f64) {
    for field in [Field::Tangent, Field::Ambient] {
        let dim = problem.tokens.shape.dim;
        let at = &problem.tokens.coordinates;
        let mut expected: Vec<f64> =
            at.iter().zip(reference::field(&problem.tokens, &problem.model, field)).map(|(x, f)| x + f).collect();
        normalize(&mut expected, dim);
        let what = format!("{field:?} field, {:?}, beta {}", problem.tokens.shape, problem.model.attention.beta);
        assert_close(&what, &kind.shifted(problem, field), &expected, tolerance);
    }
}

fn fields(kind: Kind) {
    for dim in [2, 3] {
        // Rounding and tail are relative to e^kappa, and Z_i lies below it by about kappa^{(dim - 1) / 2} where tokens
        // are dense, and by more where they are not: at large beta single precision loses digits.
        for (beta, single, double) in
            [(0.0, 2e-6, 1e-12), (0.5, 2e-6, 1e-12), (4.0, 4e-6, 2e-12), (64.0, 1e-3, 1e-11), (400.0, 1e-1, 1e-9)]
        {
            let tolerance = kind.tolerance(single, double);
            if dim == 3 && beta > 100.0 {
                continue;
            }
            for count in [1, 2, 17, 600] {
                let tokens = cloud(2, count, dim, 71);
                let weights = uneven(tokens.shape, 73);
                // Isolated tokens at large beta see themselves alone, and harmonics see mostly rounding: keep to crowds.
                if beta > 10.0 && count < 600 {
                    continue;
                }
                assert_field(kind, &harmonic(tokens.clone(), beta), tolerance);
                let mut general = harmonic(Tokens { weights, ..tokens.clone() }, beta);
                general.model.attention.heads = vec![general_head(dim, 79), general_head(dim, 83)];
                assert_field(kind, &general, tolerance);
                general.model.attention.heads[0].query_key = Matrix::Dense(vec![0.0; dim * dim]);
                assert_field(kind, &general, tolerance);
                let shape = Shape { passive: count / 3, ..tokens.shape };
                let mut passive = harmonic(Tokens { shape, ..tokens }, beta.min(4.0));
                passive.model.attention.normalization = Normalization::Unnormalized;
                // The unnormalized field is of size e^beta.
                assert_field(kind, &passive, 10.0 * kind.tolerance(4e-6, 2e-12));
            }
        }
    }
}

fn energies(kind: Kind) {
    for dim in [2, 3] {
        for beta in [0.5, 4.0, 20.0] {
            let mut problem = harmonic(cloud(2, 500, dim, 89), beta);
            // The tolerance sets the degree; in single precision rounding at beta = 20 is above the default.
            problem.tolerance = Some(kind.tolerance(1e-5, 1e-12));
            problem.schedule = Schedule::even(0, 0.0, 1);
            problem.quantities = vec![Quantity::Energy];
            for sample in kind.evolve(&problem).samples {
                let expected = reference::log_energy(&problem.tokens, &problem.model, sample.replica);
                assert_close("log_energy", &sample.values, &[expected], kind.tolerance(1e-5, 1e-12));
            }
        }
    }
}

fn method(problem: &Problem) -> Method {
    cpu::double(problem).expect("the problem suits the CPU").method()
}

fn auto_takes_what_pays() {
    let auto = |count, dim| Problem { algorithm: Algorithm::Auto, ..problem(cloud(1, count, dim, 97), 4.0) };
    assert_eq!(method(&auto(100, 3)), Method::Direct);
    assert!(matches!(method(&auto(20_000, 3)), Method::Harmonic { .. }));
    assert!(matches!(method(&auto(20_000, 2)), Method::Harmonic { .. }));
    assert_eq!(method(&auto(20_000, 4)), Method::Direct);
    let single = |count| cpu::single(&auto(count, 3)).expect("the problem suits the CPU").method();
    assert!(matches!(single(20_000), Method::Harmonic { .. }));
    let mut hopeless = auto(20_000, 3);
    hopeless.model.attention.beta = 1e5;
    assert_eq!(method(&hopeless), Method::Direct);
    hopeless.algorithm = Algorithm::Harmonic;
    assert!(matches!(cpu::double(&hopeless), Err(BackendError::TooManyHarmonics)));
}

/// A tolerance that single precision cannot meet is refused by `harmonic`, with the error to expect; `auto` knows that direct sums do not
/// meet it either.
fn unreachable_tolerance() {
    let mut problem = problem(cloud(1, 20_000, 3, 101), 4.0);
    problem.tolerance = Some(1e-9);
    problem.algorithm = Algorithm::Auto;
    let method = cpu::single(&problem).expect("auto has another way").method();
    assert!(matches!(method, Method::Harmonic { .. }), "{method:?}");
    problem.algorithm = Algorithm::Harmonic;
    match cpu::single(&problem).map(|backend| backend.method()) {
        Err(BackendError::AboveTolerance { error, tolerance }) => assert!(error > 8.0 * tolerance && error < 1e-5),
        other => panic!("harmonics promise what they cannot keep: {other:?}"),
    }
}

/// Tokens where nobody else is: the field there is far below what the expansion resolves, and direct sums must step in.
fn lonely_tokens() {
    for precision in [Kind::CpuSingle, Kind::CpuDouble] {
        let mut tokens = cloud(1, 3000, 3, 103);
        for token in tokens.coordinates.chunks_mut(3) {
            token[0] += 3.0;
        }
        normalize(&mut tokens.coordinates, 3);
        let last = tokens.coordinates.len() - 3;
        tokens.coordinates[last..].copy_from_slice(&[-0.8, 0.6, 0.0]);
        tokens.shape.passive = 1;
        assert_field(precision, &harmonic(tokens, 7.0), precision.tolerance(4e-6, 1e-11));
    }
}

/// A tolerance within the reach of bounds but not of rounding itself: `harmonic` stops and says by how much, `auto` goes on,
/// with direct sums where harmonics are further off than these.
fn owned_errors() {
    let mut problem = problem(cloud(1, 20_000, 3, 101), 1.0);
    problem.tolerance = Some(2e-16);
    problem.algorithm = Algorithm::Harmonic;
    let run = |problem: &Problem| {
        let mut backend = cpu::double(problem).expect("the problem suits the CPU");
        let outcome = pollster::block_on(simulate(problem, backend.as_mut(), |_| Ok(())));
        (outcome, backend.method())
    };
    match run(&problem).0 {
        Err(SimulateError::Backend(BackendError::AboveTolerance { error, tolerance })) => {
            assert!(error > tolerance && error < 1e-13, "{error}");
        }
        other => panic!("harmonics are off and nobody says so: {other:?}"),
    }
    problem.algorithm = Algorithm::Auto;
    let (outcome, method) = run(&problem);
    outcome.expect("auto goes on");
    let held = 4.0 * f64::EPSILON;
    let agrees = match method {
        Method::Harmonic { error, .. } => error <= held,
        Method::Abandoned { error } => error > held,
        _ => false,
    };
    assert!(agrees, "{method:?}");
}
