//! What is said at the end of a run.

use super::integration::unbalanced;
use crate::experiment::Experiment;

/// Rows and columns are stochastic up to the tolerance itself, and not beyond.
#[test]
fn sums_of_columns_may_be_off_by_the_tolerance() {
    let experiment = Experiment::parse(
        "
        tokens = { count = 3, dim = 3, initial = { law = \"uniform\" } }
        attention = { beta = 1.0, normalization = \"sinkhorn\", sinkhorn = { iterations = 2, tolerance = 0.125 } }
        time = { scheme = \"euler\", step = 0.1, end = 0.1 }
        observe = { every = 0.1, quantities = [\"moments\"] }
        ",
    );
    let problem = experiment.and_then(|experiment| experiment.resolve()).expect("the experiment is valid");
    for (error, is_said) in [(None, false), (Some(0.0), false), (Some(0.125), false), (Some(0.126), true)] {
        assert_eq!(unbalanced(&problem, error).is_some(), is_said, "{error:?}");
    }
}
