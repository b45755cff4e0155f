//! The one font, carried inside the program, because a bare machine has none and a PNG must still have words.

use std::sync::LazyLock;

use plotters::style::{FontStyle, register_font};

/// The generic family that an SVG names; in a PNG it stands for the embedded subset of DejaVu Sans.
pub(super) const FAMILY: &str = "sans-serif";

static BYTES: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans-subset.ttf");
static REGISTERED: LazyLock<bool> = LazyLock::new(|| register_font(FAMILY, FontStyle::Normal, BYTES).is_ok());

/// Makes the font known to plotters, once for the whole process; false if the embedded bytes are no font.
pub(super) fn register() -> bool {
    *REGISTERED
}

#[cfg(test)]
mod tests {
    use super::*;
    use plotters::style::IntoFont;

    #[test]
    fn every_sign_that_pictures_use_has_a_glyph() {
        assert!(register());
        // A missing glyph is drawn as the box `.notdef`, whose width all missing signs share.
        let width = |sign: &str| (FAMILY, 1000).into_font().box_size(sign).map(|size| size.0);
        let missing = width("\u{4e00}").ok();
        for sign in "AZaz09βμδσΩ₀₁₂₃₉⁰¹²³⁹⁻→≤≥∑∞√⟨⟩‖−×·′%|".chars() {
            assert_ne!(width(&sign.to_string()).ok(), missing, "`{sign}` is not in the font");
        }
    }
}
