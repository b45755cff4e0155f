//! Layers that are given one by one.

/// The element of a step; the last one for all steps beyond.
pub(super) fn in_turn<T>(elements: &[T], step: u64) -> Option<&T> {
    let last = elements.len().checked_sub(1)?;
    elements.get(usize::try_from(step).map_or(last, |step| step.min(last)))
}
