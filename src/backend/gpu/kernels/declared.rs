//! The table of all kernels: one declaration each.
//!
//! A kernel has a file of its own, named like its entry point, after the files that it shares. A constant, a file or a
//! block of parameters that does not exist is an error of the compiler; that the shader agrees with what is declared
//! here is tested by reflection.

use super::{
    files::{self, File},
    header,
    kernel::{
        Binding::{Read, ReadWrite},
        Declaration, Kernel,
        Workgroup::{Fixed, Tuned},
    },
    params::{self, Params},
    sizes::{EDGE, THREADS},
};

macro_rules! kernels {
    ($($kernel:ident = $name:literal {
        params: $params:ident,
        bindings: [$($binding:ident),*],
        files: [$($file:ident),*],
        workgroup: $workgroup:expr,
        constants: [$($constant:ident),*],
        $(extensions: $extensions:literal,)?
    })*) => {
        $(
            #[doc = concat!("The kernel of `shaders/", $name, ".wgsl`.")]
            pub struct $kernel;

            impl Kernel for $kernel {
                type Params = params::$params;
                const DECLARATION: Declaration = Declaration {
                    name: $name,
                    layout: params::$params::LAYOUT,
                    bindings: &[$($binding),*],
                    files: &[
                        $(files::$file,)*
                        File {
                            name: concat!($name, ".wgsl"),
                            text: include_str!(concat!("../../../../shaders/", $name, ".wgsl")),
                        },
                    ],
                    workgroup: $workgroup,
                    constants: &[$(header::$constant),*],
                    extensions: concat!($($extensions)?),
                };
            }
        )*

        /// All kernels.
        pub const ALL: &[Declaration] = &[$($kernel::DECLARATION),*];
    };
}

kernels! {
    ReduceNarrow = "reduce_narrow" {
        params: Reduce,
        bindings: [Read, Read, Read, ReadWrite],
        files: [GRID, PARTIAL, MASK, WINDOW, TILE, REDUCE],
        workgroup: Tuned,
        constants: [D, WIDTH, THREADS, QUERIES, TILE, CHUNK, TILES, MASKED_SCORE, FIXED_SHIFT, MASKED, CHOSEN],
    }
    ReduceWide = "reduce_wide" {
        params: Reduce,
        bindings: [Read, Read, Read, ReadWrite, Read],
        files: [GRID, PARTIAL, MASK, WINDOW, REDUCE, SPAN, SCORES, SUMS, VALUES, WEIGHTED],
        workgroup: Tuned,
        constants: [WIDTH, INNER, THREADS, TILE, CHUNK, WIDE_QUERIES, MASKED_SCORE, MASKED, CHOSEN],
    }
    ReduceHalf = "reduce_half" {
        params: Reduce,
        bindings: [Read, Read, Read, ReadWrite, Read],
        files: [GRID, PARTIAL, MASK, WINDOW, REDUCE, SPAN, HALF_OPERANDS, HALF_PRODUCTS, HALF_SUMS],
        workgroup: Tuned,
        constants: [WIDTH, INNER, THREADS, TILE, CHUNK, WIDE_QUERIES, MASKED_SCORE, MASKED, CHOSEN, MATRIX, LANES, PANEL, MATRICES],
        extensions: "enable f16;\nenable wgpu_cooperative_matrix;\n",
    }
    Hardmax = "hardmax" {
        params: Reduce,
        bindings: [Read, Read, Read, ReadWrite, Read, ReadWrite],
        files: [GRID, PARTIAL, MASK, WINDOW, REDUCE, SPAN, SCORES, SUMS, VALUES],
        workgroup: Tuned,
        constants: [WIDTH, INNER, THREADS, TILE, CHUNK, WIDE_QUERIES, MASKED_SCORE, TIE, MASKED, CHOSEN],
    }
    Pointwise = "pointwise" {
        params: Reduce,
        bindings: [Read, Read, Read, ReadWrite, Read],
        files: [GRID, PARTIAL, MASK, WINDOW, REDUCE, SPAN, SCORES, SUMS, VALUES],
        workgroup: Tuned,
        constants: [WIDTH, INNER, THREADS, TILE, CHUNK, WIDE_QUERIES, MASKED_SCORE, MASKED, CHOSEN],
    }
    HalfStep = "half_step" {
        params: Reduce,
        bindings: [Read, Read, Read, ReadWrite, Read],
        files: [GRID, PARTIAL, MASK, WINDOW, REDUCE, SPAN, SCORES, SUMS, WEIGHTED],
        workgroup: Tuned,
        constants: [WIDTH, INNER, THREADS, TILE, CHUNK, WIDE_QUERIES, MASKED_SCORE, MASKED, CHOSEN],
    }
    Potential = "potential" {
        params: Potential,
        bindings: [Read, Read, ReadWrite, ReadWrite],
        files: [GRID],
        workgroup: Fixed(THREADS),
        constants: [THREADS, MASKED_SCORE, SINKHORN_PHASE],
    }
    WriteOutput = "write_output" {
        params: WriteOutput,
        bindings: [Read, Read, ReadWrite, Read, Read],
        files: [GRID, PARTIAL, MASKED_ROWS],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, MASKED_SCORE],
    }
    ProjectNarrow = "project_narrow" {
        params: Project,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, MASKED_ROWS, ACTIVATION, PROJECT],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, INNER, THREADS, MASKED_SCORE, ACTIVATION],
    }
    ProjectWide = "project_wide" {
        params: Project,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, MASKED_ROWS, ACTIVATION, PROJECT],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, INNER, THREADS, PROJECT_VECTORS, PROJECT_ROWS, MASKED_SCORE, ACTIVATION],
    }
    Tangent = "tangent" {
        params: Tangent,
        bindings: [Read, ReadWrite],
        files: [GRID],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, FIELD_RULE],
    }
    NormalizeInputs = "normalize_inputs" {
        params: NormalizeInputs,
        bindings: [Read, ReadWrite],
        files: [GRID],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS],
    }
    Place = "place" {
        params: Place,
        bindings: [Read, ReadWrite],
        files: [GRID],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, TABLE_RULE],
    }
    Fluctuate = "fluctuate" {
        params: Fluctuate,
        bindings: [Read, ReadWrite],
        files: [GRID],
        workgroup: Fixed(THREADS),
        constants: [D, WIDTH, THREADS],
    }
    Turn = "turn" {
        params: Turn,
        bindings: [ReadWrite, Read],
        files: [GRID],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS],
    }
    Combine = "combine" {
        params: Combine,
        bindings: [ReadWrite, ReadWrite, Read, Read],
        files: [GRID],
        workgroup: Fixed(THREADS),
        constants: [D, WIDTH, THREADS, RETRACTION, DESTINATION],
    }
    Advance = "advance" {
        params: Advance,
        bindings: [ReadWrite, Read, Read, Read],
        files: [GRID, PARTIAL, MASKED_ROWS, MASK, TILE],
        workgroup: Tuned,
        constants: [D, WIDTH, THREADS, QUERIES, TILE, TILES, STAGES, MASKED_SCORE, FIXED_SHIFT, GENERAL, MASKED, CHOSEN],
    }
    Mean = "mean" {
        params: Statistics,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, STATISTICS, FOLD],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, STATISTICS_ROWS],
    }
    Direction = "direction" {
        params: Statistics,
        bindings: [ReadWrite],
        files: [GRID, STATISTICS, FOLD],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, STATISTICS_ROWS],
    }
    Spread = "spread" {
        params: Statistics,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, STATISTICS, FOLD],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, STATISTICS_ROWS],
    }
    Energy = "energy" {
        params: Statistics,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, STATISTICS, SCALED_SUMS, FOLD],
        workgroup: Fixed(THREADS),
        constants: [THREADS, STATISTICS_ROWS, MASKED_SCORE],
    }
    Dissipation = "dissipation" {
        params: Statistics,
        bindings: [Read, Read, ReadWrite, Read],
        files: [GRID, STATISTICS, SCALED_SUMS, FOLD, LENGTH],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, STATISTICS_ROWS, MASKED_SCORE],
    }
    NormMoments = "norm_moments" {
        params: Statistics,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, STATISTICS, SCALED_SUMS, FOLD, LENGTH],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, STATISTICS_ROWS, MASKED_SCORE],
    }
    Separation = "separation" {
        params: Statistics,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, STATISTICS, SCALED_SUMS, FOLD, LENGTH],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, STATISTICS_ROWS, MASKED_SCORE],
    }
    AttentionStatistics = "attention_statistics" {
        params: AttentionStatistics,
        bindings: [Read, Read, Read, Read, ReadWrite],
        files: [GRID, MASK, WINDOW, FOLD],
        workgroup: Fixed(THREADS),
        constants: [INNER, THREADS, CHUNK, MASKED_SCORE, MASKED, CHOSEN],
    }
    SecondMoment = "second_moment" {
        params: SecondMoment,
        bindings: [Read, Read, ReadWrite],
        files: [GRID],
        workgroup: Fixed(EDGE * EDGE),
        constants: [D, WIDTH, EDGE],
    }
    Reciprocal = "reciprocal" {
        params: Reciprocal,
        bindings: [Read, Read, ReadWrite, ReadWrite],
        files: [GRID],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS],
    }
    Overlaps = "overlaps" {
        params: Overlaps,
        bindings: [Read, Read, Read, Read, ReadWrite],
        files: [GRID],
        workgroup: Fixed(EDGE * EDGE),
        constants: [WIDTH, EDGE, OVERLAP_ROWS, OVERLAP_COLUMNS, OVERLAP_BINS],
    }
    ProjectSources = "project_sources" {
        params: ProjectSources,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, KEYS],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, PROJECTED_DIRECTIONS],
    }
    Sort = "sort" {
        params: Sort,
        bindings: [ReadWrite],
        files: [GRID, KEYS, BITONIC],
        workgroup: Fixed(EDGE * EDGE),
        constants: [THREADS, SORT_KEYS],
    }
    Exchange = "exchange" {
        params: Exchange,
        bindings: [ReadWrite],
        files: [GRID, BITONIC],
        workgroup: Fixed(THREADS),
        constants: [THREADS],
    }
    Transport = "transport" {
        params: Transport,
        bindings: [Read, Read, Read, ReadWrite],
        files: [GRID, KEYS, FOLD],
        workgroup: Fixed(THREADS),
        constants: [THREADS, STEPS],
    }
    MomentsCircle = "moments_circle" {
        params: Moments,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, MOMENTS],
        workgroup: Fixed(THREADS),
        constants: [THREADS, KEYS, HARMONICS],
    }
    MomentsSphere = "moments_sphere" {
        params: Moments,
        bindings: [Read, Read, ReadWrite, Read],
        files: [GRID, MOMENTS],
        workgroup: Fixed(THREADS),
        constants: [THREADS, KEYS, HARMONICS],
    }
    ModesCircle = "modes_circle" {
        params: Moments,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, MOMENTS, UNIT],
        workgroup: Fixed(THREADS),
        constants: [THREADS, KEYS, HARMONICS],
    }
    ModesSphere = "modes_sphere" {
        params: Moments,
        bindings: [Read, Read, ReadWrite, Read],
        files: [GRID, MOMENTS, UNIT],
        workgroup: Fixed(THREADS),
        constants: [THREADS, KEYS, HARMONICS],
    }
    Collect = "collect" {
        params: Collect,
        bindings: [Read, ReadWrite],
        files: [GRID],
        workgroup: Fixed(EDGE * EDGE),
        constants: [THREADS, EDGE],
    }
    CoefficientsCircle = "coefficients_circle" {
        params: Coefficients,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, COEFFICIENTS],
        workgroup: Fixed(THREADS),
        constants: [THREADS],
    }
    CoefficientsSphere = "coefficients_sphere" {
        params: Coefficients,
        bindings: [Read, Read, ReadWrite],
        files: [GRID, COEFFICIENTS],
        workgroup: Fixed(THREADS),
        constants: [THREADS],
    }
    SeriesCircle = "series_circle" {
        params: Series,
        bindings: [Read, Read, Read, ReadWrite, ReadWrite],
        files: [GRID, PARTIAL, SERIES],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, QUERIES_AT_ONCE, DEGREES, SEED, VARYING],
    }
    SeriesSphere = "series_sphere" {
        params: Series,
        bindings: [Read, Read, Read, ReadWrite, ReadWrite],
        files: [GRID, PARTIAL, SERIES],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS, QUERIES_AT_ONCE, DEGREES, SEED, VARYING],
    }
    Gather = "gather" {
        params: Gather,
        bindings: [Read, Read, ReadWrite],
        files: [GRID],
        workgroup: Fixed(THREADS),
        constants: [WIDTH, THREADS],
    }
}
