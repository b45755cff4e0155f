//! The columns that compare tokens with a limit, as they are printed, against values from outside: closed forms, literal integrals over
//! distribution functions, and numbers of `tests/limit/reference.py`, which moves laws by NumPy and SciPy.

#[path = "limit/equiangular.rs"]
mod equiangular_tokens;
#[path = "limit/values.rs"]
mod values;
#[path = "limit/zonal_mixtures.rs"]
mod zonal_mixtures;

use std::f64::consts::{PI, TAU};

use tokenfield::{
    backend::cpu,
    experiment::Experiment,
    limit::{equiangular, gaussian, overlap, particles, quadrature_within, zonal},
    observables::columns,
    observe::Sample,
    problem::Reference,
    simulate::{Event, simulate_with_limit},
};

/// What a run of an experiment printed.
struct Printed {
    columns: Vec<String>,
    samples: Vec<Sample>,
    warnings: Vec<String>,
    /// Those of the first replica at the end.
    tokens: Vec<f64>,
}

impl Printed {
    /// The number of the first replica in the last sample.
    fn last(&self, column: &str) -> f64 {
        let place = self.columns.iter().position(|name| name == column).expect("a column");
        self.samples.iter().rfind(|sample| sample.replica == 0).expect("a sample").values[place]
    }

    fn at(&self, column: &str, time: f64) -> f64 {
        let place = self.columns.iter().position(|name| name == column).expect("a column");
        self.samples.iter().find(|sample| (sample.time - time).abs() < 1e-9).expect("a sample").values[place]
    }
}

fn run(text: &str) -> Printed {
    let experiment = Experiment::parse(text).expect("an experiment");
    let problem = experiment.resolve().expect("a problem");
    let (reference, law) = experiment.reference().expect("a reference");
    let steps = experiment.reference_steps();
    let mut limit = match reference {
        Reference::Quadrature { tolerance } => quadrature_within(&problem, law, tolerance, steps),
        Reference::Zonal => zonal(&problem, law, steps),
        Reference::Gaussian => gaussian(&problem, law, steps),
        Reference::Equiangular => equiangular(&problem, law),
        Reference::Overlap { count, overlap: start } => overlap(&problem, count, start),
        Reference::Particles { count } => particles(&problem, law, count, 7),
        other => panic!("no case has {other}"),
    }
    .expect("a limit");
    let mut cpu = cpu::double(&problem).expect("a backend");
    let (mut samples, mut warnings) = (Vec::new(), Vec::new());
    let end = simulate_with_limit(&problem, cpu.as_mut(), Some(&mut limit), |event| {
        match event {
            Event::Sample(sample) => samples.push(sample.clone()),
            Event::Warning(warning) => warnings.push(warning.to_string()),
            _ => {}
        }
        Ok(())
    });
    pollster::block_on(end).expect("the end");
    let shape = problem.tokens.shape;
    let mut tokens = pollster::block_on(cpu.tokens()).expect("tokens");
    tokens.truncate(shape.count * shape.dim);
    Printed { columns: columns(&problem.quantities, shape.dim), samples, warnings, tokens }
}

const UNIFORM: &str = "{ law = \"uniform\" }";
const VON_MISES: &str = "{ law = \"von-mises-fisher\", concentration = 2.0, axis = [0.0, 1.0] }";
const FISHER: &str = "{ law = \"von-mises-fisher\", concentration = 3.0, axis = [0.0, 0.0, 1.0] }";

/// `{ law = "mixture", .. }`.
fn mixture(laws: &[(f64, &str)]) -> String {
    let (weights, laws): (Vec<f64>, Vec<&str>) = laws.iter().copied().unzip();
    format!("{{ law = \"mixture\", weights = {weights:?}, laws = [{}] }}", laws.join(", "))
}

/// A cap of the circle about an angle.
fn cap(middle: f64, angle: f64) -> String {
    format!("{{ law = \"cap\", axis = [{:?}, {:?}], angle = {angle:?} }}", middle.cos(), middle.sin())
}

fn experiment(count: usize, dim: usize, law: &str, end: f64, kind: &str, observe: &str) -> String {
    format!(
        "name = \"limit\"\n[tokens]\ncount = {count}\ndim = {dim}\nseed = 5\ninitial = {law}\n\
         [attention]\nbeta = 1.0\nnormalization = \"softmax\"\n\
         [time]\nscheme = \"rk4\"\nstep = 0.05\nend = {end:?}\n[observe]\n{observe}\n[reference]\nkind = \"{kind}\"\n"
    )
}

#[track_caller]
fn close(what: &str, found: f64, expected: f64, relative: f64) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{what}: {found}, not {expected} to {relative:e}");
}

/// W_1 = int |F - G - median| dx and W_2 = min over shifts of (int |F^{-1} - G^{-1}|^2 ds)^{1/2} of tokens on the circle and the
/// uniform law, both on a fine grid.
fn from_uniform(tokens: &[f64]) -> (f64, f64) {
    let mut angles: Vec<f64> = tokens.chunks(2).map(|x| x[1].atan2(x[0]).rem_euclid(TAU)).collect();
    angles.sort_by(f64::total_cmp);
    let (grid, count) = (1_000_000, angles.len());
    let middle = |k: usize| (k as f64 + 0.5) / grid as f64;
    let mut below = 0;
    let mut differences: Vec<f64> = (0..grid)
        .map(|k| {
            while below < count && angles[below] <= TAU * middle(k) {
                below += 1;
            }
            below as f64 / count as f64 - middle(k)
        })
        .collect();
    differences.sort_by(f64::total_cmp);
    let median = differences[grid / 2];
    let first = differences.iter().map(|d| (d - median).abs()).sum::<f64>() / grid as f64 * TAU;
    let gaps: Vec<f64> = (0..grid).map(|k| angles[(middle(k) * count as f64) as usize] - TAU * middle(k)).collect();
    let mean = gaps.iter().sum::<f64>() / grid as f64;
    let second = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / grid as f64).sqrt();
    (first, second)
}

/// The uniform law stays what it is, so that tokens are compared with it at any time; many tokens leave no floor.
#[test]
fn distances_on_the_circle_are_those_from_the_uniform_law() {
    let observe = "quantities = [\"w1_reference\", \"w2_reference\", \"sliced_w2_reference\"]";
    for kind in ["quadrature", "zonal"] {
        for (count, end) in [(300, 0.0), (300, 1.0), (65_536, 0.0)] {
            let printed = run(&experiment(count, 2, UNIFORM, end, kind, observe));
            let (first, second) = from_uniform(&printed.tokens);
            close(&format!("{kind}, {count}, W_1"), printed.last("w1_reference"), first, 1e-3);
            close(&format!("{kind}, {count}, W_2"), printed.last("w2_reference"), second, 1e-3);
            assert_eq!(printed.warnings, Vec::<String>::new());
        }
    }
}

/// Numbers of `tests/limit/reference.py`: the distribution function of von Mises' law under its own field, by 4000 nodes.
#[test]
fn distances_on_the_circle_follow_a_law_that_moves() {
    let observe = "quantities = [\"w1_reference\", \"w2_reference\"]";
    for kind in ["quadrature", "zonal"] {
        let printed = run(&experiment(256, 2, VON_MISES, 1.0, kind, observe));
        close(&format!("{kind}, W_1"), printed.last("w1_reference"), MOVED[0], 1e-4);
        close(&format!("{kind}, W_2"), printed.last("w2_reference"), MOVED[1], 1e-4);
    }
}

const MOVED: [f64; 2] = [0.059_643_356_285_7, 0.089_959_026_173_9];

/// (1 - e^{-2z}) / 2z, which is e^{-z} sinh z / z.
fn scaled(z: f64) -> f64 {
    if z < 1e-8 { 1.0 } else { -(-2.0 * z).exp_m1() / (2.0 * z) }
}

/// Under Fisher's law about e_3 the mean of e^{beta (<x, y> - 1)} is e^{z - beta - kappa} S(z) / S(kappa) with S as above and
/// z = |beta x + kappa e_3|; kappa = 0 is the uniform law. However narrow the kernel, and however few the nodes.
#[test]
fn discrepancies_on_the_sphere_are_those_from_the_law() {
    let both = mixture(&[(0.25, FISHER), (0.75, UNIFORM)]);
    let each = [
        (vec![(1.0, 0.0)], UNIFORM, vec!["quadrature", "zonal"]),
        (vec![(1.0, 3.0)], FISHER, vec!["quadrature", "zonal"]),
        (vec![(0.25, 3.0), (0.75, 0.0)], both.as_str(), vec!["quadrature", "zonal"]),
    ];
    for (parts, law, kinds) in each {
        for kind in kinds {
            for beta in [4.0, 100.0, 1e4] {
                let observe = format!("quantities = [\"mmd_reference\"]\nkernel-beta = {beta:?}");
                let printed = run(&experiment(2000, 3, law, 0.0, kind, &observe));
                let mean_of = |kappa: f64, t: f64| {
                    let z = (beta * beta + kappa * kappa + 2.0 * beta * kappa * t).sqrt();
                    (z - beta - kappa).exp() * scaled(z) / scaled(kappa)
                };
                let density_of = |kappa: f64, t: f64| (kappa * (t - 1.0)).exp() / (2.0 * scaled(kappa));
                let mean = |t: f64| parts.iter().map(|(share, kappa)| share * mean_of(*kappa, t)).sum::<f64>();
                let density = |t: f64| parts.iter().map(|(share, kappa)| share * density_of(*kappa, t)).sum::<f64>();
                let grid = 100_000;
                let height = |k: usize| -1.0 + (2 * k + 1) as f64 / grid as f64;
                let square: f64 =
                    (0..grid).map(|k| density(height(k)) * mean(height(k))).sum::<f64>() * 2.0 / grid as f64;
                let tokens: Vec<&[f64]> = printed.tokens.chunks(3).collect();
                let n = tokens.len() as f64;
                let row = |x: &&[f64]| -> f64 {
                    tokens.iter().map(|y| (beta * (x[0] * y[0] + x[1] * y[1] + x[2] * y[2] - 1.0)).exp()).sum()
                };
                let own = tokens.iter().map(row).sum::<f64>() / (n * n);
                let product = tokens.iter().map(|x| mean(x[2])).sum::<f64>() / n;
                let expected = (own + square - 2.0 * product).sqrt();
                close(&format!("{kind}, {law}, beta {beta}"), printed.last("mmd_reference"), expected, 1e-3);
                assert_eq!(printed.warnings, Vec::<String>::new());
            }
        }
    }
}

/// Along every direction the uniform law of the sphere is uniform on [-1, 1]; directions are the library's own, which are drawn
/// whatever the law.
#[test]
fn sliced_distances_on_the_sphere_are_those_from_the_law() {
    for count in [256, 16_384] {
        let observe = "quantities = [\"sliced_w2_reference\"]\nprojections = 64";
        let printed = run(&experiment(count, 3, UNIFORM, 0.0, "quadrature", observe));
        let thetas = tokenfield::transport::sliced::directions(3, 64, 0);
        let cost = |theta: &[f64]| {
            let mut heights: Vec<f64> =
                printed.tokens.chunks(3).map(|x| x.iter().zip(theta).map(|(x, t)| x * t).sum()).collect();
            heights.sort_by(f64::total_cmp);
            let n = count as f64;
            let piece = |(k, x): (usize, &f64)| (x - ((2 * k + 1) as f64 / n - 1.0)).powi(2) + 1.0 / (3.0 * n * n);
            heights.iter().enumerate().map(piece).sum::<f64>() / n
        };
        let expected = (thetas.chunks(3).map(cost).sum::<f64>() / 64.0).sqrt();
        close(&format!("{count}"), printed.last("sliced_w2_reference"), expected, 2e-3);
    }
}

/// Eight orthonormal tokens at steps of which 0.8 are ten times too long: rho by SciPy's solve_ivp to twelve digits, from
/// `tests/limit/reference.py`.
#[test]
fn overlaps_are_right_whatever_the_step() {
    let text = "name = \"equiangular\"\n[tokens]\ncount = 8\ndim = 8\ninitial = { law = \"orthonormal\" }\n\
                [attention]\nbeta = 3.0\nnormalization = \"unnormalized\"\n\
                [time]\nscheme = \"rk4\"\nstep = 0.08\nend = 4.0\n[observe]\nevery = 0.08\n\
                quantities = [\"moments\", \"overlap_reference\", \"coupling_error\"]\n[reference]\nkind = \"equiangular\"\n";
    let printed = run(text);
    for (time, rho) in OVERLAPS {
        let overlap = (8.0 * printed.at("mean_norm", time).powi(2) - 1.0) / 7.0;
        let distance = printed.at("overlap_reference", time);
        assert!(((overlap - rho).abs() - distance).abs() < 1e-9, "{time}: {overlap} is not {distance} from {rho}");
    }
    assert!(printed.last("overlap_reference") < 1e-9 && printed.last("coupling_error") < 1e-6);
}

const OVERLAPS: [(f64, f64); 3] = [(0.08, 0.021963282892), (0.16, 0.048641849073), (0.8, 0.980557962044)];

/// With V = -I a normal law of variance 9 contracts: sigma^2 = 9 / (1 + 18 t), whatever the tokens make of steps of 0.4.
#[test]
fn normal_laws_contract_whatever_the_step() {
    for dim in [1, 2] {
        contracts(dim);
    }
}

fn contracts(dim: usize) {
    let text = "name = \"gaussian\"\n[tokens]\ncount = 64\ndim = DIM\nseed = 1\ngeometry = \"euclidean\"\n\
                initial = { law = \"gaussian\", scale = 3.0 }\n[attention]\nbeta = 1.0\nnormalization = \"softmax\"\n\
                [[attention.head]]\nvalue = { scale = -1.0 }\n[time]\nscheme = \"rk4\"\nstep = 0.4\nend = 4.0\n\
                [observe]\nquantities = [\"moments_reference\"]\n[reference]\nkind = \"gaussian\"\n";
    let printed = run(&text.replace("DIM", &dim.to_string()));
    let variance = 9.0 / (1.0 + 18.0 * 4.0);
    let n = 64.0;
    let mean: Vec<f64> = (0..dim).map(|k| printed.tokens.iter().skip(k).step_by(dim).sum::<f64>() / n).collect();
    let mut square = 0.0;
    for k in 0..dim {
        for l in 0..dim {
            let entry = printed.tokens.chunks(dim).map(|x| (x[k] - mean[k]) * (x[l] - mean[l])).sum::<f64>() / n;
            square += (entry - if k == l { variance } else { 0.0 }).powi(2);
        }
    }
    close("mean", printed.last("mean_reference"), mean.iter().map(|m| m * m).sum::<f64>().sqrt(), 1e-9);
    close("covariance", printed.last("covariance_reference"), square.sqrt(), 1e-9);
}

/// What is left of the step in coupling_error: one token at an angle from a law that is a point would be none; here coupled tokens that take
/// the steps of the tokens are nearer to these than coupled tokens that are where the equation leads, by the error of the step alone.
#[test]
fn errors_of_steps_are_in_the_coupling_error_or_not() {
    let text = |steps: &str, step: f64| {
        experiment(2000, 3, FISHER, 1.0, "zonal", "quantities = [\"coupling_error\"]")
            .replace("beta = 1.0", "beta = 4.0")
            .replace("\"rk4\"", "\"euler\"")
            .replace("step = 0.05", &format!("step = {step:?}"))
            + &format!("steps = \"{steps}\"\n")
    };
    let error = |steps: &str, step| run(&text(steps, step)).last("coupling_error");
    let (both, sampling) = (error("own", 1.0), error("tokens", 1.0));
    assert!(both > 2.0 * sampling, "{both} and {sampling}");
    // Euler's errors fall with the step; those of sampling stay.
    let (finer, same) = (error("own", 0.5), error("tokens", 0.5));
    assert!(both / finer > 1.4, "{both} and {finer}");
    assert!((sampling / same - 1.0).abs() < 0.5, "{sampling} and {same}");
}

/// A quarter turn, and a third of the square of one, are what a token is from the uniform law on average.
#[test]
fn one_token_is_a_quarter_turn_away() {
    let printed =
        run(&experiment(1, 2, UNIFORM, 0.0, "quadrature", "quantities = [\"w1_reference\", \"w2_reference\"]"));
    close("W_1", printed.last("w1_reference"), PI / 2.0, 1e-12);
    close("W_2", printed.last("w2_reference"), PI / 3f64.sqrt(), 1e-12);
}

/// W_1 = int |F - G - median| between tokens and two laws with jumps: a cap on a uniform floor, and two caps with nothing between.
#[test]
fn distances_from_mixtures_on_the_circle_are_those_from_their_distribution_functions() {
    let of_cap = |angle: f64, middle: f64, half: f64| ((angle - middle + half) / (2.0 * half)).clamp(0.0, 1.0);
    let floor = mixture(&[(0.75, UNIFORM), (0.25, &cap(1.5, 0.5))]);
    let gaps = mixture(&[(0.4, &cap(2.0, 0.3)), (0.6, &cap(4.5, 0.1))]);
    let laws: [(String, &dyn Fn(f64) -> f64); 2] = [
        (floor, &|angle| 0.75 * angle / TAU + 0.25 * of_cap(angle, 1.5, 0.5)),
        (gaps, &|angle| 0.4 * of_cap(angle, 2.0, 0.3) + 0.6 * of_cap(angle, 4.5, 0.1)),
    ];
    for (law, below) in laws {
        let printed = run(&experiment(300, 2, &law, 0.0, "quadrature", "quantities = [\"w1_reference\"]"));
        let mut angles: Vec<f64> = printed.tokens.chunks(2).map(|x| x[1].atan2(x[0]).rem_euclid(TAU)).collect();
        angles.sort_by(f64::total_cmp);
        let grid = 1_000_000;
        let difference = |k: usize| {
            let angle = TAU * (k as f64 + 0.5) / grid as f64;
            angles.partition_point(|other| *other <= angle) as f64 / 300.0 - below(angle)
        };
        let mut differences: Vec<f64> = (0..grid).map(difference).collect();
        differences.sort_by(f64::total_cmp);
        let median = differences[grid / 2];
        let expected = differences.iter().map(|d| (d - median).abs()).sum::<f64>() / grid as f64 * TAU;
        close(&law, printed.last("w1_reference"), expected, 1e-3);
        assert_eq!(printed.warnings, Vec::<String>::new());
    }
}

/// The limit of two caps of the circle by a literal loop over 600 points of each, and 20 steps of Runge and Kutta: coupled tokens start
/// where tokens start, and the printed error is their distance at the end.
#[test]
fn tokens_of_a_mixture_are_coupled_to_its_own_field() {
    let caps = [(0.3, 0.4, 0.9), (0.7, 2.6, 0.2)];
    let law = mixture(
        &caps.map(|(share, middle, half)| (share, cap(middle, half))).each_ref().map(|(s, c)| (*s, c.as_str())),
    );
    let printed = |end: f64| run(&experiment(40, 2, &law, end, "quadrature", "quantities = [\"coupling_error\"]"));
    let (start, end) = (printed(0.0), printed(1.0));
    let points = 600;
    let spread = |(share, middle, half): (f64, f64, f64)| {
        (0..points).map(move |k| (share / points as f64, middle + half * ((2 * k + 1) as f64 / points as f64 - 1.0)))
    };
    let (weights, mut angles): (Vec<f64>, Vec<f64>) = caps.into_iter().flat_map(spread).unzip();
    angles.extend(start.tokens.chunks(2).map(|x| x[1].atan2(x[0])));
    let velocity = |angles: &[f64]| -> Vec<f64> {
        let of = |x: &f64| {
            let (mut sum, mut pull) = (0.0, 0.0);
            for (weight, y) in weights.iter().zip(angles) {
                let (sin, cos) = (y - x).sin_cos();
                sum += weight * cos.exp();
                pull += weight * cos.exp() * sin;
            }
            pull / sum
        };
        angles.iter().map(of).collect()
    };
    let moved =
        |angles: &[f64], v: &[f64], h: f64| angles.iter().zip(v).map(|(x, v)| x + h * v).collect::<Vec<f64>>();
    let h = 0.05;
    for _ in 0..20 {
        let first = velocity(&angles);
        let second = velocity(&moved(&angles, &first, 0.5 * h));
        let third = velocity(&moved(&angles, &second, 0.5 * h));
        let fourth = velocity(&moved(&angles, &third, h));
        for (k, angle) in angles.iter_mut().enumerate() {
            *angle += h / 6.0 * (first[k] + 2.0 * second[k] + 2.0 * third[k] + fourth[k]);
        }
    }
    let coupled = &angles[weights.len()..];
    let square = |(x, angle): (&[f64], &f64)| (x[0] - angle.cos()).powi(2) + (x[1] - angle.sin()).powi(2);
    let expected = (end.tokens.chunks(2).zip(coupled).map(square).sum::<f64>() / 40.0).sqrt();
    close("coupling_error", end.last("coupling_error"), expected, 1e-4);
    assert!(expected > 1e-3, "{expected}");
}
