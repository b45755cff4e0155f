//! Sliced Wasserstein distances from laws, measured on the device, against sums over all pairs of a token and a value.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend, Point, SlicedTargets, SortedProjection, cpu,
        gpu::{Bounds, Device, Gpu},
    },
    initial::{Law, Uniform},
    limit::particles,
    model::{Field, Geometry},
    observables::{Quantity, SlicedW2Reference},
    observe::Sample,
    problem::{Problem, Schedule},
    simulate::{Event, simulate_with_limit},
    tokens::{Shape, Weights},
};

use crate::{
    compare::{bounded, compare_within, device, dot, largest, text},
    problems::{Stream, problem, shape, uneven_weights},
    scheme::heun_step,
    sealed::{SEAL, Sealed},
};

/// Projections in single precision are off by about 1e-7 of the longest token, and W_2 by as much; sums by 1e-6 at most.
const PROJECTION: f64 = 4e-7;
const SUM: f64 = 1e-6;
/// What W_2^2 of equal lists may be: ends in single precision give a token 1e-7 of its neighbour's mass.
const EQUAL: f64 = 1e-13;

/// Unit directions, axes among them.
fn directions(count: usize, dim: usize) -> Vec<f64> {
    let mut stream = Stream(5);
    let direction = |k: usize| {
        let mut direction: Vec<f64> = (0..dim)
            .map(|c| if k.is_multiple_of(4) { f64::from(u8::from(c == k % dim)) } else { stream.number() })
            .collect();
        let length = dot(&direction, &direction).sqrt();
        direction.iter_mut().for_each(|component| *component /= length);
        direction
    };
    (0..count).flat_map(direction).collect()
}

/// Laws of very different masses, some of them zero: at either end, where three or more values are, and between.
fn laws(count: usize, values: usize) -> Vec<SortedProjection> {
    let mut stream = Stream(17);
    let law = |_| {
        let mut numbers: Vec<f64> = (0..values).map(|_| stream.number()).collect();
        numbers.sort_by(f64::total_cmp);
        let mut masses: Vec<f64> = (0..values).map(|_| (3.0 * stream.number()).exp()).collect();
        if values > 2 {
            for empty in [0, values / 2, values - 1] {
                masses[empty] = 0.0;
            }
        }
        let mut sum = 0.0;
        let mut ends: Vec<f64> = masses
            .iter()
            .map(|mass| {
                sum += mass;
                sum
            })
            .collect();
        // What rounds to less than the sum behind the last mass is the sum.
        ends.iter_mut().for_each(|end| *end /= sum);
        SortedProjection { values: numbers, ends }
    };
    (0..count).map(law).collect()
}

fn costs(gpu: &mut Gpu, directions: &[f64], laws: &[SortedProjection]) -> Result<Option<Vec<f64>>, String> {
    let law = |direction: usize| laws[direction].clone();
    let targets = SlicedTargets { directions, values: laws[0].values.len(), law: &law };
    block_on(gpu.sliced_costs(&targets)).map_err(text)
}

/// W_2 by the sum over all tokens and values of the mass that they share.
fn literal(problem: &Problem, tokens: &[f64], directions: &[f64], laws: &[SortedProjection]) -> Vec<f64> {
    let Shape { count, dim, replicas, .. } = problem.tokens.shape;
    let sources = problem.tokens.shape.sources();
    let mut all = Vec::new();
    for replica in 0..replicas {
        for (theta, law) in directions.chunks(dim).zip(laws) {
            let token = |i: usize| &tokens[(replica * count + i) * dim..][..dim];
            let mut projections: Vec<f64> = (0..sources).map(|i| dot(token(i), theta)).collect();
            projections.sort_by(f64::total_cmp);
            let cell = |i: usize| i as f64 / sources as f64;
            let mut cost = 0.0;
            for (i, x) in projections.iter().enumerate() {
                let mut start = 0.0;
                for (y, end) in law.values.iter().zip(&law.ends) {
                    let shared = end.min(cell(i + 1)) - f64::max(start, cell(i));
                    cost += shared.max(0.0) * (x - y) * (x - y);
                    start = *end;
                }
            }
            all.push(cost.sqrt());
        }
    }
    all
}

fn check(device: &Device, problem: &Problem, targets: usize, values: usize) -> Result<(), String> {
    let what = format!("{:?}, {targets} targets, {values} values", problem.tokens.shape);
    let (directions, laws) = (directions(targets, problem.tokens.shape.dim), laws(targets, values));
    let mut gpu = block_on(Gpu::new(device, problem)).map_err(text)?;
    let found = costs(&mut gpu, &directions, &laws)?.ok_or_else(|| format!("{what}: left to the host"))?;
    let found: Vec<f64> = found.iter().map(|cost| cost.sqrt()).collect();
    let expected = literal(problem, &problem.tokens.coordinates, &directions, &laws);
    let allowed = PROJECTION * largest(&problem.tokens.coordinates).max(1.0) + SUM * largest(&expected);
    compare_within(&what, &found, &expected, allowed)?;
    // Each line and replica is one of its own: an exchange of two would be seen.
    let apart = expected.windows(2).filter(|pair| (pair[0] - pair[1]).abs() > 10.0 * allowed).count();
    if 2 * apart + 2 < expected.len() { Err(format!("{what}: no test, most are alike")) } else { Ok(()) }
}

/// Around the sizes of what a workgroup sorts, of what a thread walks over, and of a list.
pub fn by_count_and_values() -> Result<(), String> {
    let device = device()?;
    for count in [1, 2, 3, 31, 32, 33, 64, 65, 1000] {
        for values in [1, 2, 5, 33, 700] {
            check(device, &problem(Shape { replicas: 3, count: count + 2, dim: 3, passive: 2 }, 1.0), 5, values)?;
        }
    }
    for count in [1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097, 9001] {
        check(device, &problem(Shape { replicas: 2, count, dim: 3, passive: count / 1000 }, 1.0), 2, 40)?;
    }
    // Where single precision would no longer tell the ends of tokens apart.
    check(device, &problem(shape(1_000_001, 3), 1.0), 1, 40)?;
    // Far more values than tokens.
    check(device, &problem(Shape { replicas: 2, count: 3, dim: 3, passive: 0 }, 1.0), 3, 30_000)
}

pub fn by_width() -> Result<(), String> {
    for dim in [2, 4, 5, 8, 17, 48] {
        let mut problem = problem(Shape { replicas: 2, count: 150, dim, passive: 20 }, 1.0);
        check(device()?, &problem, 6, 50)?;
        problem.model.geometry = Geometry::Euclidean;
        problem.tokens.coordinates.iter_mut().for_each(|component| *component *= 100.0);
        check(device()?, &problem, 6, 50)?;
    }
    Ok(())
}

/// Replicas in several segments and pieces, one list or a few at a time, and every pass in many dispatches.
pub fn in_many_pieces() -> Result<(), String> {
    let few = Bounds { segment_bytes: Some(9000), ..Bounds::default() };
    let work = Bounds { dispatch_work: Some(2e4), grid: Some(3), ..few };
    for bounds in [few, work] {
        let device = bounded(bounds)?;
        for (dim, count, replicas, passive) in [(3, 1500, 2, 0), (3, 1500, 2, 900), (3, 40, 9, 3), (48, 150, 2, 3)] {
            check(&device, &problem(Shape { replicas, count, dim, passive }, 1.0), 7, 60)?;
        }
    }
    // Lists that no workgroup sorts alone.
    let device = bounded(Bounds { segment_bytes: Some(70_000), dispatch_work: Some(3e5), ..Bounds::default() })?;
    check(&device, &problem(Shape { replicas: 2, count: 9000, dim: 3, passive: 10 }, 1.0), 3, 60)
}

/// A list is sorted, and has the tokens that it had: it is at no distance from its own order, to the rounding of ends. One value
/// that is not where it belongs would be seen.
pub fn sorted_lists_are_permutations() -> Result<(), String> {
    for count in [1, 2, 37, 2047, 2048, 2049, 4097, 8192, 20_000] {
        let mut problem = problem(Shape { replicas: 2, count, dim: 3, passive: 0 }, 1.0);
        problem.model.geometry = Geometry::Euclidean;
        // Some tokens are equal, some zero, of either sign.
        for (token, x) in problem.tokens.coordinates.chunks_exact_mut(3).enumerate() {
            match token % 7 {
                3 => x.copy_from_slice(&[0.25, 0.5, -0.75]),
                5 => x.copy_from_slice(if token % 2 == 0 { &[0.0, -0.0, 1.0] } else { &[-0.0, 0.0, -1.0] }),
                _ => {}
            }
        }
        // Along axes projections are components, which single precision holds.
        let axes = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        let law = |axis: usize| {
            let mut values: Vec<f64> = problem.tokens.replica(0).chunks(3).map(|x| x[axis]).collect();
            values.sort_by(f64::total_cmp);
            let ends = (1..=count).map(|end| end as f64 / count as f64).collect();
            SortedProjection { values, ends }
        };
        let laws: Vec<SortedProjection> = (0..3).map(law).collect();
        let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
        let found = costs(&mut gpu, &axes, &laws)?.ok_or("left to the host")?;
        if found[..3].iter().any(|cost| cost.is_nan() || *cost > EQUAL) || found[3..].iter().any(|cost| *cost < 1e-7)
        {
            return Err(format!("{count} tokens: {found:?}"));
        }
        let mut wrong = laws.clone();
        let last = *wrong[1].values.last().ok_or("no value")?;
        wrong[1].values[count / 2] = last + 0.5;
        let found = costs(&mut gpu, &axes, &wrong)?.ok_or("left to the host")?;
        if found[0] > EQUAL || found[1] < 1e5 * EQUAL || found[2] > EQUAL {
            return Err(format!("{count} tokens, one value elsewhere: {found:?}"));
        }
    }
    Ok(())
}

/// What is laid out serves later samples, and is laid out anew for other lines.
pub fn of_tokens_that_move() -> Result<(), String> {
    let problem = problem(Shape { replicas: 2, count: 300, dim: 3, passive: 5 }, 3.0);
    let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
    let mut before = Vec::new();
    for (targets, values) in [(4, 30), (4, 30), (4, 31), (9, 31), (4, 30)] {
        let (directions, laws) = (directions(targets, 3), laws(targets, values));
        heun_step(&mut gpu).map_err(text)?;
        let found = costs(&mut gpu, &directions, &laws)?.ok_or("left to the host")?;
        let found: Vec<f64> = found.iter().map(|cost| cost.sqrt()).collect();
        let tokens = block_on(gpu.tokens()).map_err(text)?;
        let expected = literal(&problem, &tokens, &directions, &laws);
        compare_within(&format!("{targets} targets, {values} values"), &found, &expected, PROJECTION + SUM)?;
        if found == before {
            return Err("no test: tokens do not move".into());
        }
        before = found;
    }
    Ok(())
}

/// Weights that differ, numbers beyond single precision, and lists or laws beyond a buffer are nobody's but the host's.
pub fn left_to_the_host() -> Result<(), String> {
    let plain = problem(Shape { replicas: 2, count: 40, dim: 3, passive: 4 }, 1.0);
    let with = |coordinate: usize, number: f64| {
        let mut problem = plain.clone();
        problem.model.geometry = Geometry::Euclidean;
        problem.tokens.coordinates[coordinate] = number;
        problem
    };
    let weights = |weights| {
        let mut problem = plain.clone();
        problem.tokens.weights = weights;
        problem
    };
    let equal = |replica: usize, token: usize| if token < 36 - replica { 1.0 / (36 - replica) as f64 } else { 0.0 };
    let of = |apart: usize| Weights::Each((0..80).map(|row| equal(apart * (row / 40), row % 40)).collect());
    // The last token of replica 1 that has weight, and one that has none.
    let (source, passive) = (3 * 75 + 1, 3 * 77);
    let cases = [
        ("plain", plain.clone(), true),
        ("equal weights, each", weights(of(0)), true),
        ("a source without weight", weights(of(1)), false),
        ("uneven weights", weights(uneven_weights(plain.tokens.shape)), false),
        ("infinite in single precision", with(source, 1e300), false),
        ("infinite below", with(source, -1e300), false),
        ("a square beyond single precision", with(source, 1e30), false),
        ("a passive token without end", with(passive, 1e300), true),
    ];
    let directions = directions(3, 3);
    for (what, problem, is_measured) in cases {
        let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
        if costs(&mut gpu, &directions, &laws(3, 20))?.is_some() != is_measured {
            return Err(format!("{what}: measured is not {is_measured}"));
        }
    }
    let mut lost = block_on(Gpu::new(device()?, &with(0, 1.0))).map_err(text)?;
    lost.combine(&[f64::NAN], Point::State, Field::Tangent).map_err(text)?;
    if costs(&mut lost, &directions, &laws(3, 20))?.is_some() {
        return Err("tokens that are no numbers were measured".into());
    }
    let mut far = laws(3, 20);
    far[2].values[19] = 1e39;
    let mut gpu = block_on(Gpu::new(device()?, &plain)).map_err(text)?;
    if costs(&mut gpu, &directions, &far)?.is_some() {
        return Err("a law beyond single precision was measured".into());
    }
    let device = bounded(Bounds { segment_bytes: Some(4096), ..Bounds::default() })?;
    for (count, values, is_measured) in [(1024, 512, true), (1025, 512, false), (1024, 513, false)] {
        let mut gpu = block_on(Gpu::new(&device, &problem(shape(count, 3), 1.0))).map_err(text)?;
        if costs(&mut gpu, &directions, &laws(3, values))?.is_some() != is_measured {
            return Err(format!("{count} tokens, {values} values in 4096 bytes: measured is not {is_measured}"));
        }
    }
    Ok(())
}

/// The column of a run, its limit being evolved on a CPU; tokens stay where they are.
fn column(problem: &Problem, backend: &mut dyn Backend) -> Result<Vec<Sample>, String> {
    let mut limit = particles(problem, &Law::Uniform(Uniform), 500, 3).map_err(|error| error.to_string())?;
    let mut samples = Vec::new();
    let run = simulate_with_limit(problem, backend, Some(&mut limit), |event| {
        if let Event::Sample(sample) = event {
            samples.push(sample.clone());
        }
        Ok(())
    });
    block_on(run).map_err(|error| error.to_string())?;
    Ok(samples)
}

pub fn column_without_tokens() -> Result<(), String> {
    let quantity = Quantity::SlicedW2Reference(SlicedW2Reference { projections: 20 });
    let problem = Problem {
        schedule: Schedule::even(6, 0.6, 2),
        quantities: vec![Quantity::Moments, quantity],
        ..problem(Shape { replicas: 3, count: 90, dim: 3, passive: 10 }, 2.0)
    };
    let mut sealed = Sealed::new(device()?, &problem)?;
    let found = column(&problem, &mut sealed)?;
    let expected = column(&problem, cpu::double(&problem).map_err(text)?.as_mut())?;
    for (found, expected) in found.iter().zip(&expected) {
        if (found.replica, found.time) != (expected.replica, expected.time) {
            return Err("samples are not in order".into());
        }
        let what = format!("replica {}, time {}", found.replica, found.time);
        compare_within(&what, &found.values[7..], &expected.values[7..], 1e-6)?;
        if found.values.len() != 9 || !(0.01..1.0).contains(&found.values[7]) {
            return Err(format!("{what}: {:?}", found.values));
        }
    }
    if found.len() != 12 {
        return Err(format!("{} samples", found.len()));
    }
    // Where the device leaves it to the host, tokens are read.
    let mut uneven = problem.clone();
    uneven.tokens.weights = uneven_weights(uneven.tokens.shape);
    let mut sealed = Sealed::new(device()?, &uneven)?;
    match column(&uneven, &mut sealed) {
        Err(error) if error == SEAL.to_string() => {}
        other => return Err(format!("uneven weights: {other:?}")),
    }
    let mut open = block_on(Gpu::new(device()?, &uneven)).map_err(text)?;
    let (found, expected) =
        (column(&uneven, &mut open)?, column(&uneven, cpu::double(&uneven).map_err(text)?.as_mut())?);
    let last = |samples: &[Sample]| samples.iter().map(|sample| sample.values[7]).collect::<Vec<_>>();
    compare_within("uneven weights", &last(&found), &last(&expected), 1e-6)
}
