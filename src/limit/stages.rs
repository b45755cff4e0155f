//! What the arithmetic of a small limit moves: a state, a stage point and the velocities of stages.

use crate::backend::Point;

pub(super) struct Stages {
    pub state: Vec<f64>,
    stage: Vec<f64>,
    pub velocities: Vec<Vec<f64>>,
}

impl Stages {
    pub fn new(state: Vec<f64>, slots: usize) -> Self {
        Self { stage: state.clone(), velocities: vec![vec![0.0; state.len()]; slots], state }
    }

    pub fn at(&self, point: Point) -> &[f64] {
        match point {
            Point::State => &self.state,
            Point::Stage => &self.stage,
        }
    }

    /// Point `into` <- state + sum_s coefficients\[s\] k_s.
    pub fn combine(&mut self, coefficients: &[f64], into: Point) -> &mut [f64] {
        let Self { state, stage, velocities } = self;
        if into == Point::Stage {
            stage.copy_from_slice(state);
        }
        let target = if into == Point::Stage { stage } else { state };
        for (coefficient, velocity) in coefficients.iter().zip(velocities) {
            target.iter_mut().zip(&*velocity).for_each(|(x, v)| *x += coefficient * v);
        }
        target
    }
}
