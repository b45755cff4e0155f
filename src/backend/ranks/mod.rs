//! One problem in several processes: the first has a backend as any other, and the others do what it asks of them.
//!
//! Each holds a share of the tokens ([`cpu`]); what is computed has the bytes of one process that holds them all. The first alone runs the
//! loop, measures, and writes; [`follow`] is all that the others do.

mod leader;
mod terms;
mod verb;

use std::{
    future::Future,
    hash::{DefaultHasher, Hasher},
    ops::Range,
    pin::pin,
    sync::Arc,
    task,
};

use self::{
    leader::Leader,
    verb::{Verb, numbers},
};
use super::{Backend, BackendError, Precision, cpu};
use crate::{
    exchange::{Exchange, ExchangeError},
    problem::Problem,
    tokens::{Tokens, Weights},
};

/// Takes a copy of the tokens of `problem` at time zero, each process its share. Called by rank zero; the others [`follow`].
///
/// Beside what any backend fails with, terms that need the tokens of other processes are `Unsupported`, and more processes than the tokens
/// can be shared among are `TooManyRanks`.
pub fn lead(
    problem: &Problem,
    precision: Precision,
    exchange: Arc<dyn Exchange>,
) -> Result<Box<dyn Backend>, BackendError> {
    Verb::Open(precision).say(&*exchange)?;
    let share = open(problem, precision, &exchange)?;
    Ok(Box::new(Leader { share, exchange, quantities: problem.quantities.clone() }))
}

/// Does what rank zero asks, until it [dismisses](dismiss) this process. The problem is that which rank zero opens, but for the
/// coordinates of tokens, which come from rank zero.
///
/// Errors that all processes have alike are reported by rank zero, and are none here.
pub fn follow(mut problem: Problem, exchange: Arc<dyn Exchange>) -> Result<(), BackendError> {
    problem.tokens.coordinates = Vec::new();
    let problem = &problem;
    loop {
        match Verb::hear(&*exchange)? {
            Verb::End => return Ok(()),
            Verb::Open(precision) => match open(problem, precision, &exchange) {
                Ok(mut share) => obey(problem, share.as_mut(), &*exchange)?,
                Err(error) => in_common(error)?,
            },
            _ => return Err(ExchangeError::Unlike.into()),
        }
    }
}

/// Ends what the others do, when rank zero opens no more problems.
pub fn dismiss(exchange: &dyn Exchange) -> Result<(), ExchangeError> {
    Verb::End.say(exchange)
}

/// Does what rank zero asks of a share, until it closes its own.
fn obey(problem: &Problem, share: &mut dyn Backend, exchange: &dyn Exchange) -> Result<(), BackendError> {
    loop {
        let outcome = match Verb::hear(exchange)? {
            Verb::Evaluate { point, field, stage } => share.evaluate(point, field, stage),
            Verb::Combine { coefficients, into, field } => share.combine(&numbers(&coefficients), into, field),
            Verb::Difference { coefficients } => now(share.difference(&numbers(&coefficients))),
            Verb::Observe => now(share.observe(&problem.quantities)),
            Verb::Velocity { stage } => now(share.velocity(stage)),
            Verb::Tokens { start, end } => now(share.tokens_of(start..end)),
            Verb::ResumeSums(sums) => {
                share.resume_sums(&sums);
                Ok(())
            }
            Verb::Close => return Ok(()),
            Verb::Open(_) | Verb::End => Err(ExchangeError::Unlike.into()),
        };
        outcome.or_else(in_common)?;
    }
}

/// The outcome of what a share of a CPU answers at once.
fn now<T>(answer: super::Answer<'_, T>) -> Result<(), BackendError> {
    let mut context = task::Context::from_waker(task::Waker::noop());
    match pin!(answer).poll(&mut context) {
        task::Poll::Ready(outcome) => outcome.map(|_| ()),
        task::Poll::Pending => Err(ExchangeError::Failed("a share of the tokens did not answer".into()).into()),
    }
}

/// Errors that all processes have alike are reported by rank zero; those of the exchange each has for itself.
fn in_common(error: BackendError) -> Result<(), BackendError> {
    match error {
        BackendError::Exchange(_) => Err(error),
        _ => Ok(()),
    }
}

/// The share of this process, once all have theirs. Rank zero deals the tokens out.
fn open(
    problem: &Problem,
    precision: Precision,
    exchange: &Arc<dyn Exchange>,
) -> Result<Box<dyn Backend>, BackendError> {
    let runs = agree(&**exchange, is_shared(problem, precision, &**exchange), Agreed::Alike(problem))?;
    let coordinates = &problem.tokens.coordinates;
    let first = exchange.rank() == 0;
    let pieces: Vec<&[u8]> =
        runs.into_iter().filter(|_| first).map(|run| bytemuck::cast_slice(&coordinates[run])).collect();
    let own = bytemuck::pod_collect_to_vec(&exchange.scatter(&pieces)?);
    let share = || -> Result<Box<dyn Backend>, BackendError> {
        Ok(match precision {
            Precision::Double => Box::new(cpu::Share::<f64>::new(problem, own, exchange.clone())?),
            Precision::Half | Precision::Single => Box::new(cpu::Share::<f32>::new(problem, own, exchange.clone())?),
        })
    };
    agree(&**exchange, share(), Agreed::Done)
}

/// Which coordinates each process takes, if the problem is one that they can share.
fn is_shared(
    problem: &Problem,
    precision: Precision,
    exchange: &dyn Exchange,
) -> Result<Vec<Range<usize>>, BackendError> {
    if exchange.rank() == 0 {
        problem.check()?;
    }
    if precision == Precision::Half {
        let remedy = "write --precision single or double";
        return Err(BackendError::Unsupported { backend: "cpu", term: "half precision", remedy });
    }
    terms::check(problem)?;
    cpu::runs(problem.tokens.shape, exchange.ranks())
}

/// What processes agree on.
enum Agreed<'a> {
    /// That they do the same.
    Alike(&'a Problem),
    /// That they have done it.
    Done,
}

/// The outcome of this process, if all others have one as well.
fn agree<T>(
    exchange: &dyn Exchange,
    outcome: Result<T, BackendError>,
    agreed: Agreed<'_>,
) -> Result<T, BackendError> {
    let text = match (&outcome, agreed) {
        (Err(error), _) => error.to_string(),
        (Ok(_), Agreed::Alike(problem)) => {
            format!("{} {}", alike(problem), cpu::instructions())
        }
        (Ok(_), Agreed::Done) => String::new(),
    };
    let all = exchange.allgather(&[&[u8::from(outcome.is_err())], text.as_bytes()].concat())?;
    let value = outcome?;
    if let Some(rank) = all.iter().position(|outcome| outcome.first() == Some(&1)) {
        let message = String::from_utf8_lossy(&all[rank][1..]).into_owned();
        return Err(BackendError::OtherRank { rank, message });
    }
    // All see that they differ, and none of them goes on.
    if all.iter().all(|outcome| *outcome == all[0]) { Ok(value) } else { Err(BackendError::UnlikeRanks) }
}

/// What must be alike in all processes, but for the tokens.
fn alike(problem: &Problem) -> String {
    let Problem { tokens, model, model_schedule, scheme, schedule, quantities, algorithm, tolerance } = problem;
    let Tokens { shape, coordinates: _, weights } = tokens;
    let mut hasher = DefaultHasher::new();
    match weights {
        Weights::Equal => {}
        Weights::Each(weights) => weights.iter().for_each(|weight| hasher.write_u64(weight.to_bits())),
    }
    let (weights, version) = (hasher.finish(), env!("CARGO_PKG_VERSION"));
    let equation = format!("{model:?} {model_schedule:?} {scheme:?} {algorithm:?} {tolerance:?}");
    format!("{version} {shape:?} {weights:x} {equation} {schedule:?} {quantities:?}")
}
