//! Experiments that keep one kind of thing after the other in a checkpoint.

/// Twelve steps of 0.1 of `tokens` under `attention`, with more sections behind them.
fn experiment(tokens: &str, attention: &str, quantities: &str, more: &str) -> String {
    let time = if more.contains("[time]") { "" } else { "[time]\nscheme = \"heun\"\nstep = 0.1\nend = 1.2\n" };
    format!(
        "name = \"checked\"\n[tokens]\nseed = 5\n{tokens}\n[attention]\n{attention}\n{time}[observe]\nevery = 0.3\nquantities = [{quantities}]\n{more}"
    )
}

const SPHERE: &str = "count = 41\ndim = 3\nreplicas = 2\ninitial = { law = \"uniform\" }";
const CIRCLE: &str =
    "count = 33\ndim = 2\ninitial = { law = \"von-mises-fisher\", concentration = 1.0, axis = [0.0, 1.0] }";
const SOFTMAX: &str = "beta = 2.0\nnormalization = \"softmax\"";

/// What is known at a time beyond the tokens, one kind after the other.
pub fn cases() -> Vec<(&'static str, String)> {
    let circle = |more: &str| experiment(CIRCLE, SOFTMAX, "\"moments\", \"w2_reference\", \"coupling_error\"", more);
    vec![
        (
            "samples, tokens, attention, results",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\", \"energy\", \"tokens\", \"attention\", \"start_overlap\"",
                "[[result]]\nname = \"area\"\nintegral = \"mean_norm\"\n[[result]]\nname = \"rate\"\nslope = \"ln(mean_norm)\"\n",
            ),
        ),
        (
            "many small replicas",
            experiment(
                "count = 6\ndim = 4\nreplicas = 40\ninitial = { law = \"uniform\" }",
                SOFTMAX,
                "\"moments\", \"clusters\"",
                "",
            ),
        ),
        (
            "harmonics that are widened",
            experiment(
                "count = 4000\ndim = 3\ninitial = { law = \"von-mises-fisher\", concentration = 4.0, axis = [0.0, 0.0, 1.0] }",
                "beta = 4.0\nnormalization = \"softmax\"",
                "\"moments\", \"energy\"",
                "[time]\nscheme = \"euler\"\nstep = 0.1\nend = 0.6\n",
            ),
        ),
        (
            "harmonics",
            format!(
                "algorithm = \"harmonic\"\n{}",
                experiment(
                    "count = 500\ndim = 3\ninitial = { law = \"uniform\" }",
                    SOFTMAX,
                    "\"moments\", \"energy\"",
                    ""
                )
            ),
        ),
        (
            "noise",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\"",
                "[noise]\nfield = \"independent\"\nintensity = 0.3\ncalculus = \"stratonovich\"\n",
            ),
        ),
        (
            "steps of controlled error",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\"",
                "[time]\nscheme = \"bogacki-shampine\"\nstep = { tolerance = 1e-5 }\nend = 1.2\n",
            ),
        ),
        (
            "growing steps",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\"",
                "[time]\nscheme = \"rk4\"\nstep = { first = 0.01, factor = 1.3, most = 0.2 }\nend = 1.2\n",
            ),
        ),
        (
            "a ramp and wandering matrices",
            experiment(
                SPHERE,
                "beta = { times = [0.0, 1.2], values = [1.0, 6.0] }\nnormalization = \"softmax\"\n[[attention.head]]\n\
                 query-key = { ornstein-uhlenbeck = { mean = \"identity\", rate = 1.0, intensity = 0.5 } }",
                "\"moments\"",
                "",
            ),
        ),
        (
            "rows and columns that are not quite stochastic",
            experiment(
                SPHERE,
                "beta = 6.0\nnormalization = \"sinkhorn\"\nsinkhorn = { iterations = 2, tolerance = 1e-7 }",
                "\"moments\"",
                "",
            ),
        ),
        (
            "an energy that goes the wrong way",
            experiment(
                SPHERE,
                "beta = 30.0\nnormalization = \"softmax\"\n[[attention.head]]\nquery-key = { scale = -1.0 }\nvalue = { scale = -1.0 }",
                "\"energy\"",
                "[time]\nscheme = \"euler\"\nstep = 1.5\nend = 18.0\n",
            )
            .replace("every = 0.3", "every = 4.5"),
        ),
        (
            "a condition to stop at",
            experiment(
                SPHERE,
                SOFTMAX,
                "\"moments\", \"tokens\"",
                "[time]\nscheme = \"heun\"\nstep = 0.1\nend = 9.0\nstop = \"mean_norm > 0.6\"\n",
            ),
        ),
        ("a limit with steps of its own", circle("[reference]\nkind = \"quadrature\"\n")),
        ("a limit with the steps of the tokens", circle("[reference]\nkind = \"quadrature\"\nsteps = \"tokens\"\n")),
        ("a limit of heights", circle("[reference]\nkind = \"zonal\"\n").replace("w2_reference", "mmd_reference")),
        ("a larger sample", circle("[reference]\nkind = \"particles\"\ncount = 66\n")),
    ]
}
