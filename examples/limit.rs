//! How far tokens are from their coupled tokens in the limit n = infinity: about n^{-1/2}.

use std::error::Error;

use tokenfield::{limit::quadrature_within, prelude::*, problem::ReferenceSteps};

pub fn main() -> Result<(), Box<dyn Error>> {
    for count in [100, 400, 1600] {
        let experiment = Experiment::parse(&format!(
            r#"
            tokens = {{ count = {count}, dim = 3, replicas = 8, initial = {{ law = "uniform" }} }}
            attention = {{ beta = 1.0, normalization = "softmax" }}
            time = {{ scheme = "rk4", step = 0.1, end = 1.0 }}
            observe = {{ every = 1.0, quantities = ["coupling_error"] }}
            reference = {{ kind = "quadrature", tolerance = 1e-8 }}
            "#
        ))?;
        let problem = experiment.resolve()?;
        let (_, law) = experiment.reference().ok_or("the experiment has a reference")?;
        let mut limit = quadrature_within(&problem, law, 1e-8, ReferenceSteps::Own)?;
        let mut backend = cpu::double(&problem)?;
        let mut squares = Vec::new();
        pollster::block_on(simulate::simulate_with_limit(&problem, backend.as_mut(), Some(&mut limit), |event| {
            if let simulate::Event::Sample(sample) = event
                && sample.time == 1.0
            {
                squares.push(sample.values[0].powi(2));
            }
            Ok(())
        }))?;
        let error = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
        println!("n = {count:4}  error = {error:.5}  error n^(1/2) = {:.3}", error * f64::from(count).sqrt());
    }
    Ok(())
}
