//! How fast the adapter is: to be read, not judged.

use std::time::Instant;

use pollster::block_on;
use tokenfield::{
    backend::{Backend, BackendError, Point, gpu::Gpu},
    model::{Field, Matrix},
    tokens::Shape,
};

use crate::{
    compare::{device, text},
    problems::{problem, shape},
    scheme::heun_step,
};

/// Pairs and steps per second, to be read: `cargo test --test gpu_backend -- --ignored --nocapture throughput`.
pub fn throughput() -> Result<(), String> {
    let device = device()?;
    println!("{}", device.summary().name);
    let shapes =
        [(16384, 3, 1), (16384, 2, 1), (8192, 8, 1), (8192, 16, 1), (4096, 64, 1), (2048, 384, 1), (32, 3, 2048)];
    for (count, dim, replicas) in shapes {
        for (shift, query_key) in [("fixed", Matrix::Identity), ("running", Matrix::Diagonal(vec![1.0; dim]))] {
            let mut problem = problem(Shape { replicas, count, dim, passive: 0 }, 4.0);
            problem.model.attention.heads[0].query_key = query_key;
            let mut gpu = block_on(Gpu::new(device, &problem)).map_err(text)?;
            let evaluations = if replicas > 1 { 20 } else { 1 };
            let seconds = shortest(&mut gpu, |gpu| {
                (0..evaluations).try_for_each(|_| gpu.evaluate(Point::State, Field::Tangent, 0))
            })?;
            let rate = (evaluations * replicas * count * count) as f64 / seconds;
            println!("n = {count}, d = {dim}, replicas = {replicas}, {shift} shift: {rate:.3e} pairs/s");
        }
    }
    let mut gpu = block_on(Gpu::new(device, &problem(shape(64, 3), 4.0))).map_err(text)?;
    let seconds = shortest(&mut gpu, |gpu| (0..1000).try_for_each(|_| heun_step(gpu)))?;
    println!("n = 64, d = 3: {:.3e} steps of Heun/s", 1000.0 / seconds);
    Ok(())
}

/// The shortest of four rounds, each until the device is done; the first compiles and learns the pace.
fn shortest(gpu: &mut Gpu, round: impl Fn(&mut Gpu) -> Result<(), BackendError>) -> Result<f64, String> {
    let mut shortest = f64::INFINITY;
    for _ in 0..4 {
        let start = Instant::now();
        round(gpu).map_err(text)?;
        gpu.wait().map_err(text)?;
        shortest = shortest.min(start.elapsed().as_secs_f64());
    }
    Ok(shortest)
}
