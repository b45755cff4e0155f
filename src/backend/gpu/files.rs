//! The files of the folder `shaders`, as text.

/// One file of the folder `shaders`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! files {
    ($($constant:ident = $name:literal;)*) => { $(
        pub(super) const $constant: File = File {
            name: $name,
            text: include_str!(concat!("../../../shaders/", $name)),
        };
    )* };
}

files! {
    GRID = "grid.wgsl";
    PARTIAL = "partial.wgsl";
    SILENCE = "silence.wgsl";
    MASK = "mask.wgsl";
    WINDOW = "window.wgsl";
    TILE = "tile.wgsl";
    REDUCE = "reduce.wgsl";
    REDUCE_NARROW = "reduce_narrow.wgsl";
    SPAN = "span.wgsl";
    SCORES = "scores.wgsl";
    SUMS = "sums.wgsl";
    VALUES = "values.wgsl";
    WEIGHTED = "weighted.wgsl";
    REDUCE_WIDE = "reduce_wide.wgsl";
    HALF_OPERANDS = "half_operands.wgsl";
    HALF_PRODUCTS = "half_products.wgsl";
    HALF_SUMS = "half_sums.wgsl";
    REDUCE_HALF = "reduce_half.wgsl";
    HARDMAX = "hardmax.wgsl";
    HALF_STEP = "half_step.wgsl";
    POTENTIAL = "potential.wgsl";
    SETTLE = "settle.wgsl";
    ACTIVATION = "activation.wgsl";
    PROJECT = "project.wgsl";
    PROJECT_NARROW = "project_narrow.wgsl";
    PROJECT_WIDE = "project_wide.wgsl";
    TANGENT = "tangent.wgsl";
    SEE = "see.wgsl";
    PLACE = "place.wgsl";
    FLUCTUATE = "fluctuate.wgsl";
    TURN = "turn.wgsl";
    COMBINE = "combine.wgsl";
    ADVANCE = "advance.wgsl";
    SURVEY = "survey.wgsl";
    MEAN = "mean.wgsl";
    DIRECTION = "direction.wgsl";
    SPREAD = "spread.wgsl";
    MERGE = "merge.wgsl";
    ENERGY = "energy.wgsl";
    LENGTH = "length.wgsl";
    NORM_MOMENTS = "norm_moments.wgsl";
    SEPARATION = "separation.wgsl";
    SHARPNESS = "sharpness.wgsl";
    DISSIPATION = "dissipation.wgsl";
    SECOND_MOMENT = "second_moment.wgsl";
    RECIPROCAL = "reciprocal.wgsl";
    OVERLAPS = "overlaps.wgsl";
    KEYS = "keys.wgsl";
    SHADOW = "shadow.wgsl";
    BITONIC = "bitonic.wgsl";
    SORT = "sort.wgsl";
    EXCHANGE = "exchange.wgsl";
    TRANSPORT = "transport.wgsl";
    MOMENTS = "moments.wgsl";
    MOMENTS_CIRCLE = "moments_circle.wgsl";
    MOMENTS_SPHERE = "moments_sphere.wgsl";
    UNIT = "unit.wgsl";
    MODES_CIRCLE = "modes_circle.wgsl";
    MODES_SPHERE = "modes_sphere.wgsl";
    COLLECT = "collect.wgsl";
    COEFFICIENTS = "coefficients.wgsl";
    COEFFICIENTS_CIRCLE = "coefficients_circle.wgsl";
    COEFFICIENTS_SPHERE = "coefficients_sphere.wgsl";
    SERIES = "series.wgsl";
    SERIES_CIRCLE = "series_circle.wgsl";
    SERIES_SPHERE = "series_sphere.wgsl";
    GATHER = "gather.wgsl";
}
