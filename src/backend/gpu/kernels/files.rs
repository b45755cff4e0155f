//! The files of the folder `shaders` that kernels share, as text; the file of a kernel alone is named by its declaration.

/// One file of the folder `shaders`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name in the folder.
    pub name: &'static str,
    /// All of it.
    pub text: &'static str,
}

macro_rules! files {
    ($($constant:ident = $name:literal;)*) => { $(
        #[doc = concat!("`shaders/", $name, "`.")]
        pub const $constant: File = File {
            name: $name,
            text: include_str!(concat!("../../../../shaders/", $name)),
        };
    )* };
}

files! {
    GRID = "grid.wgsl";
    PARTIAL = "partial.wgsl";
    MASKED_ROWS = "masked_rows.wgsl";
    MASK = "mask.wgsl";
    WINDOW = "window.wgsl";
    TILE = "tile.wgsl";
    REDUCE = "reduce.wgsl";
    SPAN = "span.wgsl";
    SCORES = "scores.wgsl";
    SUMS = "sums.wgsl";
    VALUES = "values.wgsl";
    WEIGHTED = "weighted.wgsl";
    HALF_OPERANDS = "half_operands.wgsl";
    HALF_PRODUCTS = "half_products.wgsl";
    HALF_SUMS = "half_sums.wgsl";
    ACTIVATION = "activation.wgsl";
    PROJECT = "project.wgsl";
    STATISTICS = "statistics.wgsl";
    SCALED_SUMS = "scaled_sums.wgsl";
    FOLD = "fold.wgsl";
    LENGTH = "length.wgsl";
    KEYS = "keys.wgsl";
    BITONIC = "bitonic.wgsl";
    MOMENTS = "moments.wgsl";
    UNIT = "unit.wgsl";
    COEFFICIENTS = "coefficients.wgsl";
    SERIES = "series.wgsl";
}
