//! When tokens are observed: as typed, and what of it is refused.

use super::super::{tests::GOOD, *};
use crate::problem::{Control, Samples, Schedule};

/// The samples of the good experiment, of 200 steps of 0.05, and whether they are the same once it is written down.
fn samples(observe: &str) -> Samples {
    let experiment = Experiment::parse(&format!("{GOOD}\n[observe]\n{observe}\n")).unwrap();
    let schedule = experiment.resolve().unwrap().schedule;
    let written = experiment.to_toml().unwrap();
    assert_eq!(Experiment::parse(&written).unwrap().resolve().unwrap().schedule, schedule, "{written}");
    schedule.samples
}

fn refusal(observe: &str) -> String {
    let experiment = Experiment::parse(&format!("{GOOD}\n[observe]\n{observe}\n"));
    experiment.and_then(|experiment| experiment.resolve()).map(|_| ()).expect_err(observe).to_string()
}

#[test]
fn times_are_whole_numbers_of_steps() {
    assert_eq!(samples("times = [0.05, 0.1, 1.0, 10.0]"), Samples::After(vec![1, 2, 20, 200]));
    assert_eq!(samples("times = [0, 0.15000000001, 10]"), Samples::After(vec![0, 3, 200]));
    assert_eq!(samples("times = []"), Samples::After(vec![]));
}

/// 2 * 10^{k/3} is 2, 4.31, 9.28, 20, 43.09, 92.83, 200; and 0.2 * 10^{k/10} is 0.50, 0.63, 0.80, 1.00, 1.26 and 1.59 at k = 4 .. 9.
#[test]
fn logarithmic_samples_are_rounded_to_steps() {
    let at = |observe: &str| samples(&format!("log = {{ {observe} }}"));
    assert_eq!(at("from = 0.1, per-decade = 3"), Samples::After(vec![2, 4, 9, 20, 43, 93, 200]));
    let dense = [1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25, 32, 40, 50, 63, 80, 100, 126, 159, 200];
    assert_eq!(at("from = 0.01, per-decade = 10"), Samples::After(dense.into()));
    assert_eq!(at("from = 10, per-decade = 1"), Samples::After(vec![200]));
    // 3 * 10^{k/2}: 3, 9.49, 30, 94.87; the next is after the end.
    assert_eq!(at("from = 0.15, per-decade = 2"), Samples::After(vec![3, 9, 30, 95]));
}

#[test]
fn a_condition_to_stop_at_is_of_columns() {
    let stop = |text: &str| {
        let experiment = Experiment::parse(&GOOD.replace("end = 10.0", &format!("end = 10.0\nstop = {text}")));
        experiment.and_then(|experiment| experiment.resolve().map(|problem| (problem, experiment)))
    };
    let (problem, experiment) = stop("\"mean_norm > 0.9 and time > 1\"").unwrap();
    assert_eq!(problem.schedule.stop.clone().unwrap().to_string(), "mean_norm > 0.9 and time > 1");
    assert_eq!(Experiment::parse(&experiment.to_toml().unwrap()).unwrap().resolve().unwrap(), problem);
    let refused = |text: &str| stop(text).map(|_| ()).expect_err(text).to_string();
    let refusals =
        [refused("\"pair_overlap > 0.9\""), refused("\"mean_norm\""), refused("\"mean_norm >\""), refused("0.9")];
    let columns = "mean_0, mean_1, mean_2, mean_norm, second_moment_eigenvalue_0, second_moment_eigenvalue_1, \
                   second_moment_eigenvalue_2, log_energy, w2_dirac";
    insta::assert_snapshot!(refusals.join("\n").replace(columns, "COLUMNS").replace("experiment: ", ""), @r#"
    time.stop = "pair_overlap > 0.9": pair_overlap is no column of samples.csv; add its quantity to observe.quantities, or write time or one of COLUMNS
    time.stop = "mean_norm": neither holds nor does not: it compares nothing; write e.g. time.stop = "pair_overlap > 0.99"
    time.stop = "mean_norm >": is no formula: nothing fits at character 12, before ""; write e.g. time.stop = "pair_overlap > 0.99"
    time.stop = 0.9: must be text, and is a decimal number; write e.g. time.stop = "pair_overlap > 0.99"
    "#);
}

/// The good experiment with steps of 0.01, 0.02, 0.04 .. 0.64, 0.64 .., and other times.
fn growing(observe: &str, more: &str) -> Result<Experiment, ExperimentError> {
    let step = "step = { first = 0.01, factor = 2, most = 0.64 }";
    let text = GOOD.replace("step = 0.05", step).replace("end = 10.0", "end = 2.0");
    Experiment::parse(&format!("{text}{more}\n[observe]\nquantities = [\"moments\"]\n{observe}\n"))
}

/// Ends are 0.01, 0.03, 0.07, 0.15, 0.31, 0.63, 1.27, 1.91 and 2; nearest to 0.02, 0.0632, 0.2, 0.632 and 2 are 0.03, which is as near as
/// 0.01, 0.07, 0.15, 0.63 and 2.
#[test]
fn steps_that_grow_end_at_samples() {
    let of = |observe: &str| {
        let experiment = growing(observe, "").unwrap();
        let schedule = experiment.resolve().unwrap().schedule;
        let written = experiment.to_toml().unwrap();
        assert_eq!(Experiment::parse(&written).unwrap().resolve().unwrap().schedule, schedule, "{written}");
        let times = (0..=schedule.steps).filter(|done| schedule.observes(*done)).map(|done| schedule.time(done));
        (schedule.steps, times.collect::<Vec<_>>())
    };
    assert_eq!(of(""), (9, vec![0.0, 2.0]));
    assert_eq!(of("every = 0.7"), (10, vec![0.0, 0.7, 1.4, 2.0]));
    assert_eq!(of("times = [0, 0.03, 0.1, 2]"), (9, vec![0.0, 0.03, 0.1, 2.0]));
    let (steps, times) = of("log = { from = 0.02, per-decade = 2 }");
    let expected = [0.0, 0.03, 0.07, 0.15, 0.63, 2.0];
    assert!(steps == 9 && times.len() == 6, "{times:?}");
    assert!(times.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-15), "{times:?}");
}

#[test]
fn steps_that_cannot_grow_are_refused() {
    let refused = |observe: &str, more: &str| {
        let experiment = growing(observe, more);
        experiment.and_then(|experiment| experiment.resolve()).map(|_| ()).expect_err(more).to_string()
    };
    let step = |step: &str| {
        let text = GOOD.replace("step = 0.05", &format!("step = {step}"));
        Experiment::parse(&text).and_then(|experiment| experiment.resolve()).map(|_| ()).expect_err(step).to_string()
    };
    let noise = "[noise]\nfield = \"independent\"\nintensity = 0.1\ncalculus = \"stratonovich\"";
    let wandering = "[[attention.head]]\nquery-key = { ornstein-uhlenbeck = { mean = \"identity\", rate = 1.0, intensity = 0.1 } }";
    let refusals = [
        refused("", noise),
        refused("", wandering),
        refused("times = [1.0, 3.0]", ""),
        refused("log = { from = 3.0, per-decade = 3 }", ""),
        refused("every = 1e-9", ""),
        step("{ first = 0.1, factor = 2, most = 0.05 }"),
        step("{ first = 0.1, factor = 0.5, most = 1 }"),
        step("{ first = 0.1, factor = 2 }"),
        step("{ first = 1e-9, factor = 1, most = 1e-9 }"),
    ];
    insta::assert_snapshot!(refusals.join("\n").replace("experiment: ", ""), @r#"
    time.step = { factor = 2.0, first = 0.01, most = 0.64 }: has several lengths, and noise on the sphere is one motion for all steps; write one length, e.g. time.step = 0.05
    time.step = { factor = 2.0, first = 0.01, most = 0.64 }: has several lengths, and the numbers of an Ornstein-Uhlenbeck matrix are of one; write one length, e.g. time.step = 0.05
    observe.times.1 = 3.0: is after time.end = 2.0; write an earlier time
    observe.log.from = 3.0: is after time.end = 2.0; write an earlier time
    observe.every = 0.000000001: makes more than 1048576 samples up to time.end = 2.0; write a larger one
    time.step.most = 0.05: is less than time.step.first; write a longer one, or a shorter time.step.first
    time.step.factor = 0.5: must be finite and at least 1; write e.g. time.step.factor = 1.05
    time.step.most: missing; write e.g. time.step.most = 0.1
    time.step = { factor = 1.0, first = 0.000000001, most = 0.000000001 }: makes more than 1048576 steps up to time.end = 10.0; write longer steps, or an earlier time.end
    "#);
}

/// The good experiment with these steps, and what is observed; the schedule, which is the same once it is written down.
fn listed(step: &str, end: &str, observe: &str) -> Result<Schedule, ExperimentError> {
    let text = GOOD.replace("step = 0.05", &format!("step = {step}")).replace("end = 10.0", end);
    let text = format!("{text}\n[observe]\nquantities = [\"moments\"]\n{observe}\n");
    let experiment = Experiment::parse(&text)?;
    let schedule = experiment.resolve()?.schedule;
    let written = experiment.to_toml()?;
    assert_eq!(Experiment::parse(&written)?.resolve()?.schedule, schedule, "{written}");
    Ok(schedule)
}

#[test]
fn steps_are_typed_one_by_one() {
    let of = |step: &str, end: &str, observe: &str| {
        let schedule = listed(step, end, observe).unwrap();
        let lengths: Vec<f64> = (0..schedule.steps).map(|done| schedule.step(done)).collect();
        let times = (0..=schedule.steps).filter(|done| schedule.observes(*done)).map(|done| schedule.time(done));
        (lengths, times.collect::<Vec<_>>())
    };
    let steps = "[0.1, 0.1, 0.1, 0.3, 0.2]";
    assert_eq!(of(steps, "", ""), (vec![0.1, 0.1, 0.1, 0.3, 0.2], vec![0.0, 0.8]));
    assert_eq!(
        of(steps, "end = 0.6", "times = [0.0, 0.1, 0.3]"),
        (vec![0.1, 0.1, 0.1, 0.3], vec![0.0, 0.1, 0.3, 0.6])
    );
    assert_eq!(of(steps, "end = 0.6", "every = 0.3").1, [0.0, 0.3, 0.6]);
    assert_eq!(of(steps, "end = 0", ""), (vec![], vec![0.0]));
    // 0.16 * 10^{k/3} is 0.16, 0.345 and 0.743.
    assert_eq!(of(steps, "", "log = { from = 0.16, per-decade = 3 }").1, [0.0, 0.2, 0.3, 0.8]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("steps.npy");
    ndarray_npy::write_npy(&path, &ndarray::arr1(&[0.5, 0.25])).unwrap();
    assert_eq!(of(&format!("{{ path = {path:?} }}"), "end = 0.75", "").0, [0.5, 0.25]);
}

#[test]
fn lists_of_steps_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("steps.npy");
    ndarray_npy::write_npy(&path, &ndarray::arr2(&[[0.5, 0.25]])).unwrap();
    let file = format!("{{ path = {path:?} }}");
    let refused =
        |step: &str, end: &str, observe: &str| listed(step, end, observe).map(|_| ()).expect_err(step).to_string();
    let steps = "[0.1, 0.1, 0.2]";
    let refusals = [
        refused("[0.1, 0.0]", "", ""),
        refused("[0.1, -0.2]", "end = 0.1", ""),
        refused("[]", "end = 1.0", ""),
        refused("[1, 1e-20]", "", ""),
        refused(steps, "end = 0.5", ""),
        refused(steps, "end = 0.3", ""),
        refused(steps, "", "times = [0.1, 0.15]"),
        refused(steps, "", "times = [0.1, 0.5]"),
        refused(steps, "", "every = 0.3"),
        refused(&file, "", ""),
        refused(&file, "end = 0.5", "").replace(&folder.path().display().to_string(), "FOLDER"),
        refused("\"small\"", "end = 0.5", ""),
    ];
    insta::assert_snapshot!(refusals.join("\n").replace("experiment: ", ""), @r#"
    time.step = [0.1, 0.0]: has a step of 0, and steps are finite and greater than 0; write lengths greater than 0
    time.step = [0.1, -0.2]: has a step of -0.2, and steps are finite and greater than 0; write lengths greater than 0
    time.end = 1.0: is after the last step of time.step, which ends at 0.0; write more steps, or time.end = 0.0
    time.step = [1.0, 0.00000000000000000001]: has a step of 1e-20 after the time 1e0, which no number tells from that; write lengths of one scale
    time.end = 0.5: is after the last step of time.step, which ends at 0.4; write more steps, or time.end = 0.4
    time.end = 0.3: makes a time, 0.3, at which no step of time.step ends; times near it at which one does are 0.2 and 0.4
    observe.times.1 = 0.15: makes a time, 0.15, at which no step of time.step ends; times near it at which one does are 0.1 and 0.2
    observe.times.1 = 0.5: is after time.end = 0.4; write an earlier time
    observe.every = 0.3: makes a time, 0.3, at which no step of time.step ends; times near it at which one does are 0.2 and 0.4
    time.end: missing; write e.g. time.end = 10.0
    time.step.path = "FOLDER/steps.npy": has the shape (1, 2); save an array of shape (steps,)
    time.step = "small": must be a number, and is text; write e.g. time.step = 0.05
    "#);
}

#[test]
fn samples_that_mean_nothing_are_refused() {
    let refusals = [
        refusal("every = 0.5\ntimes = [1.0]"),
        refusal("every = 0.5\nlog = { from = 0.1, per-decade = 3 }"),
        refusal("times = [1.0]\nlog = { from = 0.1, per-decade = 3 }"),
        refusal("times = [0.1, 0.12]"),
        refusal("times = [0.1, 20]"),
        refusal("times = [1.0, 0.5]"),
        refusal("times = [-1.0]"),
        refusal("times = 1.0"),
        refusal("log = { from = 20, per-decade = 3 }"),
        refusal("log = { from = 0, per-decade = 3 }"),
        refusal("log = { from = 0.1 }"),
        refusal("log = { from = 0.1, per-decade = 0 }"),
        refusal("log = 10"),
    ];
    insta::assert_snapshot!(refusals.join("\n").replace("experiment: observe", ""), @r#"
    .times = [1.0]: stands beside observe.every; write one of observe.every, observe.times and observe.log
    .log = { from = 0.1, per-decade = 3 }: stands beside observe.every; write one of observe.every, observe.times and observe.log
    .log = { from = 0.1, per-decade = 3 }: stands beside observe.times; write one of observe.times and observe.log
    .times.1 = 0.12: is no whole number of steps of time.step = 0.05; write observe.times.1 = 0.1 or 0.15
    .times.1 = 20.0: is after time.end = 10.0; write an earlier time
    .times = [1.0, 0.5]: must be times of at least 0, each later than the one before it; write e.g. observe.times = [0.1, 1.0, 10.0]
    .times = [-1.0]: must be times of at least 0, each later than the one before it; write e.g. observe.times = [0.1, 1.0, 10.0]
    .times = 1.0: must be a list of numbers, and is a decimal number; write e.g. observe.times = [0.1, 1.0, 10.0]
    .log.from = 20.0: is after time.end = 10.0; write an earlier time
    .log.from = 0: must be finite and greater than 0; write e.g. observe.log.from = 0.01
    .log.per-decade: missing; write e.g. observe.log.per-decade = 10
    .log.per-decade = 0: must be at least 1; write e.g. observe.log.per-decade = 10
    .log = 10: must be a table, and is a whole number; write e.g. observe.log = { from = 0.01, per-decade = 10 }
    "#);
}

/// The good experiment with steps of controlled error; its samples, and that it is the same once it is written down.
fn controlled(step: &str, observe: &str, more: &str) -> Result<Schedule, ExperimentError> {
    let text = GOOD.replace("step = 0.05", &format!("step = {step}")).replace("end = 10.0", "end = 2.0");
    let experiment = Experiment::parse(&format!("{text}{more}\n[observe]\nquantities = [\"moments\"]\n{observe}\n"))?;
    let schedule = experiment.resolve()?.schedule;
    let written = experiment.to_toml()?;
    assert_eq!(Experiment::parse(&written)?.resolve()?.schedule, schedule, "{written}");
    Ok(schedule)
}

#[test]
fn steps_of_controlled_error_end_at_samples() {
    let of = |step: &str, observe: &str| {
        let schedule = controlled(step, observe, "").unwrap();
        let times: Vec<f64> = (0..=schedule.steps).map(|done| schedule.time(done)).collect();
        assert!((0..=schedule.steps).all(|done| schedule.observes(done)));
        (schedule.control.unwrap(), times)
    };
    let (control, times) = of("{ tolerance = 1e-6 }", "");
    assert_eq!((control, times), (Control { tolerance: 1e-6, first: None, most: None }, vec![0.0, 2.0]));
    let (control, times) = of("{ tolerance = 1e-6, first = 0.5, most = 1 }", "every = 0.7");
    let expected = Control { tolerance: 1e-6, first: Some(0.5), most: Some(1.0) };
    assert_eq!((control, times), (expected, vec![0.0, 0.7, 1.4, 2.0]));
    assert_eq!(of("{ tolerance = 1e-6 }", "times = [0, 0.3, 2]").1, [0.0, 0.3, 2.0]);
    let logarithmic = of("{ tolerance = 1e-6 }", "log = { from = 0.01, per-decade = 1 }").1;
    assert!(logarithmic.iter().zip([0.0, 0.01, 0.1, 1.0, 2.0]).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-15));
}

#[test]
fn steps_of_controlled_error_that_make_no_sense_are_refused() {
    let plain = "{ tolerance = 1e-6 }";
    let refused = |step: &str, observe: &str, more: &str| {
        controlled(step, observe, more).map(|_| ()).expect_err(more).to_string()
    };
    let head = |key: &str| format!("[[attention.head]]\n{key}\n");
    let scheme = |scheme: &str| {
        let text = GOOD.replace("step = 0.05", &format!("step = {plain}")).replace("scheme = \"rk4\"", scheme);
        let text = text.replace("scheme = \"heun\"", scheme);
        Experiment::parse(&text)
            .and_then(|experiment| experiment.resolve())
            .map(|_| ())
            .expect_err(scheme)
            .to_string()
    };
    let noise = "[noise]\nfield = \"independent\"\nintensity = 0.1\ncalculus = \"stratonovich\"";
    let refusals = [
        refused("{ tolerance = 0 }", "", ""),
        refused("{ tolerance = 1e-6, factor = 2 }", "", ""),
        refused("{ tolerance = 1e-6, most = 0 }", "", ""),
        refused(plain, "times = [3]", ""),
        refused(plain, "log = { from = 3, per-decade = 1 }", ""),
        refused(plain, "", noise),
        refused(plain, "", &head("weight = { layers = [1] }")),
        refused(plain, "", &head("value = { ensemble = \"goe\", variance = 1, every = 1 }")),
        refused(plain, "", "[reference]\nkind = \"particles\""),
        scheme("scheme = \"euler\""),
        scheme("scheme = \"rk4\""),
        scheme("scheme = \"layer\""),
    ];
    insta::assert_snapshot!(refusals.join("\n").replace("experiment: ", ""), @r#"
    time.step.tolerance = 0: must be finite and greater than 0; write e.g. time.step.tolerance = 1e-6
    time.step.factor: unknown key; known here: tolerance, first, most
    time.step.most = 0: must be finite and greater than 0; write e.g. time.step.most = 0.1
    observe.times.0 = 3.0: is after time.end = 2.0; write an earlier time
    observe.log.from = 3.0: is after time.end = 2.0; write an earlier time
    time.step = { tolerance = 0.000001 }: controls an error, and noise has no smooth path; write one length, e.g. time.step = 0.05
    time.step = { tolerance = 0.000001 }: makes as many steps as its error asks for, and terms of the equation count steps; write one length, e.g. time.step = 0.05
    time.step = { tolerance = 0.000001 }: makes as many steps as its error asks for, and terms of the equation count steps; write one length, e.g. time.step = 0.05
    time.step = { tolerance = 0.000001 }: has steps of controlled error, and the limit takes those of the tokens; write one length, e.g. time.step = 0.05, or a limit with reference.steps = "own"
    time.scheme = "euler": has no estimate of its error, which time.step.tolerance asks for; write time.scheme = "heun" or "bogacki-shampine", or one length of steps
    time.scheme = "rk4": has no estimate of its error, which time.step.tolerance asks for; write time.scheme = "heun" or "bogacki-shampine", or one length of steps
    time.scheme = "layer": has no estimate of its error, which time.step.tolerance asks for; write time.scheme = "heun" or "bogacki-shampine", or one length of steps
    "#);
}
