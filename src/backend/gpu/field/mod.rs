//! What moves tokens: attention, perceptron and noise, what the geometry makes of them, and the points of the scheme.

pub mod advance;
pub mod balance;
pub mod bindings;
pub mod check;
pub mod duals;
pub mod heads;
pub mod motion;
pub mod noise;
pub mod parts;
pub mod perceptron;
pub mod places;
pub mod project;
pub mod reduction;
pub mod replica_betas;
pub mod scheme;
pub mod velocity;
