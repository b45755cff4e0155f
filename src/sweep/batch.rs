//! Cells of equal shapes as one problem: what is a replica more or less to a device that waits for work?
//!
//! Which cells run together follows from the grid alone, not from what is done already: a cell has the same bytes whenever it
//! runs.

use toml::{Table, Value};

use super::Cell;
use crate::{
    experiment::{Experiment, ExperimentError},
    model::{Attention, Model, ModelSchedule},
    problem::{Algorithm, Problem, Schedule},
    tokens::{Shape, Tokens, Weights},
};

/// Tokens of the largest replicas that share a batch: beyond, one cell is work enough.
const LONGEST: usize = 512;
/// Tokens of a batch: beyond, more replicas are no faster, and a batch that is stopped is lost.
const TOKENS: usize = 1 << 17;
/// Coordinates of a batch, which is held twice while it is put together.
const COORDINATES: usize = TOKENS << 7;
/// Cells of a batch: each has a file open while it runs.
const CELLS: usize = 64;

/// The cells, by their places in the grid, that run together, in the order of the first of each.
pub fn batches(cells: &[Cell]) -> Result<Vec<Vec<usize>>, ExperimentError> {
    let mut batches: Vec<(Option<Likeness>, Vec<usize>)> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        let likeness = Likeness::of(&cell.experiment)?;
        let has_room = |batch: &[usize], likeness: &Likeness| {
            let all = batch.len() + 1;
            all <= CELLS
                && all * likeness.shape.tokens() <= TOKENS
                && all * likeness.shape.coordinates() <= COORDINATES
        };
        let home = batches.iter_mut().find(|(other, batch)| {
            likeness.as_ref().is_some_and(|likeness| other.as_ref() == Some(likeness) && has_room(batch, likeness))
        });
        match home {
            Some((_, batch)) => batch.push(index),
            None => batches.push((likeness, vec![index])),
        }
    }
    Ok(batches.into_iter().map(|(_, batch)| batch).collect())
}

/// What cells of one batch have in common.
#[derive(PartialEq)]
struct Likeness {
    shape: Shape,
    /// But for beta; random matrices follow the seed.
    model: Model,
    model_schedule: ModelSchedule,
    /// The resolved experiment without the keys in which they may differ.
    rest: Table,
}

impl Likeness {
    /// None for cells that run alone: large ones, those whose replicas share steps of controlled error, those that random numbers, a limit or a condition to stop at tie to their replicas,
    /// those whose replicas have betas of their own, and those that insist on harmonics, which know one beta.
    fn of(experiment: &Experiment) -> Result<Option<Self>, ExperimentError> {
        let problem = experiment.resolve()?;
        if experiment.reference().is_some() || !serves(&problem) {
            return Ok(None);
        }
        let Problem {
            tokens,
            model,
            model_schedule,
            scheme: _,
            schedule: _,
            quantities: _,
            algorithm: _,
            tolerance: _,
        } = &problem;
        let mut model = model.clone();
        model.attention.beta = 0.0;
        let (shape, model_schedule) = (tokens.shape, model_schedule.clone());
        Ok(Some(Self { shape, model, model_schedule, rest: without_differences(experiment.to_table()?) }))
    }
}

/// Whether replicas of other cells may join those of a problem.
fn serves(problem: &Problem) -> bool {
    let Problem { tokens, model, model_schedule: _, scheme: _, schedule, quantities, algorithm, tolerance: _ } =
        problem;
    let Schedule { steps: _, end: _, uneven: _, control, samples: _, stop } = schedule;
    let Tokens { shape, coordinates: _, weights: _ } = tokens;
    let Model { geometry: _, attention, perceptron: _, noise, frozen: _ } = model;
    let Attention { beta: _, beta_factors, normalization: _, mask: _, window: _, position: _, heads: _ } = attention;
    let has_one_beta = match algorithm {
        Algorithm::Harmonic => true,
        Algorithm::Auto | Algorithm::Direct => false,
    };
    shape.count <= LONGEST
        && beta_factors.is_empty()
        && noise.is_none()
        && stop.is_none()
        // The largest error of all replicas decides.
        && control.is_none()
        && !quantities.iter().any(|quantity| quantity.is_drawn())
        && !has_one_beta
}

/// Without the tokens' beginnings and without beta, which is a number here or part of the model schedule.
fn without_differences(mut experiment: Table) -> Table {
    for (table, key) in [("tokens", "seed"), ("tokens", "initial"), ("attention", "beta")] {
        if let Some(Value::Table(table)) = experiment.get_mut(table) {
            table.remove(key);
        }
    }
    experiment
}

/// The problems of one batch as one, replicas of the first before those of the second; `None` for no problems.
pub fn merged(mut problems: Vec<Problem>) -> Option<Problem> {
    if problems.len() < 2 {
        return problems.pop();
    }
    let first = problems.first()?;
    let shape = first.tokens.shape;
    let betas: Vec<f64> = problems.iter().map(|problem| problem.model.attention.beta).collect();
    let largest = betas.iter().copied().fold(0.0, f64::max);
    let mut all = first.clone();
    if betas.iter().any(|beta| *beta != largest) {
        let factors = betas.iter().flat_map(|beta| vec![beta / largest; shape.replicas]);
        (all.model.attention.beta, all.model.attention.beta_factors) = (largest, factors.collect());
    }
    let weights = |problem: &Problem| match &problem.tokens.weights {
        Weights::Equal => None,
        Weights::Each(weights) => Some(weights.clone()),
    };
    let each: Option<Vec<Vec<f64>>> = problems.iter().map(weights).collect();
    all.tokens = Tokens {
        shape: Shape { replicas: problems.len() * shape.replicas, ..shape },
        coordinates: problems.iter().flat_map(|problem| problem.tokens.coordinates.iter().copied()).collect(),
        weights: each.map_or(Weights::Equal, |each| Weights::Each(each.concat())),
    };
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backend::Precision, experiment::SweepFile, sweep::cells};

    const BASE: &str = "[tokens]\ncount = 8\ndim = 3\nreplicas = 2\nseed = 1\ninitial = { law = \"uniform\" }\n\
                        [attention]\nbeta = 2.0\nnormalization = \"softmax\"\n\
                        [time]\nscheme = \"euler\"\nstep = 0.1\nend = 1.0\n[observe]\nquantities = [\"moments\"]\n";

    fn of(axes: &str, base: &str) -> (Vec<Cell>, Vec<Vec<usize>>) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("base.toml"), base).expect("a file");
        let path = folder.path().join("sweep.toml");
        std::fs::write(&path, format!("base = \"base.toml\"\n[axes]\n{axes}\n")).expect("a file");
        let cells = cells(&SweepFile::read(&path, &[]).expect("a sweep"), Precision::Single).expect("cells");
        let batches = batches(&cells).expect("batches");
        (cells, batches)
    }

    #[test]
    fn cells_that_differ_in_beta_and_beginnings_run_together() {
        let axes = "\"tokens.count\" = [8, 16]\n\"attention.beta\" = [0, 4, 1]\n\"tokens.seed\" = [1, 2]";
        let (cells, batches) = of(axes, BASE);
        assert_eq!(batches, [[0, 1, 4, 5, 8, 9], [2, 3, 6, 7, 10, 11]], "axes in the order of their keys");
        let problems: Vec<Problem> =
            batches[0].iter().map(|index| cells[*index].experiment.resolve().expect("a problem")).collect();
        let all = merged(problems.clone()).expect("a batch");
        assert_eq!(all.tokens.shape.replicas, 12);
        assert_eq!(all.tokens.replica(7), problems[3].tokens.replica(1));
        let attention = &all.model.attention;
        for (index, problem) in problems.iter().enumerate() {
            let beta = attention.beta * attention.beta_factors[2 * index + 1];
            assert_eq!(beta, problem.model.attention.beta, "cell {index}");
        }
        assert_eq!(merged(problems[..2].to_vec()).expect("one beta").model.attention.beta_factors, Vec::<f64>::new());
    }

    #[test]
    fn cells_that_differ_in_more_run_apart() {
        for axes in
            ["\"time.step\" = [0.1, 0.2]", "\"attention.mask\" = [\"none\", \"causal\"]", "\"tokens.dim\" = [2, 3]"]
        {
            assert_eq!(of(axes, BASE).1, [[0], [1]], "{axes}");
        }
        let noise = "[noise]\nfield = \"independent\"\nintensity = 0.1\ncalculus = \"ito\"\n";
        assert_eq!(of("\"attention.beta\" = [1, 2]", &format!("{BASE}{noise}")).1, [[0], [1]], "replicas draw noise");
        assert_eq!(of("\"attention.beta\" = [1, 2]", &BASE.replace("count = 8", "count = 600")).1, [[0], [1]]);
        let random =
            BASE.replace("[time]", "[[attention.head]]\nvalue = { ensemble = \"goe\", variance = 1.0 }\n[time]");
        assert_eq!(of("\"tokens.seed\" = [1, 2]", &random).1, [[0], [1]], "matrices follow the seed");
        let own = BASE.replace("beta = 2.0", "beta = { replicas = [1, 4] }");
        assert_eq!(of("\"tokens.seed\" = [1, 2]", &own).1, [[0], [1]], "replicas have their own betas already");
        let many = BASE.replace("replicas = 2", "replicas = 6000");
        assert_eq!(of("\"attention.beta\" = [1, 2, 3]", &many).1, [vec![0, 1], vec![2]], "at most 2^17 tokens");
        let half = BASE.replace("replicas = 2", "replicas = 8192");
        assert_eq!(of("\"attention.beta\" = [1, 2, 3]", &half).1, [vec![0, 1], vec![2]], "and 2^17 are not too many");
    }

    #[test]
    fn cells_tied_to_their_replicas_run_alone() {
        let seeds = "\"tokens.seed\" = [1, 2]";
        assert_eq!(of(seeds, BASE).1, [[0, 1]], "nothing ties these");
        let limit = "[reference]\nkind = \"zonal\"\n";
        assert_eq!(of(seeds, &format!("{BASE}{limit}")).1, [[0], [1]], "a limit");
        let stop = BASE.replace("end = 1.0", "end = 1.0\nstop = \"mean_norm > 0.9\"");
        assert_eq!(of(seeds, &stop).1, [[0], [1]], "each stops when its own replicas are there");
        for drawn in ["attention", "gap_counts", "overlap_histogram", "overlap_share"] {
            assert_eq!(of("\"attention.beta\" = [1, 2]", &BASE.replace("moments", drawn)).1, [[0], [1]], "{drawn}");
        }
        let harmonic = format!("algorithm = \"harmonic\"\n{BASE}");
        assert_eq!(of(seeds, &harmonic).1, [[0], [1]], "harmonics know one beta");
    }

    #[test]
    fn batches_are_full_and_in_the_order_of_their_first_cells() {
        let seeds = |count: usize| format!("\"tokens.seed\" = {:?}", (0..count).collect::<Vec<_>>());
        assert_eq!(of(&seeds(CELLS + 2), BASE).1, [(0..CELLS).collect::<Vec<_>>(), vec![CELLS, CELLS + 1]]);
        let initial = BASE.replace("\"uniform\"", "\"cap\", angle = 1.0, axis = [0.0, 0.0, 1.0]");
        assert_eq!(of("\"tokens.initial.angle\" = [0.5, 1]", &initial).1, [[0, 1]], "beginnings");
    }

    #[test]
    fn tokens_and_weights_of_a_batch_are_in_the_order_of_its_cells() {
        let (cells, _) = of("\"tokens.seed\" = [1, 2, 3]", BASE);
        let resolve = |(index, cell): (usize, &Cell)| {
            let mut problem = cell.experiment.resolve().expect("a problem");
            problem.tokens.weights = Weights::Each((0..16).map(|k| (16 * index + k) as f64).collect());
            problem
        };
        let problems: Vec<Problem> = cells.iter().enumerate().map(resolve).collect();
        let all = merged(problems.clone()).expect("a batch").tokens;
        assert_eq!(all.weights, Weights::Each((0..48).map(f64::from).collect()));
        for replica in 0..6 {
            assert_eq!(all.replica(replica), problems[replica / 2].tokens.replica(replica % 2), "replica {replica}");
        }
    }

    /// An Ornstein-Uhlenbeck matrix starts from its mean whatever the seed, and parts from others after that.
    #[test]
    fn cells_whose_equations_part_later_run_apart() {
        let wandering = "query-key = { ornstein-uhlenbeck = { mean = \"identity\", rate = 1.0, intensity = 0.1 } }";
        let base = BASE.replace("[time]", &format!("[[attention.head]]\n{wandering}\n[time]"));
        assert_eq!(of("\"tokens.seed\" = [1, 2]", &base).1, [[0], [1]]);
        let ramps = "\"attention.beta\" = [{ times = [0.0, 1.0], values = [1.0, 2.0] }, { times = [0.0, 1.0], values = [1.0, 3.0] }]";
        assert_eq!(of(ramps, BASE).1, [[0], [1]]);
    }
}
