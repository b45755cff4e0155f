//! The columns of the limit itself, as they are printed.

use std::f64::consts::TAU;

use super::{FISHER, OVERLAPS, Printed, UNIFORM, VON_MISES, experiment, run};

const OF_THE_LIMIT: &str =
    "quantities = [\"limit_moments\", \"limit_pair_overlap\", \"limit_energy\", \"limit_modes\"]\ndegree = 4";

#[track_caller]
fn assert_columns(what: &str, printed: &Printed, time: f64, expected: &[(&str, f64)], tolerance: f64) {
    for (column, expected) in expected {
        let found = printed.at(column, time);
        assert!((found - expected).abs() <= tolerance, "{what}, t = {time}: {column} = {found}, not {expected}");
    }
}

/// The uniform law has no mean and no modes, and E = I_0(1) / 2 on the circle, sinh(1) / 2 on the sphere. Von Mises' and Fisher's law are
/// those of `tests/limit/reference.py` at t = 0 and 1: |mean|, the largest and the least eigenvalue, ln E, and the modes from the second on.
#[test]
fn columns_of_the_limit_are_those_of_the_law() {
    const MOVED: [(usize, &str, [[f64; 7]; 2]); 2] = [
        (
            2,
            VON_MISES,
            [
                [
                    0.697774657964,
                    0.651112671018,
                    0.348887328982,
                    -0.082516109388,
                    0.302225342036,
                    0.093323973892,
                    0.022253420360,
                ],
                [
                    0.877568137979,
                    0.832051573380,
                    0.167948426620,
                    0.124801020966,
                    0.664103146759,
                    0.452892629687,
                    0.285015423995,
                ],
            ],
        ),
        (
            3,
            FISHER,
            [
                [
                    0.671636489980,
                    0.552242340013,
                    0.223878829993,
                    -0.155057215394,
                    0.328363510020,
                    0.124363973281,
                    0.038180905697,
                ],
                [
                    0.893695859228,
                    0.820040842751,
                    0.089979578624,
                    0.126916954697,
                    0.730061264127,
                    0.554018744928,
                    0.395417918494,
                ],
            ],
        ),
    ];
    for kind in ["quadrature", "zonal"] {
        for (dim, law, values) in MOVED {
            let least = format!("limit_second_moment_eigenvalue_{}", dim - 1);
            let along = format!("limit_mean_{}", dim - 1);
            let printed = run(&experiment(3, dim, law, 1.0, kind, OF_THE_LIMIT));
            for (time, [mean, first, last, energy, second, third, fourth]) in [0.0, 1.0].into_iter().zip(values) {
                let expected = [
                    ("limit_mean_0", 0.0),
                    (along.as_str(), mean),
                    ("limit_mean_norm", mean),
                    ("limit_second_moment_eigenvalue_0", first),
                    (least.as_str(), last),
                    ("limit_pair_overlap", mean * mean),
                    ("limit_log_energy", energy),
                    ("limit_mode_1", mean),
                    ("limit_mode_2", second),
                    ("limit_mode_3", third),
                    ("limit_mode_4", fourth),
                ];
                assert_columns(&format!("{kind}, d = {dim}"), &printed, time, &expected, 1e-8);
            }
            let uniform = run(&experiment(3, dim, UNIFORM, 1.0, kind, OF_THE_LIMIT));
            let energy: f64 = if dim == 2 { 1.266_065_877_752_008_4 } else { 1f64.sinh() };
            let share = 1.0 / dim as f64;
            let expected = [
                ("limit_mean_norm", 0.0),
                ("limit_second_moment_eigenvalue_0", share),
                (least.as_str(), share),
                ("limit_pair_overlap", 0.0),
                ("limit_log_energy", (energy / 2.0).ln()),
                ("limit_mode_1", 0.0),
                ("limit_mode_2", 0.0),
                ("limit_mode_4", 0.0),
            ];
            assert_columns(&format!("{kind}, uniform, d = {dim}"), &uniform, 1.0, &expected, 1e-12);
        }
    }
}

/// Each column of 3000 tokens and that of the limit, side by side, are some n^{-1/2} apart.
#[test]
fn what_is_measured_approaches_the_limit() {
    let observe = OF_THE_LIMIT.replace("= [", "= [\"moments\", \"pair_overlap\", \"energy\", \"modes\", ");
    let printed = run(&experiment(3000, 2, VON_MISES, 1.0, "zonal", &observe));
    let of_limit = printed.columns.iter().filter_map(|name| Some((name, name.strip_prefix("limit_")?)));
    let pairs: Vec<_> = of_limit.map(|(limit, name)| (name, printed.last(name), printed.last(limit))).collect();
    assert_eq!(pairs.len(), 5 + 1 + 1 + 4);
    for (name, measured, limit) in pairs {
        let distance = (measured - limit).abs();
        assert!(distance < 6e-2 && (distance > 1e-6 || measured == limit), "{name}: {measured} and {limit}");
    }
}

/// Heads of general matrices, of other betas and of weights of either sign, against von Mises' law written out as 400 nodes; and those that
/// are multiples of the identity, one of them negative, for both kinds.
#[test]
fn the_energy_of_the_limit_is_that_of_all_heads() {
    let heads = "[[attention.head]]\nquery-key = { rows = [[1.0, 0.5], [-0.3, 0.8]] }\nbeta = 1.5\n\
                 [[attention.head]]\nquery-key = { scale = -2.0 }\nweight = -0.4\n";
    let multiples = "[[attention.head]]\nquery-key = { scale = -3.0 }\n[[attention.head]]\nweight = 0.5\n";
    let general: &[([f64; 4], f64, f64)] = &[([1.0, 0.5, -0.3, 0.8], 1.5, 1.0), ([-2.0, 0.0, 0.0, -2.0], 1.0, -0.4)];
    let scaled: &[([f64; 4], f64, f64)] = &[([-3.0, 0.0, 0.0, -3.0], 1.0, 1.0), ([1.0, 0.0, 0.0, 1.0], 1.0, 0.5)];
    for (kind, text, heads) in
        [("quadrature", heads, general), ("quadrature", multiples, scaled), ("zonal", multiples, scaled)]
    {
        let printed = run(&experiment(3, 2, VON_MISES, 0.0, kind, "quantities = [\"limit_energy\"]")
            .replace("[time]", &format!("{text}[time]")));
        let nodes: Vec<([f64; 2], f64)> = (0..400)
            .map(|k| {
                let (sin, cos) = (TAU * f64::from(k) / 400.0).sin_cos();
                ([cos, sin], (2.0 * sin).exp())
            })
            .collect();
        let total: f64 = nodes.iter().map(|(_, weight)| weight).sum();
        let mut energy = 0.0;
        for ([a, b, c, d], beta, weight) in heads {
            for (x, v) in &nodes {
                for (y, w) in &nodes {
                    let score = x[0] * (a * y[0] + b * y[1]) + x[1] * (c * y[0] + d * y[1]);
                    energy += weight * v * w / (total * total) * (beta * score).exp() / (2.0 * beta);
                }
            }
        }
        assert_columns(kind, &printed, 0.0, &[("limit_log_energy", energy.ln())], 1e-11);
    }
}

/// Of the overlap rho the sum of n = 8 tokens has the square n (1 + (n - 1) rho), and E = (e^beta + (n - 1) e^{beta rho}) / 2 n beta.
#[test]
fn columns_of_equiangular_tokens_are_those_of_their_overlap() {
    let text = "name = \"equiangular\"\n[tokens]\ncount = 8\ndim = 8\ninitial = { law = \"orthonormal\" }\n\
                [attention]\nbeta = 3.0\nnormalization = \"unnormalized\"\n\
                [time]\nscheme = \"rk4\"\nstep = 0.08\nend = 0.8\n[observe]\nevery = 0.08\n\
                quantities = [\"limit_moments\", \"limit_pair_overlap\", \"limit_energy\"]\n[reference]\nkind = \"equiangular\"\n";
    let printed = run(text);
    for (time, rho) in OVERLAPS {
        let expected = [
            ("limit_pair_overlap", rho),
            ("limit_mean_norm", ((1.0 + 7.0 * rho) / 8.0).sqrt()),
            ("limit_second_moment_eigenvalue_0", (1.0 + 7.0 * rho) / 8.0),
            ("limit_second_moment_eigenvalue_7", (1.0 - rho) / 8.0),
            ("limit_log_energy", ((3f64.exp() + 7.0 * (3.0 * rho).exp()) / 48.0).ln()),
        ];
        assert_columns("equiangular", &printed, time, &expected, 1e-9);
    }
}

/// Two particles at an angle: the overlap of the pair is 2 |mean|^2 - 1, and E = (e + e^{overlap}) / 4. With lengths, directions are what
/// attention sees.
#[test]
fn columns_of_particles_are_those_of_their_pairs() {
    for geometry in ["sphere", "pre-norm"] {
        let text = experiment(3, 2, UNIFORM, 1.0, "particles", OF_THE_LIMIT)
            .replace("dim = 2", &format!("dim = 2\ngeometry = \"{geometry}\""))
            + "count = 2\n";
        let printed = run(&text);
        for time in [0.0, 1.0] {
            let overlap = 2.0 * printed.at("limit_mode_1", time).powi(2) - 1.0;
            assert!(overlap.abs() < 0.99, "no test: {overlap}");
            let energy = ((1f64.exp() + overlap.exp()) / 4.0).ln();
            assert_columns(geometry, &printed, time, &[("limit_log_energy", energy)], 1e-12);
            if geometry == "sphere" {
                let mean = printed.at("limit_mean_norm", time);
                let expected = [("limit_pair_overlap", overlap), ("limit_mode_1", mean)];
                assert_columns(geometry, &printed, time, &expected, 1e-12);
            }
        }
    }
}

/// Under V = -I a normal law of variance 9 goes to s = 9 / 73 at t = 4, and E = 1 / (2 beta (1 - (beta s)^2)) in two dimensions, infinite where
/// beta s > 1, as at t = 0. With a mean and a general matrix ln E is that of `tests/limit/reference.py`.
#[test]
fn the_energy_of_normal_laws_is_finite_where_tails_are_light() {
    let text = "name = \"gaussian\"\n[tokens]\ncount = 4\ndim = 2\ngeometry = \"euclidean\"\n\
                initial = { law = \"gaussian\", scale = 3.0 }\n[attention]\nbeta = 1.0\nnormalization = \"softmax\"\n\
                [[attention.head]]\nvalue = { scale = -1.0 }\n[time]\nscheme = \"rk4\"\nstep = 0.4\nend = 4.0\n\
                [observe]\nquantities = [\"limit_moments\", \"limit_energy\"]\n[reference]\nkind = \"gaussian\"\n";
    let printed = run(text);
    let variance: f64 = 9.0 / 73.0;
    let energy = -(2.0 * (1.0 - variance * variance)).ln();
    let expected =
        [("limit_second_moment_eigenvalue_1", variance), ("limit_mean_norm", 0.0), ("limit_log_energy", energy)];
    assert_columns("gaussian", &printed, 4.0, &expected, 1e-9);
    assert_eq!(printed.at("limit_log_energy", 0.0), f64::INFINITY);
    let general = text
        .replace("scale = 3.0", "mean = [0.3, -0.2], covariance = [[0.25, 0.1], [0.1, 0.16]]")
        .replace("beta = 1.0", "beta = 1.5")
        .replace("value = { scale = -1.0 }", "query-key = { rows = [[1.0, 0.5], [-0.3, 0.8]] }")
        .replace("end = 4.0", "end = 0.0");
    let printed = run(&general);
    let expected = [("limit_log_energy", -0.709704550552), ("limit_mean_0", 0.3), ("limit_mean_1", -0.2)];
    assert_columns("gaussian", &printed, 0.0, &expected, 1e-11);
}
