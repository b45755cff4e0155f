//! How the weights of the equation change with layer-time.

use std::borrow::Cow;

use super::Model;

/// The equation as a function of layer-time.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Course {
    /// The same at all times.
    #[default]
    Constant,
    /// The equation of each step in turn: the layers of a Transformer.
    Layers(Vec<Model>),
}

impl Course {
    pub fn is_constant(&self) -> bool {
        *self == Course::Constant
    }

    /// The equation at `time` within step `step`, which is `base` where nothing changes.
    pub fn at<'a>(&'a self, base: &'a Model, step: u64, _time: f64) -> Cow<'a, Model> {
        match self {
            Course::Constant => Cow::Borrowed(base),
            Course::Layers(layers) => {
                let last = layers.len().saturating_sub(1);
                layers
                    .get(usize::try_from(step).map_or(last, |step| step.min(last)))
                    .map_or(Cow::Borrowed(base), Cow::Borrowed)
            }
        }
    }
}
