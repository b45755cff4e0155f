//! Graphics adapters, through wgpu: the only room that sees it.
//!
//! A [`Device`] is an opened adapter, a [`Gpu`] is one problem on it. Tokens stay on the device in single precision;
//! verbs are recorded and handed over in submissions of about fifty milliseconds, and only observations and final
//! tokens come back. `shaders/` holds the kernels; each is compiled for one width of tokens.
//!
//! A token of up to four components takes 72 bytes on the device under a scheme of one stage: 16 each for state and
//! velocity, 8 for weights, and 32 for the sums of a query, these for one segment at a time; each further stage takes
//! 16 more, the point of a stage 16, and 16 each go to the queries and outputs of a segment where heads have general
//! matrices or replicas betas of their own. Slices of keys multiply the 32; harmonics have none, and add some megabytes. So 10^8 tokens on the
//! sphere take at most 7.2 GB, and 5.6 GB where a binding of 2 GiB makes two segments of them. Places that are added
//! to tokens take 32 more; rotary ones as much as the queries of a head, twice; decaying weights 16; the potentials
//! of a head 16; largest scores 16 for each slice; a histogram of overlaps 4; sliced distances up to 8 for the tokens of
//! one replica, or 256 MB in all; a row of attention 16 for every 4096 keys; modes of degree 16 on the sphere
//! 2.5 for large replicas, and 2.6 kB a replica for small ones; other sums over large replicas less than one.
//!
//! The files lie in storeys, and a file uses only what is in its own storey or in one below:
//!
//! | storey | what it answers |
//! |---|---|
//! | `problem`, `sums`, `verbs` | How do the verbs of a [`Backend`] use all that? |
//! | `observe` | What is measured where the tokens are? |
//! | `field` | What moves tokens: attention, perceptron, noise, geometry, the points of the scheme? |
//! | `harmonic` | How are sums over keys taken in linear time? |
//! | `layout` | In which buffers does a problem lie, in pieces of which sizes, and do the kernels have its terms? |
//! | `engine` | How is a device opened, its memory taken, a kernel compiled and dispatched, a number read back? |
//! | [`kernels`] | What does each kernel consist of? Its text, its parameters, its bindings, its constants; no device |
//!
//! Files of one storey use each other without cycles, and nothing is imported from the `mod.rs` of a storey.
//!
//! ```no_run
//! use tokenfield::{
//!     backend::{
//!         Backend, BackendError, Precision,
//!         gpu::{Choice, Device, Gpu},
//!     },
//!     problem::Problem,
//! };
//!
//! async fn means(problem: &Problem) -> Result<Vec<Vec<f64>>, BackendError> {
//!     let device = Device::open(Choice::Best, Precision::Single).await?;
//!     let mut gpu = Gpu::new(&device, problem).await?;
//!     let replicas = gpu.observe(&[]).await?;
//!     Ok(replicas.into_iter().map(|statistics| statistics.mean).collect())
//! }
//! ```

mod engine;
mod field;
mod harmonic;
pub mod kernels;
mod layout;
mod observe;
mod problem;
mod sums;
mod verbs;

pub use self::{
    engine::{
        adapter::{AdapterSummary, Choice, Kind, adapters},
        device::{Bounds, Device},
    },
    layout::tune,
    problem::Gpu,
};
use super::{Backend, BackendError};
use crate::problem::Problem;

impl Device {
    /// `problem` on this device; see [`Gpu::new`].
    pub async fn backend(&self, problem: &Problem) -> Result<Box<dyn Backend>, BackendError> {
        Ok(Box::new(Gpu::new(self, problem).await?))
    }
}
