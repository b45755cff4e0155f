//! Small replicas that workgroups keep for many steps: against the reference, and against the same steps taken stage by
//! stage.

use std::sync::OnceLock;

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, BackendError, advance,
        gpu::{Bounds, Device, Gpu, Kind},
        reference,
    },
    model::{Field, Head, Mask, Matrix, Normalization},
    problem::{Problem, Schedule},
    scheme::Scheme,
    simulate::{Event, SimulateError, simulate},
    tokens::Shape,
};

use crate::{
    compare::{bounded, compare, compare_within, device, dot, largest, text, tolerance},
    problems::{Stream, identity, problem, shape, uneven_weights},
};

/// One addition, one square root and one division, each of which may be off by two units or so.
const RETRACTION: f64 = 1e-6;

/// As this adapter is, and as a large one would be.
fn devices() -> Result<[Device; 2], String> {
    static LARGE: OnceLock<Result<Device, String>> = OnceLock::new();
    let large = LARGE.get_or_init(|| bounded(Bounds { shaped_for: Some(Kind::Discrete), ..Bounds::default() }));
    Ok([device()?.clone(), large.clone()?])
}

fn by_stages() -> Result<Device, String> {
    bounded(Bounds { steps: Some(0), ..Bounds::default() })
}

/// The tokens after `steps` steps that the device took by itself.
fn advanced(device: &Device, problem: &Problem, steps: u64) -> Result<Vec<f64>, String> {
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    let (tableau, h, field) = (problem.scheme.tableau(), problem.schedule.step(0), problem.scheme.field());
    let mut done = 0;
    while done < steps {
        match gpu.advance(tableau, h, field, steps - done).map_err(text)? {
            0 => return Err(format!("{:?} does not go by itself", problem.tokens.shape)),
            taken => done += taken,
        }
    }
    if done > steps {
        return Err(format!("{done} steps of {steps}"));
    }
    block_on(gpu.tokens()).map_err(text)
}

fn simulated(device: &Device, problem: &Problem) -> Result<Vec<f64>, String> {
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    block_on(simulate(problem, &mut gpu, |_| Ok(()))).map_err(|error| error.to_string())?;
    block_on(gpu.tokens()).map_err(text)
}

/// One step of either field against the reference.
fn check(what: &str, problem: &Problem) -> Result<(), String> {
    let h = 0.7;
    let ambient = reference::field(&problem.tokens, &problem.model, Field::Ambient);
    for scheme in [Scheme::Euler, Scheme::Layer] {
        let schedule = Schedule::even(1, h, 1);
        let problem = Problem { scheme, schedule, ..problem.clone() };
        let field = reference::field(&problem.tokens, &problem.model, scheme.field());
        let mut expected: Vec<f64> = problem.tokens.coordinates.iter().zip(&field).map(|(x, v)| x + h * v).collect();
        // A long velocity is rounded in proportion, and shortened by the retraction.
        let mut shortest = f64::INFINITY;
        for token in expected.chunks_exact_mut(problem.tokens.shape.dim) {
            let norm = dot(token, token).sqrt();
            shortest = shortest.min(norm);
            token.iter_mut().for_each(|c| *c /= norm);
        }
        let allowed = RETRACTION + h * tolerance(&problem) * largest(&ambient) / shortest.min(1.0);
        for (device, adapter) in devices()?.iter().zip(["this adapter", "a large adapter"]) {
            let what = format!("{what}, {:?}, {scheme:?}, {adapter}", problem.tokens.shape);
            compare_within(&what, &advanced(device, &problem, 1)?, &expected, allowed)?;
        }
    }
    Ok(())
}

/// The most tokens of a replica that 16384 bytes and 256 threads hold: a token in whole vectors, and a number beside it.
fn most(dim: usize) -> usize {
    let bytes = 16 * dim.div_ceil(4) + 4;
    (16384 / bytes / 4 * 4).min(256)
}

/// Sizes on both sides of a vector of threads, replicas that share a workgroup, and the largest that fits.
pub fn tile_edges(dim: usize) -> Result<(), String> {
    for count in [1, 5, 31, 32, 33, most(dim)] {
        let mut problem = problem(Shape { replicas: 3, count, dim, passive: 0 }, 2.0);
        check("equal weights", &problem)?;
        problem.tokens.weights = uneven_weights(problem.tokens.shape);
        problem.model.attention.normalization = Normalization::Unnormalized;
        check("uneven weights", &problem)?;
    }
    let beyond = problem(shape(most(dim) + 1, dim), 2.0);
    match advanced(device()?, &beyond, 1) {
        Err(_) => Ok(()),
        Ok(_) => Err(format!("{:?} is kept in a workgroup", beyond.tokens.shape)),
    }
}

/// Any heads, masks, weights and passive tails.
pub fn every_model() -> Result<(), String> {
    for (dim, count, passive) in [(2, 1, 0), (3, 32, 0), (3, 45, 12), (5, 7, 3), (16, 33, 1)] {
        let shape = Shape { replicas: 5, count, dim, passive };
        let mut stream = Stream(5);
        let diagonal = Matrix::Diagonal((0..dim).map(|k| 1.0 + k as f64 / 8.0).collect());
        let general = Head { query_key: stream.matrix(dim), value: stream.matrix(dim), ..Head::default() };
        let half = Head { query_key: Matrix::Identity, value: diagonal, ..Head::default() };
        let scaled = Head { query_key: Matrix::Scale(-2.0), value: Matrix::Scale(-0.5), ..Head::default() };
        for heads in [vec![scaled.clone()], vec![identity(), identity()], vec![general, scaled, half]] {
            for mask in [Mask::None, Mask::Causal, Mask::StrictlyCausal] {
                for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
                    let mut problem = problem(shape, 2.0);
                    problem.model.attention.heads = heads.clone();
                    problem.model.attention.mask = mask;
                    problem.model.attention.normalization = normalization;
                    problem.tokens.weights = uneven_weights(shape);
                    check(&format!("{} heads, {mask:?}, {normalization:?}", heads.len()), &problem)?;
                }
            }
        }
    }
    Ok(())
}

pub fn extreme_beta() -> Result<(), String> {
    for dim in [2, 3, 16] {
        for query_key in [Matrix::Identity, Matrix::Scale(-1.0), Stream(9).matrix(dim)] {
            let mut problem = problem(shape(50, dim), 1000.0);
            problem.model.attention.heads[0].query_key = query_key;
            check("beta = 1000", &problem)?;
        }
    }
    Ok(())
}

/// Where dispatches and segments are cut changes no bit.
pub fn many_pieces() -> Result<(), String> {
    let bounds = [
        Bounds { steps: Some(1), ..Bounds::default() },
        Bounds { steps: Some(3), ..Bounds::default() },
        Bounds { dispatch_work: Some(1.0), ..Bounds::default() },
        Bounds { dispatch_work: Some(1e5), ..Bounds::default() },
        Bounds { grid: Some(3), ..Bounds::default() },
        Bounds { segment_bytes: Some(5000), ..Bounds::default() },
    ];
    for (count, replicas) in [(32, 37), (5, 40), (1, 50)] {
        let mut problem = problem(Shape { replicas, count, dim: 3, passive: 0 }, 3.0);
        problem.tokens.weights = uneven_weights(problem.tokens.shape);
        problem.schedule = Schedule::even(17, 1.7, 17);
        let whole = advanced(device()?, &problem, 17)?;
        for bounds in bounds {
            let pieces = advanced(&bounded(bounds)?, &problem, 17)?;
            compare(&format!("{bounds:?}, {:?}", problem.tokens.shape), &pieces, &whole, 0.0)?;
        }
    }
    // A segment that holds less than a replica.
    let device = bounded(Bounds { segment_bytes: Some(1000), ..Bounds::default() })?;
    match advanced(&device, &problem(shape(40, 3), 2.0), 1) {
        Err(_) => Ok(()),
        Ok(_) => Err("a replica in pieces is kept in a workgroup".into()),
    }
}

/// Every scheme, many steps, with observations between them: the same tokens as stage by stage, and the same events.
pub fn beside_stages() -> Result<(), String> {
    let stages = by_stages()?;
    for scheme in [Scheme::Euler, Scheme::Heun, Scheme::Rk4, Scheme::Layer] {
        for (count, dim, passive) in [(33, 3, 0), (6, 5, 2), (40, 16, 0)] {
            let mut problem = problem(Shape { replicas: 3, count, dim, passive }, 3.0);
            problem.scheme = scheme;
            problem.schedule = Schedule::even(50, 2.5, 15);
            let expected = simulated(&stages, &problem)?;
            for device in devices()? {
                let what = format!("{scheme:?}, {:?}", problem.tokens.shape);
                compare(&what, &simulated(&device, &problem)?, &expected, 5.0 * tolerance(&problem))?;
            }
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
enum Reported {
    Sample(usize, f64),
    Steps(u64),
}

/// Observers get the same events, whether steps go stage by stage or many at once.
pub fn events() -> Result<(), String> {
    let mut problem = problem(Shape { replicas: 2, count: 20, dim: 3, passive: 0 }, 3.0);
    problem.schedule = Schedule::even(50, 2.5, 15);
    let run = |device: &Device| {
        let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
        let mut events = Vec::new();
        let summary = simulate(&problem, &mut gpu, |event| {
            events.push(match event {
                Event::Sample(sample) => Reported::Sample(sample.replica, sample.time),
                Event::Steps(steps) => Reported::Steps(steps),
                Event::Tokens { .. } => unreachable!("nobody asked for tokens"),
                Event::Warning(warning) => unreachable!("nothing is amiss: {warning}"),
                event => unreachable!("this is new: {event:?}"),
            });
            Ok(())
        });
        let summary = block_on(summary).map_err(|error| error.to_string())?;
        Ok::<_, String>((events, summary))
    };
    let (found, expected) = (run(device()?)?, run(&by_stages()?)?);
    let samples = expected.0.iter().filter(|events| matches!(events, Reported::Sample(..))).count();
    if found != expected || expected.0.len() != 50 + samples || samples != 10 {
        return Err(format!("{found:?}, expected {expected:?}"));
    }
    Ok(())
}

/// A state that overflows is reported at the same observation, whether steps go stage by stage or many at once.
pub fn overflow() -> Result<(), String> {
    let mut problem = problem(Shape { replicas: 2, count: 20, dim: 3, passive: 0 }, 300.0);
    problem.model.attention.normalization = Normalization::Unnormalized;
    problem.schedule = Schedule::even(6, 0.6, 2);
    let end = |device: &Device| {
        let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
        match block_on(simulate(&problem, &mut gpu, |_| Ok(()))) {
            Err(SimulateError::NotFinite { replica, time }) => Ok((replica, time)),
            other => Err(format!("{other:?}")),
        }
    };
    let (found, expected) = (end(device()?)?, end(&by_stages()?)?);
    if found != expected || found.1 != problem.schedule.time(2) {
        return Err(format!("{found:?}, expected {expected:?}"));
    }
    Ok(())
}

pub fn lost_device() -> Result<(), String> {
    let device = bounded(Bounds::default())?;
    let problem = problem(shape(30, 3), 1.0);
    let mut gpu = block_on(Gpu::new(&device, &problem)).map_err(text)?;
    advance(&problem, &mut gpu, 0, 5).map_err(text)?;
    device.destroy();
    match block_on(gpu.tokens()) {
        Err(BackendError::DeviceLost { .. }) => Ok(()),
        Err(error) => Err(format!("another error: {error}")),
        Ok(_) => Err("a lost device returned tokens".into()),
    }
}
