//! A problem in several processes has the bytes of one: tokens, samples, velocities and the method, on any number of ranks.
//!
//! The processes are threads here, each with a share of the tokens, and the one is the backend of a CPU as it always was.

mod refusals;

use std::{sync::Arc, thread};

use tokenfield::{
    backend::{self, Backend, Method, Point, Precision, cpu, ranks},
    exchange::{Exchange, Threads},
    experiment::Experiment,
    model::Field,
    problem::Problem,
    simulate::{Event, simulate},
    tokens::Weights,
};

/// All that can be seen of a run, floating-point numbers by their bits.
#[derive(Debug, PartialEq)]
struct Seen {
    samples: Vec<u64>,
    tokens: Vec<u64>,
    velocities: Vec<u64>,
    method: Method,
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

fn watch(problem: &Problem, backend: &mut dyn Backend) -> Seen {
    let mut samples = Vec::new();
    pollster::block_on(simulate(problem, backend, |event| {
        if let Event::Sample(sample) = event {
            samples.extend(bits(&sample.values));
        }
        Ok(())
    }))
    .expect("the simulation reaches its end");
    let tokens = bits(&pollster::block_on(backend.tokens()).expect("tokens are read"));
    backend.evaluate(Point::State, Field::Tangent, 0).expect("a field");
    let velocities = bits(&pollster::block_on(backend.velocity(0)).expect("velocities are read"));
    Seen { samples, tokens, velocities, method: backend.method() }
}

/// What the first of so many ranks makes of `lead`, while the others follow.
fn together<T: Send>(
    problem: &Problem,
    precision: Precision,
    ranks: usize,
    lead: impl FnOnce(Result<Box<dyn Backend>, backend::BackendError>) -> T + Send,
) -> T {
    let mut exchanges = Threads::new(ranks).into_iter().map(|exchange| Arc::new(exchange) as Arc<dyn Exchange>);
    let first = exchanges.next().expect("a rank");
    thread::scope(|scope| {
        let followers: Vec<_> =
            exchanges.map(|exchange| scope.spawn(move || ranks::follow(problem.clone(), exchange))).collect();
        let seen = lead(ranks::lead(problem, precision, first.clone()));
        ranks::dismiss(&*first).expect("all listen");
        for follower in followers {
            assert_eq!(follower.join().expect("no rank panics"), Ok(()));
        }
        seen
    })
}

/// How many tokens and components a case has, and the tables of its experiment.
struct Case {
    name: &'static str,
    count: usize,
    dim: usize,
    tables: &'static str,
    change: fn(&mut Problem),
}

impl Case {
    fn problem(&self) -> Problem {
        let Self { name, count, dim, tables, change } = self;
        let text = format!("name = \"{name}\"\ntokens.count = {count}\ntokens.dim = {dim}\n{tables}");
        let mut problem = Experiment::parse(&text).expect("an experiment").resolve().expect("a problem");
        change(&mut problem);
        problem
    }

    /// Whether all numbers of ranks give what one process gives, which is returned.
    fn holds(&self, precision: Precision, numbers_of_ranks: &[usize]) -> Seen {
        let problem = self.problem();
        let mut alone = match precision {
            Precision::Double => cpu::double(&problem),
            _ => cpu::single(&problem),
        }
        .expect("the problem suits the CPU");
        let expected = watch(&problem, alone.as_mut());
        assert!(expected.samples.len() > 2 && expected.tokens.len() == self.count * self.dim);
        for ranks in numbers_of_ranks {
            let seen = together(&problem, precision, *ranks, |backend| {
                watch(&problem, backend.expect("the problem suits ranks").as_mut())
            });
            let place = format!("{}, {precision:?}, {ranks} ranks", self.name);
            assert_eq!(seen.method, expected.method, "{place}");
            let differ = |a: &[u64], b: &[u64]| a.len() != b.len() || a.iter().zip(b).any(|(a, b)| a != b);
            assert!(!differ(&seen.velocities, &expected.velocities), "{place}: velocities");
            assert!(!differ(&seen.tokens, &expected.tokens), "{place}: tokens");
            assert!(!differ(&seen.samples, &expected.samples), "{place}: samples");
        }
        expected
    }
}

fn as_it_is(_: &mut Problem) {}

/// Weights that differ, some of them zero, and a largest one that one rank alone has.
fn uneven(problem: &mut Problem) {
    let shape = problem.tokens.shape;
    let weight =
        |i: usize| if i % 7 == 3 || i >= shape.sources() { 0.0 } else { 1.0 + (0.37 * i as f64).sin().abs() };
    let mut weights: Vec<f64> = (0..shape.count).map(weight).collect();
    weights[5000] = 40.0;
    let total: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= total);
    problem.tokens.weights = Weights::Each(weights);
}

/// Seven runs of 4096 tokens and a short one.
const PRIME: usize = 28_687;

const SPHERE: Case = Case {
    name: "sphere",
    count: PRIME,
    dim: 3,
    tables: "algorithm = \"harmonic\"\ntokens.initial = { law = \"uniform\" }\n\
             attention = { beta = 4.0, normalization = \"softmax\" }\n\
             time = { scheme = \"rk4\", step = 0.1, end = 0.2 }\nobserve.every = 0.1\n\
             observe.quantities = [\"moments\", \"energy\", \"w2_dirac\", \"overlap\", \"pair_overlap\"]\n",
    change: as_it_is,
};

#[test]
fn harmonics_on_the_sphere() {
    for precision in [Precision::Single, Precision::Double] {
        let seen = SPHERE.holds(precision, &[1, 2, 3, 4, 7, 8]);
        assert!(matches!(seen.method, Method::Harmonic { .. }), "{:?}", seen.method);
    }
}

/// Heads with matrices take other sums than those that are multiples of the identity, and energies token by token.
#[test]
fn harmonics_of_heads_with_matrices_and_weights() {
    let case = Case {
        name: "matrices",
        tables: "algorithm = \"harmonic\"\ntokens.initial = { law = \"uniform\" }\ntokens.passive = 9001\n\
                 [attention]\nbeta = 2.0\nnormalization = \"unnormalized\"\n\
                 [[attention.head]]\nquery-key = { rows = [[0.5, 0.2, 0.0], [-0.3, 0.9, 0.1], [0.0, 0.4, -0.7]] }\n\
                 value = { rows = [[1.0, 0.0, 0.5], [0.0, -1.0, 0.0], [0.2, 0.0, 1.0]] }\n\
                 [[attention.head]]\nquery-key = { scale = -0.5 }\n\
                 [perceptron]\ninner = [[1.0, 0.0, 0.5]]\nouter = [[0.0, 1.0, 0.0]]\nactivation = \"tanh\"\n\
                 [time]\nscheme = \"heun\"\nstep = 0.1\nend = 0.1\n\
                 [observe]\nevery = 0.1\nquantities = [\"moments\", \"energy\", \"w2_dirac\"]\n",
        change: uneven,
        ..SPHERE
    };
    case.holds(Precision::Single, &[3]);
    case.holds(Precision::Double, &[2, 4]);
}

#[test]
fn harmonics_on_the_circle() {
    let tables = "algorithm = \"harmonic\"\ntokens.initial = { law = \"uniform\" }\n\
                  attention = { beta = 9.0, normalization = \"softmax\" }\n\
                  time = { scheme = \"heun\", step = 0.1, end = 0.1 }\n\
                  observe = { every = 0.1, quantities = [\"moments\", \"energy\"] }\n";
    let circle = Case { name: "circle", dim: 2, tables, ..SPHERE };
    circle.holds(Precision::Single, &[2, 5]);
    circle.holds(Precision::Double, &[3, 7]);
}

/// Where tokens are sparse sums cancel: one rank finds out first, and all sum in double precision from then on, or pair by pair where
/// that is not enough either.
#[test]
fn tokens_that_lose_too_much_on_one_rank_are_summed_pair_by_pair_on_it() {
    let tables = "algorithm = \"harmonic\"\ntolerance = 1e-5\n\
                  tokens.initial = { law = \"two-clusters\", overlap = 0.9, fraction = 0.5, concentration = 400.0 }\n\
                  attention = { beta = 16.0, normalization = \"softmax\" }\n\
                  time = { scheme = \"euler\", step = 0.1, end = 0.1 }\n\
                  observe = { every = 0.1, quantities = [\"moments\", \"energy\"] }\n";
    // The last token, and no other, is far from all.
    let far = |problem: &mut Problem| {
        let dim = problem.tokens.shape.dim;
        let last = problem.tokens.coordinates.len() - dim;
        problem.tokens.coordinates[last..].fill(0.0);
        problem.tokens.coordinates[last] = -1.0;
    };
    for dim in [2, 3] {
        let case = Case { name: "sparse", dim, tables, change: far, count: 3 * 4096 + 78 };
        let seen = case.holds(Precision::Single, &[2, 3, 4]);
        assert!(matches!(seen.method, Method::Harmonic { care, .. } if care.name().is_some()), "{:?}", seen.method);
        case.holds(Precision::Double, &[3]);
    }
}

fn direct(name: &'static str, count: usize, dim: usize, tables: &'static str) -> Case {
    Case { name, count, dim, tables, change: as_it_is }
}

/// A run of 4096 tokens, two, and a short third.
const FEW: usize = 2 * 4096 + 555;

#[test]
fn pairs_on_the_sphere() {
    let tables = "algorithm = \"direct\"\ntokens.initial = { law = \"uniform\" }\n\
                  attention = { beta = 4.0, normalization = \"softmax\" }\n\
                  time = { scheme = \"heun\", step = 0.1, end = 0.1 }\n\
                  observe = { every = 0.1, quantities = [\"moments\", \"energy\", \"overlap\"] }\n";
    for dim in [2, 3, 8] {
        direct("pairs", FEW, dim, tables).holds(Precision::Single, &[1, 2, 3]);
    }
    direct("pairs", FEW, 3, tables).holds(Precision::Double, &[3]);
    let weighted = Case { name: "weights", change: uneven, ..direct("", FEW, 5, tables) };
    weighted.holds(Precision::Single, &[2, 3]);
}

/// Shifts are the largest scores of rows here, and follow from part to part; the last run has no sources but tokens that feel others.
#[test]
fn pairs_of_tokens_of_any_length() {
    let tables = "tokens.geometry = \"euclidean\"\ntokens.initial = { law = \"gaussian\", scale = 2.0 }\ntokens.passive = 600\n\
                  [attention]\nbeta = 3.0\nnormalization = \"softmax\"\n\
                  [[attention.head]]\nquery-key = { diagonal = [1.0, -2.0, 0.5, 1.0] }\n[[attention.head]]\n\
                  [time]\nscheme = \"bogacki-shampine\"\nend = 0.1\nstep = { tolerance = 1e-3 }\n\
                  [observe]\nevery = 0.1\nquantities = [\"moments\", \"energy\"]\n";
    let case = direct("lengths", FEW, 4, tables);
    case.holds(Precision::Single, &[2, 3]);
    case.holds(Precision::Double, &[3]);
}

#[test]
fn pairs_under_other_geometries_and_perceptrons() {
    let layer = "tokens.geometry = \"layer-norm\"\nlayer-norm = { epsilon = 1e-12 }\ntokens.initial = { law = \"gaussian\", scale = 1.0 }\n\
                 attention = { beta = 1.0, normalization = \"softmax\" }\n\
                 perceptron = { inner = [[1.0, 0.0, 0.5]], outer = [[0.0, 1.0, 0.0]], activation = \"gelu\" }\n\
                 time = { scheme = \"layer\", step = 1, end = 1 }\n\
                 observe = { every = 1, quantities = [\"moments\", \"energy\"] }\n";
    let pre = "tokens.geometry = \"pre-norm\"\ntokens.initial = { law = \"gaussian\", scale = 1.0 }\n\
               attention = { beta = 1.0, normalization = \"softmax\" }\n\
               time = { scheme = \"euler\", step = 0.1, end = 0.1 }\n\
               observe = { every = 0.1, quantities = [\"moments\", \"energy\"] }\n";
    let ngpt = "tokens.geometry = \"ngpt\"\ntokens.alpha = 0.5\ntokens.initial = { law = \"uniform\" }\nalgorithm = \"direct\"\n\
                attention = { beta = 1.0, normalization = \"shifted\" }\n\
                time = { scheme = \"euler\", step = 0.1, end = 0.1 }\n\
                observe = { every = 0.1, quantities = [\"moments\", \"energy\"] }\n";
    for tables in [layer, pre, ngpt] {
        direct("geometry", FEW, 3, tables).holds(Precision::Single, &[2]);
    }
}
