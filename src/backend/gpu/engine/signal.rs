//! What a callback of the device will bring, for whoever awaits it: a browser cannot block.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

/// A value that is brought once. Clones are the same signal.
pub struct Signal<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

impl<T> Clone for Signal<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Signal<T> {
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(State { value: None, waker: None })))
    }

    pub fn bring(&self, value: T) {
        let mut state = self.state();
        state.value = Some(value);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
    }

    /// What was brought, if it was, and is not taken yet: for those who go on without it.
    #[cfg(target_arch = "wasm32")]
    pub fn take(&self) -> Option<T> {
        self.state().value.take()
    }

    /// The same, as soon as it is there.
    pub fn wait(self) -> impl Future<Output = T> {
        poll_fn(move |context| {
            let mut state = self.state();
            match state.value.take() {
                Some(value) => Poll::Ready(value),
                None => {
                    state.waker = Some(context.waker().clone());
                    Poll::Pending
                }
            }
        })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
