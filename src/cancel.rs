//! Should work that is under way end early?

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A request to end, which clones share: whoever keeps one may make it, from any thread, at any time.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// The flag itself, for what can set no other, such as a handler of signals.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }

    /// Asks for the end. It cannot be taken back.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked for it.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
