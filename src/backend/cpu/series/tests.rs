//! Tokens in single precision whose sums by harmonics lose too much there: whether they are widened, and right.

use super::super::{Cpu, algorithm::Form, part::Own};
use crate::{
    backend::{Backend, Care, Method, Point, Precision, algorithm::held},
    experiment::Experiment,
    model::{Field, Matrix},
    problem::{Algorithm, Problem},
};

/// Far from the axis tokens are 2^-(3 concentration) as dense as evenly spread ones would be.
fn problem(dim: usize, beta: f64, concentration: f64) -> Problem {
    about(if dim == 2 { "[0, 1]" } else { "[0, 0, 1]" }, dim, beta, concentration)
}

fn about(axis: &str, dim: usize, beta: f64, concentration: f64) -> Problem {
    Experiment::parse(&format!(
        "
        name = \"sparse\"
        algorithm = \"harmonic\"
        [tokens]
        count = 4001
        replicas = 3
        dim = {dim}
        seed = 3
        initial = {{ law = \"von-mises-fisher\", concentration = {concentration}, axis = {axis} }}
        [attention]
        beta = {beta}
        normalization = \"softmax\"
        [time]
        scheme = \"heun\"
        step = 0.1
        end = 0.5
        [observe]
        every = 0.5
        quantities = [\"moments\", \"energy\"]
        "
    ))
    .and_then(|experiment| experiment.resolve())
    .expect("the experiment is valid")
}

fn is_wide(cpu: &Cpu<f32>) -> bool {
    cpu.harmonics.as_ref().is_some_and(|harmonics| matches!(harmonics.form, Form::Wide(_)))
}

/// Tokens moved by one stage of `field`, and ln E.
fn moved(cpu: &mut impl Backend, problem: &Problem, field: Field) -> (Vec<f64>, f64) {
    let statistics = pollster::block_on(cpu.observe(&problem.quantities)).expect("the tokens are observed");
    cpu.evaluate(Point::State, field, 0).expect("the field is evaluated");
    cpu.combine(&[1.0], Point::State, field).expect("the tokens are moved");
    (pollster::block_on(cpu.tokens()).expect("tokens are read"), statistics[0].log_energy)
}

/// Both against sums pair by pair in double precision.
#[track_caller]
fn assert_same(problem: &Problem, field: Field, tolerance: f64) {
    let mut wide = Cpu::<f32>::new(problem).expect("the problem suits harmonics");
    let direct = Problem { algorithm: Algorithm::Direct, ..problem.clone() };
    let expected = moved(&mut Cpu::<f64>::new(&direct).expect("the problem suits the CPU"), problem, field);
    let found = moved(&mut wide, problem, field);
    assert!(is_wide(&wide), "sums are those of double precision");
    let is_close = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance;
    let off = found.0.iter().zip(&expected.0).find(|pair| !is_close(*pair));
    assert!(off.is_none() && found.0.len() == expected.0.len(), "a component of a token: {off:?}");
    assert!((found.1 - expected.1).abs() <= 1e-5, "ln E = {}, expected {}", found.1, expected.1);
    // Had blocks been left to pairs, they would have been as exact.
    assert!(matches!(wide.method(), Method::Harmonic { .. }));
    let sources = wide.sources(0, wide.state.replica(0), field);
    let mut velocity = super::Columns::zeros(1, problem.tokens.shape.dim, problem.tokens.shape.count);
    let is_by_series = velocity.replicas_mut().all(|mut velocity| match &sources.sums {
        super::Sums::Wide(sums) => wide.by_wide_series(sums, field, wide.state.replica(0), &mut velocity),
        super::Sums::Circle(_) => true,
        _ => false,
    });
    assert!(is_by_series, "no sum of double precision loses too much");
}

#[test]
fn sparse_tokens_are_widened() {
    for (dim, beta, concentration) in [(2, 16.0, 4.0), (2, 64.0, 4.0), (3, 4.0, 4.0), (3, 16.0, 3.0), (3, 64.0, 2.0)]
    {
        for field in [Field::Tangent, Field::Ambient] {
            assert_same(&problem(dim, beta, concentration), field, 2e-6);
        }
    }
}

/// The sample of tokens that is compared with direct sums may be the first to lose too much.
#[test]
fn a_check_widens_and_is_made_again() {
    // One token in twenty is sparse.
    for (dim, beta) in [(2, 64.0), (3, 16.0)] {
        let problem = problem(dim, beta, 2.0);
        let mut cpu = Cpu::<f32>::new(&problem).expect("the problem suits harmonics");
        assert!(!is_wide(&cpu));
        pollster::block_on(cpu.observe(&problem.quantities)).expect("the tokens are observed");
        assert!(is_wide(&cpu));
        let Method::Harmonic { degree, error, .. } = cpu.method() else { panic!("{:?}", cpu.method()) };
        assert!(error > 0.0 && cpu.harmonics.as_ref().is_some_and(|harmonics| harmonics.degree() == degree));
    }
}

/// Tokens are rounded after every step: sums of double precision do not reach further.
#[test]
fn tolerances_below_rounding_are_not_for_single_precision() {
    let sparse = problem(3, 16.0, 3.0);
    let serves = |tolerance| Cpu::<f32>::new(&Problem { tolerance: Some(tolerance), ..sparse.clone() }).is_ok();
    assert!(serves(1e-7) && !serves(1e-8));
}

#[test]
fn heads_of_general_matrices_are_widened() {
    let mut problem = problem(3, 16.0, 3.0);
    let diagonal = vec![1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.8];
    problem.model.attention.heads[0].query_key = Matrix::Dense(diagonal);
    assert_same(&problem, Field::Tangent, 2e-6);
}

#[test]
fn evenly_spread_tokens_keep_their_precision() {
    let problem = problem(3, 8.0, 0.1);
    let mut cpu = Cpu::<f32>::new(&problem).expect("the problem suits harmonics");
    moved(&mut cpu, &problem, Field::Tangent);
    assert!(!is_wide(&cpu));
}

/// What fills the last vector is where tokens are, at every stage: it decides nothing, and no sum becomes NaN by it.
#[test]
fn padding_stays_among_the_tokens() {
    for (dim, axis) in [(2, "[-1, 0]"), (3, "[-1, 0, 0]")] {
        let problem = about(axis, dim, 16.0, 200.0);
        let mut cpu = Cpu::<f32>::new(&problem).expect("the problem suits harmonics");
        let direct = Problem { algorithm: Algorithm::Direct, ..problem.clone() };
        let mut pairs = Cpu::<f64>::new(&direct).expect("the problem suits the CPU");
        let mut log_energies = [0.0; 2];
        for step in 0..3 {
            log_energies = [end_of_step(&mut cpu, &problem), end_of_step(&mut pairs, &problem)];
            assert!(!is_wide(&cpu), "step {step}: no token is sparse");
        }
        assert!((log_energies[0] - log_energies[1]).abs() < 1e-5, "{log_energies:?}");
        // A cell of a table that is missing leaves no number where there is no token.
        for mut velocity in cpu.velocities[0].replicas_mut() {
            velocity.column_mut(0)[4001..].fill(f32::NAN);
        }
        cpu.combine(&[0.1], Point::State, Field::Tangent).expect("the tokens are moved");
        let first = cpu.state.replica(2).column(0);
        assert!(first.len() > 4001 && first[4001..].iter().all(|x| *x == first[4000]), "{:?}", &first[4000..]);
    }
}

/// One step of two stages, and ln E after it.
fn end_of_step(cpu: &mut impl Backend, problem: &Problem) -> f64 {
    let field = Field::Tangent;
    cpu.evaluate(Point::State, field, 0).expect("the field is evaluated");
    cpu.combine(&[0.1], Point::Stage, field).expect("a stage point is made");
    cpu.evaluate(Point::Stage, field, 1).expect("the field is evaluated");
    cpu.combine(&[0.05, 0.05], Point::State, field).expect("the tokens are moved");
    pollster::block_on(cpu.observe(&problem.quantities)).expect("the tokens are observed")[0].log_energy
}

/// Degree 120 is the last, and at this beta one that leaves ten bits to sparse tokens is beyond.
#[test]
fn as_many_bits_are_spared_as_degrees_allow() {
    let cpu = Cpu::<f32>::new(&problem(3, 260.0, 2.0)).expect("the problem suits harmonics");
    let lost = cpu.harmonics.as_ref().map_or(0.0, |harmonics| harmonics.most_lost());
    assert!(is_wide(&cpu) && lost > 20.0, "{lost} bits");
}

#[test]
fn lengths_are_one_in_double_precision() {
    let problem = problem(3, 1.0, 1.0);
    let cpu = Cpu::<f32>::new(&problem).expect("the problem suits harmonics");
    let wide = super::widened(cpu.state.replica(0));
    let rows = wide.replica(0).rows(3, 4001);
    let own = cpu.state.replica(0).rows(3, 4001);
    for (wide, own) in rows.chunks_exact(3).zip(own.chunks_exact(3)) {
        let length = wide.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!((length - 1.0).abs() < 4e-16);
        assert!(wide.iter().zip(own).all(|(wide, own)| (wide - own).abs() < 1e-7));
    }
}

/// Tokens that `auto` moves for a while; how it did in the end, looked at after every `stride` steps of 0.15.
fn looked_at<T: super::Real>(problem: &Problem, looks: usize, stride: usize) -> Method {
    let mut cpu = Cpu::<T>::new(problem).expect("the problem suits the CPU");
    for look in 0..looks {
        pollster::block_on(cpu.observe(&[])).expect("auto has another way");
        for _ in 0..if look + 1 < looks { stride } else { 0 } {
            cpu.evaluate(Point::State, cpu.followed, 0).expect("the field is evaluated");
            cpu.combine(&[0.15], Point::State, cpu.followed).expect("the tokens are moved");
        }
    }
    cpu.method()
}

fn auto(dim: usize, count: usize, beta: f64, concentration: f64) -> Problem {
    let axis = if dim == 2 { "[0, 1]" } else { "[0, 0, 1]" };
    let mut problem = about(axis, dim, beta, concentration);
    let experiment = format!(
        "name = \"auto\"\n[tokens]\ncount = {count}\ndim = {dim}\nseed = 3\n\
         initial = {{ law = \"von-mises-fisher\", concentration = {concentration}, axis = {axis} }}\n\
         [attention]\nbeta = {beta}\nnormalization = \"softmax\"\n[time]\nscheme = \"euler\"\nstep = 0.1\nend = 0.5\n"
    );
    let auto = Experiment::parse(&experiment).and_then(|experiment| experiment.resolve()).expect("it is valid");
    problem.tokens = auto.tokens;
    Problem { algorithm: Algorithm::Auto, ..problem }
}

/// Situations in which sums as they were planned are above the default tolerance by little: more care keeps harmonics.
#[test]
fn harmonics_take_more_care_before_they_are_given_up() {
    let care = |method: Method| match method {
        Method::Harmonic { care, .. } => care,
        other => panic!("{other:?}"),
    };
    // Ends of charts of the circle, in both precisions: at the start, and in clusters.
    assert_eq!(care(looked_at::<f64>(&auto(2, 4000, 2.0, 0.0), 2, 1)), Care::Refined);
    let repulsive = |mut problem: Problem| {
        problem.model.attention.heads[0].value = Matrix::Scale(-1.0);
        problem
    };
    assert_eq!(care(looked_at::<f64>(&repulsive(auto(2, 8000, 1.0, 1.0)), 12, 4)), Care::Refined);
    assert_eq!(care(looked_at::<f64>(&auto(2, 20_000, 4.0, 0.0), 2, 4)), Care::Refined);
    assert_ne!(care(looked_at::<f32>(&auto(2, 8000, 2.0, 1.0), 13, 4)), Care::Usual);
    // Cancellation on the sphere in single precision.
    let mut general = auto(3, 20_000, 4.0, 4.0);
    general.model.attention.heads[0].query_key = Matrix::Diagonal(vec![1.0, 0.3, -0.5]);
    let method = looked_at::<f32>(&general, 7, 4);
    assert!(matches!(method, Method::Harmonic { error, .. } if error < 2e-6), "{method:?}");
}

/// A tolerance that direct sums do not hold either takes nobody off harmonics, and one that they hold does.
#[test]
fn a_tolerance_below_the_arithmetic_is_no_reason_for_direct_sums() {
    for dim in [2, 3] {
        let problem = Problem { tolerance: Some(1e-9), ..auto(dim, 20_000, 4.0, 1.0) };
        let method = looked_at::<f32>(&problem, 3, 2);
        assert!(matches!(method, Method::Harmonic { error, .. } if error < 2.4e-7), "d = {dim}: {method:?}");
    }
}

/// What direct sums of single precision hold: some multiple of half a unit, and less than two units.
#[test]
fn direct_sums_hold_what_is_said_of_them() {
    for (dim, beta, concentration) in [(2, 8.0, 1.0), (2, 16.0, 3.0), (3, 4.0, 3.0), (3, 64.0, 1.0)] {
        let problem = Problem { algorithm: Algorithm::Direct, ..auto(dim, 4000, beta, concentration) };
        let mut direct = Cpu::<f32>::new(&problem).expect("the problem suits the CPU");
        let sample: Vec<usize> = (0..256).map(|k| k * 7919 % 4000).collect();
        let tokens = direct.state.replica(0);
        let rows: Vec<f64> = sample.iter().flat_map(|token| tokens.part(*token, 1).rows(dim, 1)).collect();
        let Ok(exact) = direct.exact(0, tokens, &rows, Field::Tangent, &Own);
        direct.evaluate(Point::State, Field::Tangent, 0).expect("the field is evaluated");
        let found = direct.velocities[0].replica(0).rows(dim, 4000);
        let off = |(k, token): (usize, &usize)| {
            let rows = exact[k * dim..][..dim].iter().zip(&found[token * dim..][..dim]);
            rows.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
        };
        let error = sample.iter().enumerate().map(off).fold(0.0, f64::max);
        let held = held(Precision::Single);
        assert!(
            error < held && error > held / 8.0,
            "d = {dim}, beta = {beta}, concentration = {concentration}: {error:e}"
        );
    }
}
