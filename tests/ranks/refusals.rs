//! What several processes do not share is refused by name, and a process that leaves is missed.

use super::*;

const PLAIN: &str = "name = \"plain\"\ntokens = { count = 9000, dim = 3, initial = { law = \"uniform\" } }\n\
                     attention = { beta = 1.0, normalization = \"softmax\" }\n\
                     time = { scheme = \"euler\", step = 0.1, end = 0.1 }\n\
                     observe = { every = 0.1, quantities = [\"moments\"] }\n";

fn refusal(overrides: &[&str], ranks: usize) -> String {
    let overrides: Vec<_> = overrides.iter().map(|text| text.parse().expect("KEY=VALUE")).collect();
    let experiment = Experiment::parse_with(PLAIN, Default::default(), &overrides).expect("an experiment");
    let problem = experiment.resolve().expect("a problem");
    together(&problem, Precision::Single, ranks, |backend| {
        backend.map(|_| ()).expect_err("it is refused").to_string()
    })
}

#[test]
fn terms_are_refused_by_name_with_a_remedy() {
    for (overrides, term, remedy) in [
        (&["tokens.replicas=2"][..], "replicas", "tokens.replicas = 1"),
        (&["noise={ field = \"independent\", intensity = 0.1, calculus = \"ito\" }"], "noise", "leave out [noise]"),
        (&["tokens.frozen=3"], "frozen tokens", "leave them out"),
        (&["attention.beta={ times = [0.0, 1.0], values = [1.0, 2.0] }"], "equation that changes", "one process"),
        (&["attention.mask=\"causal\""], "attention.mask", "leave it out"),
        (&["attention.window=10"], "attention.window", "leave it out"),
        (&["attention.normalization=\"sigmoid\""], "attention.normalization", "softmax"),
        (&["attention.position={ rotary = 100.0 }", "tokens.dim=4"], "attention.position", "leave it out"),
    ] {
        let message = refusal(overrides, 2);
        assert!(message.contains(term) && message.contains(remedy), "{overrides:?}: {message}");
    }
}

#[test]
fn more_processes_than_runs_of_tokens_are_refused() {
    let message = refusal(&[], 4);
    assert!(message.contains("4 processes") && message.contains("at most 3"), "{message}");
}

#[test]
fn processes_that_differ_are_told() {
    let problem = Experiment::parse(PLAIN).expect("an experiment").resolve().expect("a problem");
    let mut other = problem.clone();
    other.model.attention.beta = 2.0;
    let [first, second] = Threads::new(2).try_into().ok().expect("two");
    let (first, second): (Arc<dyn Exchange>, Arc<dyn Exchange>) = (Arc::new(first), Arc::new(second));
    let (lead, follow) = thread::scope(|scope| {
        let follower = scope.spawn(|| ranks::follow(other.clone(), second));
        let lead = ranks::lead(&problem, Precision::Single, first.clone()).map(|_| ());
        ranks::dismiss(&*first).expect("it listens");
        (lead, follower.join().expect("no panic"))
    });
    assert_eq!(lead, Err(backend::BackendError::UnlikeRanks));
    assert_eq!(follow, Ok(()));
}

/// The second of three ends as soon as all have begun.
#[test]
fn a_process_that_ends_before_its_time_ends_the_run_with_an_error() {
    let problem = SPHERE.problem();
    let [first, second, third] = Threads::new(3).try_into().ok().expect("three");
    let exchange: Arc<dyn Exchange> = Arc::new(first);
    let (lead, follow) = thread::scope(|scope| {
        let follower = scope.spawn(|| ranks::follow(problem.clone(), Arc::new(third)));
        scope.spawn(move || drop(second));
        let lead = ranks::lead(&problem, Precision::Single, exchange).map(|_| ()).expect_err("one is missing");
        (lead, follower.join().expect("no panic").expect_err("one is missing"))
    });
    for error in [lead, follow] {
        assert!(error.to_string().contains("another process of this run has ended"), "{error}");
    }
}
