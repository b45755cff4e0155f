//! Equiangular tokens in other geometries and of any number, against the printed equations and tokens.

use super::{Printed, run};

fn experiment(
    geometry: &str,
    attention: &str,
    law: &str,
    [step, end]: [f64; 2],
    quantities: &str,
    reference: &str,
) -> String {
    format!(
        "name = \"equiangular\"\n[tokens]\ncount = 5\ndim = 5\ngeometry = \"{geometry}\"\n\
         initial = {law}\n{attention}\n[time]\nscheme = \"rk4\"\nstep = {step:?}\nend = {end:?}\n\
         [observe]\nevery = {end:?}\nquantities = [{quantities}]\n[reference]\nkind = \"equiangular\"\n{reference}\n"
    )
}

const SIMPLEX: &str = "{ law = \"simplex\", overlap = 0.2 }";

/// Two heads (weight, beta times query-key, value, beta), of which one repels.
const HEADS: [[f64; 4]; 2] = [[1.0, 1.5, 1.0, 1.5], [0.3, -0.75, 0.5, 1.5]];

fn two_heads(normalization: &str) -> String {
    format!(
        "[attention]\nbeta = 1.5\nnormalization = \"{normalization}\"\n[[attention.head]]\n[[attention.head]]\nweight = 0.3\n\
         query-key = {{ scale = -0.5 }}\nvalue = {{ scale = 0.5 }}"
    )
}

/// d rho / dt and d r / dt of `n` tokens, by sums over all pairs of tokens.
fn velocity(n: usize, normalization: &str, geometry: &str, [rho, r]: [f64; 2]) -> [f64; 2] {
    let gram = |i: usize, j: usize| if i == j { 1.0 } else { rho };
    let mut weights = vec![0.0; n];
    for [weight, kappa, value, beta] in HEADS {
        let terms: Vec<f64> = (0..n).map(|j| (kappa * gram(0, j)).exp()).collect();
        let divisor = match normalization {
            "softmax" => terms.iter().sum::<f64>(),
            "shifted" => n as f64 * beta.exp(),
            _ => n as f64,
        };
        weights.iter_mut().zip(terms).for_each(|(sum, term)| *sum += weight * value * term / divisor);
    }
    // <theta_0, A>, <theta_1, A> and |A|^2.
    let inner = |i: usize| (0..n).map(|j| weights[j] * gram(i, j)).sum::<f64>();
    let square: f64 = (0..n).map(|j| weights[j] * inner(j)).sum();
    let (along, across) = (inner(0), inner(1));
    let (s, growth) = match geometry {
        "pre-norm" => (r, along),
        "peri-norm" => (r * square.sqrt(), along / square.sqrt()),
        "ngpt" => (square.sqrt() / 0.7, 0.0),
        _ => (1.0, 0.0),
    };
    [2.0 * (across - rho * along) / s, growth]
}

fn runge_kutta(steps: usize, end: f64, mut state: [f64; 2], f: impl Fn([f64; 2]) -> [f64; 2]) -> [f64; 2] {
    let h = end / steps as f64;
    let add = |x: [f64; 2], h: f64, k: [f64; 2]| [x[0] + h * k[0], x[1] + h * k[1]];
    for _ in 0..steps {
        let first = f(state);
        let second = f(add(state, h / 2.0, first));
        let third = f(add(state, h / 2.0, second));
        let fourth = f(add(state, h, third));
        for (k, weight) in [(first, 1.0), (second, 2.0), (third, 2.0), (fourth, 1.0)] {
            state = add(state, h * weight / 6.0, k);
        }
    }
    state
}

/// The lengths that tokens have as well: |x|^2 rho is limit_pair_overlap.
#[test]
fn overlaps_and_lengths_are_those_of_the_equations_and_of_tokens() {
    for geometry in ["sphere", "pre-norm", "peri-norm", "ngpt"] {
        for normalization in ["softmax", "unnormalized", "shifted"] {
            let typed = if geometry == "ngpt" { "ngpt\"\nalpha = 0.7\n# \"" } else { geometry };
            let quantities = "\"limit_pair_overlap\", \"limit_energy\", \"overlap_reference\", \"coupling_error\", \"pair_overlap\"";
            let attention = two_heads(normalization);
            let text = |count: &str| experiment(typed, &attention, SIMPLEX, [0.005, 1.0], quantities, count);
            let printed = run(&text(""));
            let [rho, r] = runge_kutta(1000, 1.0, [0.2, 1.0], |state| velocity(5, normalization, geometry, state));
            let what = format!("{geometry}, {normalization}");
            let found = printed.last("limit_pair_overlap");
            assert!((found - r * r * rho).abs() < 1e-9, "{what}: {found}, not {r}^2 {rho}");
            assert!((printed.last("pair_overlap") - found).abs() < 1e-8, "{what}: {found}");
            for column in ["overlap_reference", "coupling_error"] {
                assert!(printed.last(column) < 1e-8, "{what}: {column} = {}", printed.last(column));
            }
            // The same of tokens whose places are not known, and of seven.
            for n in [5, 7] {
                let few = text(&format!("count = {n}\noverlap = 0.2"))
                    .replace(quantities, "\"limit_pair_overlap\", \"limit_energy\"");
                let [rho, r] =
                    runge_kutta(1000, 1.0, [0.2, 1.0], |state| velocity(n, normalization, geometry, state));
                let printed = run(&few);
                let found = printed.last("limit_pair_overlap");
                assert!((found - r * r * rho).abs() < 1e-9, "{what}, {n} tokens: {found}, not {r}^2 {rho}");
                let others = (n - 1) as f64;
                let energy = HEADS.iter().map(|[weight, kappa, _, beta]| {
                    weight * (kappa.exp() + others * (kappa * rho).exp()) / (2.0 * beta * n as f64)
                });
                let expected = energy.sum::<f64>().ln();
                let found = printed.last("limit_log_energy");
                assert!((found - expected).abs() < 1e-9, "{what}, {n} tokens: {found}, not {expected}");
            }
        }
    }
}

fn one_head(beta: f64, normalization: &str) -> String {
    format!("[attention]\nbeta = {beta:?}\nnormalization = \"{normalization}\"")
}

/// Five tokens beside 65536 and 10^9, at times of "The Mean-Field Dynamics of Transformers": the overlap of 65536 is 1/2 at 6.06686 and
/// 0.99 at 8.36473 where beta = 9; that of a billion follows the printed equation.
#[test]
fn overlaps_of_many_tokens_are_those_of_the_printed_equation() {
    for (end, expected) in [(6.06686, 0.5), (8.36473, 0.99)] {
        let law = "{ law = \"orthonormal\" }";
        let text = experiment(
            "sphere",
            &one_head(9.0, "softmax"),
            law,
            [end, end],
            "\"limit_pair_overlap\"",
            "count = 65536",
        );
        let found = run(&text).last("limit_pair_overlap");
        assert!((found - expected).abs() < 1e-5, "{end}: {found}, not {expected}");
    }
    let (n, beta) = (1e9_f64, 3.0_f64);
    let [rho, _] = runge_kutta(20_000, 11.0, [0.0, 1.0], |[rho, _]| {
        let sum = beta.exp() + (n - 1.0) * (beta * rho).exp();
        [2.0 * (beta * rho).exp() * (1.0 - rho) * ((n - 1.0) * rho + 1.0) / sum, 0.0]
    });
    assert!(rho > 0.1 && rho < 0.9, "no test: {rho}");
    let quantities = "\"limit_pair_overlap\", \"limit_energy\"";
    let reference = "count = 1000000000\noverlap = 0.0";
    let printed =
        run(&experiment("sphere", &one_head(beta, "softmax"), SIMPLEX, [11.0, 11.0], quantities, reference));
    let found = printed.last("limit_pair_overlap");
    assert!((found - rho).abs() < 1e-8, "{found}, not {rho}");
    let expected = ((beta.exp() + (n - 1.0) * (beta * rho).exp()) / (2.0 * beta * n)).ln();
    assert!((printed.last("limit_log_energy") - expected).abs() < 1e-8, "energy is not {expected}");
}

const ROW: [&str; 3] = ["entropy", "largest", "gap"];

/// At time zero: of five tokens the columns of attention itself, whether others attract or repel; of a billion at the overlap 1/2, where
/// e^{beta (1 - rho)} is n^{g / 2} for beta = g ln n, 1 / (1 + n^{1 - g / 2}) is the largest weight.
#[test]
fn attention_of_equiangular_tokens_is_that_of_tokens_and_turns_at_ln_n() {
    for scale in [1.0, -1.0] {
        let attention = format!(
            "[attention]\nbeta = 2.0\nnormalization = \"softmax\"\n[[attention.head]]\nquery-key = {{ scale = {scale:?} }}"
        );
        let text = experiment("sphere", &attention, SIMPLEX, [1.0, 1.0], "\"attention\", \"limit_attention\"", "");
        let printed: Printed = run(&text);
        for name in ROW {
            let (found, expected) =
                (printed.at(&format!("limit_attention_{name}"), 0.0), printed.at(&format!("attention_{name}"), 0.0));
            assert!((found - expected).abs() < 1e-12, "{scale}: {name} = {found}, not {expected}");
        }
    }
    let n = 1e9_f64;
    for g in [1.0, 1.9, 2.0, 2.1, 3.0] {
        let beta = g * n.ln();
        let text = experiment(
            "sphere",
            &one_head(beta, "softmax"),
            SIMPLEX,
            [1.0, 1.0],
            "\"limit_attention\"",
            "count = 1000000000\noverlap = 0.5",
        );
        let printed = run(&text);
        let others = (n - 1.0) * n.powf(-g / 2.0);
        let entropy = (1.0 + others).ln() + others / (1.0 + others) * beta / 2.0;
        for (name, expected) in ROW.into_iter().zip([entropy, 1.0 / (1.0 + others), beta / 2.0]) {
            let found = printed.at(&format!("limit_attention_{name}"), 0.0);
            assert!((found - expected).abs() <= 1e-12 * expected.max(1.0), "{g}: {name} = {found}, not {expected}");
        }
    }
}

/// beta = 1000: e^beta is beyond all doubles, and e^{-beta} below them.
#[test]
fn numbers_are_finite_at_large_beta_and_n() {
    let n = 1e15_f64;
    let quantities = "\"limit_pair_overlap\", \"limit_energy\", \"limit_attention\"";
    for geometry in ["sphere", "pre-norm", "peri-norm"] {
        for (normalization, overlap) in [("softmax", 0.0), ("softmax", 0.99), ("shifted", 0.5)] {
            let reference = format!("count = 1000000000000000\noverlap = {overlap:?}");
            let attention = one_head(1000.0, normalization);
            let printed = run(&experiment(geometry, &attention, SIMPLEX, [1.0, 1.0], quantities, &reference));
            let what = format!("{geometry}, {normalization} from {overlap}");
            for sample in &printed.samples {
                assert!(sample.values.iter().all(|value| value.is_finite()), "{what}: {sample:?}");
            }
            if overlap == 0.0 {
                let energy = printed.at("limit_log_energy", 0.0);
                assert!((energy - (1000.0 - n.ln() - 2000f64.ln())).abs() < 1e-10, "{what}: {energy}");
            }
        }
    }
}
