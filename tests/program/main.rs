//! The program as a whole, run as its users run it: what it reads, prints and leaves, and how it ends.

mod attention;
mod bench;
mod command_line;
mod controlled_steps;
mod energy_drift;
mod experiments;
mod folders;
#[cfg(not(feature = "mpi"))]
mod many_processes;
mod papers;
mod recipes;
mod results;
#[cfg(unix)]
mod signals;
mod stop;
#[cfg(unix)]
mod streams;
mod sweep;
mod warnings;
