//! Numerical truth: laws of the equation and parity with a literal reference, on every backend of this machine.

mod backends;
mod changing;
mod clouds;
mod contract;
mod control;
mod energy;
mod ensembles;
mod frozen;
#[cfg(feature = "gpu")]
mod graphics;
#[cfg(feature = "gpu")]
mod half;
mod harmonic;
mod laws;
mod line;
mod long_sums;
mod model;
mod model_schedule;
mod noise;
mod observe;
mod order;
mod parity;
mod pointwise;
mod reference;
mod steps;
mod threads;

use libtest_mimic::Arguments;

fn main() {
    let trials = [
        laws::all(),
        contract::all(),
        parity::all(),
        pointwise::all(),
        energy::all(),
        harmonic::all(),
        #[cfg(feature = "gpu")]
        half::all(),
        order::all(),
        steps::all(),
        threads::all(),
        long_sums::all(),
        model::all(),
        changing::all(),
        control::all(),
        ensembles::all(),
        frozen::all(),
        line::all(),
        noise::all(),
        observe::all(),
        model_schedule::all(),
        reference::all(),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials.into_iter().flatten().collect()).exit();
}
