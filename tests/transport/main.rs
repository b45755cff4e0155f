//! Distances between measures: against POT and GeomLoss, against closed forms, and by their laws.

mod closed_forms;
mod clouds;
mod compare;
mod laws;
mod references;
mod refusals;
