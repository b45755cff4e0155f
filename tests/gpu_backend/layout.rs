//! The paths that only large problems and large adapters take, reached with few tokens through bounds.

use pollster::block_on;
use tokenfield::{
    backend::{
        Backend,
        gpu::{Bounds, Gpu, Kind},
    },
    model::Field,
    observables::Quantity,
    problem::Problem,
    tokens::Shape,
};

use crate::{
    compare::{bounded, check_on, compare, device, text, velocity},
    problems::{problem, shape, varied_problems},
    scheme::heun_step,
};

pub fn many_segments() -> Result<(), String> {
    // The widest row of these problems takes some 400 bytes, so segments hold from ten rows to a hundred.
    for segment_bytes in [4096, 5000, 9000] {
        let device = bounded(Bounds { segment_bytes: Some(segment_bytes), ..Bounds::default() })?;
        for problem in varied_problems() {
            check_on(&device, &format!("{segment_bytes} bytes, {:?}", problem.tokens.shape), &problem)?;
        }
    }
    Ok(())
}

/// Tokens that are read run by run, across segments of ten rows to a hundred, are those that were given.
pub fn runs_of_tokens() -> Result<(), String> {
    let device = bounded(Bounds { segment_bytes: Some(4096), ..Bounds::default() })?;
    for problem in varied_problems() {
        let (shape, mut gpu) = (problem.tokens.shape, block_on(Gpu::new(&device, &problem)).map_err(text)?);
        let mut runs = Vec::new();
        for start in (0..shape.tokens()).step_by(17) {
            let run = block_on(gpu.tokens_of(start..start + 17)).map_err(text)?;
            if run.len() != shape.dim * 17.min(shape.tokens() - start) {
                return Err(format!("{shape:?}: {} numbers of 17 tokens from {start} on", run.len()));
            }
            runs.extend(run);
        }
        compare(&format!("{shape:?}"), &runs, &problem.tokens.coordinates, 1e-7)?;
    }
    Ok(())
}

pub fn many_slices() -> Result<(), String> {
    for slices in [2, 3, 7] {
        let device = bounded(Bounds { slices: Some(slices), ..Bounds::default() })?;
        for problem in varied_problems() {
            check_on(&device, &format!("{slices} slices, {:?}", problem.tokens.shape), &problem)?;
        }
    }
    Ok(())
}

/// The workgroups, queries and slices that a large adapter gets, whatever this one is.
pub fn shaped_for_hardware() -> Result<(), String> {
    let device = bounded(Bounds { shaped_for: Some(Kind::Discrete), ..Bounds::default() })?;
    let mut problems = varied_problems();
    // Four queries a thread and many slices; the widest tokens of the narrow kernel; one query a thread.
    problems.push(problem(shape(4000, 3), 3.0));
    problems.push(problem(shape(1500, 16), 3.0));
    problems.push(problem(Shape { replicas: 40, count: 33, dim: 2, passive: 3 }, 3.0));
    for problem in problems {
        check_on(&device, &format!("{:?}", problem.tokens.shape), &problem)?;
    }
    Ok(())
}

/// Cuts between dispatches lie between chunks, so they change no bit. On a grid of 5 x 5 the smallest work makes
/// every workgroup a dispatch, and the others leave parts that do not fill their rectangle of the grid.
pub fn many_dispatches() -> Result<(), String> {
    let check = |bounds, problems: &[Problem]| {
        let device = bounded(bounds)?;
        for problem in problems {
            let whole = velocity(crate::compare::device()?, problem, Field::Tangent)?;
            let split = velocity(&device, problem, Field::Tangent)?;
            compare(&format!("{bounds:?}, {:?}", problem.tokens.shape), &split, &whole, 0.0)?;
        }
        Ok::<(), String>(())
    };
    for work in [1.0, 4.5e3, 3e4] {
        check(Bounds { dispatch_work: Some(work), grid: Some(5), ..Bounds::default() }, &varied_problems())?;
    }
    // Several chunks of keys, narrow and wide.
    let long = [problem(shape(9000, 3), 3.0), problem(shape(2500, 17), 3.0)];
    check(Bounds { dispatch_work: Some(1.0), ..Bounds::default() }, &long)
}

/// Grids of at most 10 x 10 workgroups, so that both dimensions are needed.
pub fn small_grid() -> Result<(), String> {
    let device = bounded(Bounds { grid: Some(10), ..Bounds::default() })?;
    for problem in varied_problems() {
        check_on(&device, &format!("{:?}", problem.tokens.shape), &problem)?;
    }
    // 150 workgroups of the reduction exceed the grid, and are cut.
    let shape = Shape { replicas: 150, count: 20, dim: 3, passive: 0 };
    check_on(&device, "150 replicas", &problem(shape, 3.0))
}

pub fn repeats() -> Result<(), String> {
    for problem in varied_problems() {
        let runs: Vec<_> = (0..2)
            .map(|_| {
                let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
                for _ in 0..3 {
                    heun_step(&mut gpu).map_err(text)?;
                }
                let tokens = block_on(gpu.tokens()).map_err(text)?;
                let quantities = [Quantity::Moments, Quantity::Energy, Quantity::Overlap];
                Ok((tokens, block_on(gpu.observe(&quantities)).map_err(text)?))
            })
            .collect::<Result<_, String>>()?;
        if runs[0] != runs[1] {
            return Err(format!("{:?}: two runs differ", problem.tokens.shape));
        }
    }
    Ok(())
}
