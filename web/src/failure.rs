//! What ends a call of the page.

use tokenfield::simulate::SimulateError;
use wasm_bindgen::prelude::*;

/// A sentence for the user.
pub fn error(sentence: impl ToString) -> JsValue {
    js_sys::Error::new(&sentence.to_string()).into()
}

/// What the arithmetic says: an error of the name `DeviceLost` where the device is gone and another may be opened.
pub fn failure(failure: impl Into<SimulateError>) -> JsValue {
    let failure = failure.into();
    let error = js_sys::Error::new(&failure.to_string());
    if failure.device_lost().is_some() {
        error.set_name("DeviceLost");
    }
    error.into()
}

/// Has the browser's console say where a fault of the program is.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|panic| web_sys::console::error_1(&panic.to_string().into())));
}
