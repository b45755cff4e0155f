//! Distances between two clouds of points on the circle, of which one is the other turned by 0.1 radians.

use std::error::Error;

use tokenfield::transport::{Masses, Measure, Order, circle, kernel};

pub fn main() -> Result<(), Box<dyn Error>> {
    let cloud = |turn: f64| -> Vec<f64> {
        let angle = |k: usize| 0.02 * (k as f64).sqrt() + turn;
        (0..100).map(angle).flat_map(|angle| [angle.cos(), angle.sin()]).collect()
    };
    let (one, other) = (cloud(0.0), cloud(0.1));
    let [one, other] = [&one, &other].map(|points| Measure::new(points, 2, Masses::Equal));
    let (one, other) = (one?, other?);
    let w1 = circle::wasserstein(Order::One, &one, &other)?;
    let mmd = kernel::mmd(&one, &other, 10.0)?;
    println!("W_1 = {w1:.6} radians, MMD = {mmd:.6}");
    assert!((w1 - 0.1).abs() < 1e-12, "every point is turned by 0.1");
    Ok(())
}
