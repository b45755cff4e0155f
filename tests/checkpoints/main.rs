//! Checkpoints: a run that was interrupted and taken up again leaves the bytes of one that never was.
//!
//! Without a graphics adapter the tests that need one are ignored, and say so; with TOKENFIELD_REQUIRE_GPU=1 they fail instead.

mod cases;
mod faults;
mod resuming;
mod running;
mod terms;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use tokenfield::{
    backend::{Precision, gpu::adapters},
    run::{Choice, Machine},
};

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let is_absent = pollster::block_on(adapters()).is_empty();
    let is_required = std::env::var("TOKENFIELD_REQUIRE_GPU").is_ok_and(|value| value == "1");
    let named = [
        ("all_machines_are_named", faults::all_machines_are_named as fn()),
        ("any_number_of_threads", resuming::any_number_of_threads),
        ("arrays_that_cannot_be_written", faults::arrays_that_cannot_be_written),
        ("arrays_that_were_cut", faults::arrays_that_were_cut),
        ("cells_of_other_machines", faults::cells_of_other_machines),
        ("checkpoint_before_a_damaged_one", faults::the_checkpoint_before_a_damaged_one),
        ("damaged_checkpoints", resuming::damaged_checkpoints),
        ("every_so_often", resuming::every_so_often),
        ("every_term_is_needed", terms::every_term_of_a_state_is_needed),
        ("foreign_files_in_checkpoints", faults::foreign_files_in_checkpoints),
        ("half_written_checkpoints", resuming::half_written_checkpoints),
        ("inputs_that_change_on_the_way", faults::inputs_that_change_on_the_way),
        ("inputs_that_were_changed", resuming::inputs_that_were_changed),
        ("other_machines", resuming::other_machines),
        ("running_again", resuming::running_again),
        ("samples_that_were_changed", resuming::samples_that_were_changed),
    ];
    let test = |(name, test): (&'static str, fn())| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run)
    };
    let mut trials: Vec<Trial> = named.into_iter().map(test).collect();
    let machines = [
        ("single", Choice::Cpu, Precision::Single),
        ("double", Choice::Cpu, Precision::Double),
        ("reference", Choice::Reference, Precision::Double),
        ("gpu", Choice::Gpu, Precision::Single),
    ];
    for (name, choice, precision) in machines {
        let run = move || {
            let machine = pollster::block_on(Machine::open(choice, precision)).map_err(|error| error.to_string())?;
            resuming::same_bytes(name, &machine);
            Ok(())
        };
        let is_ignored = choice == Choice::Gpu && is_absent && !is_required;
        trials.push(Trial::test(format!("same_bytes_{name}"), run).with_ignored_flag(is_ignored));
    }
    for on_device in [("full_device", resuming::full_device as fn()), ("lost_device", resuming::lost_device)] {
        trials.push(test(on_device).with_ignored_flag(is_absent && !is_required));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
