//! The shaders as text: which files make up each kernel, the constants written in front of them, and what they
//! declare.
//!
//! A shader is plain WGSL that a browser takes: a header of constants, shared files, and one file named like its
//! entry point. Nothing here needs a device, so a test can parse, validate and translate every kernel anywhere.

pub use super::{
    constants::{Constants, Half, Matrices, Shift, Sight},
    files::File,
    params::Layout,
    tune::{constants, small, wide},
};
use super::{
    constants::{header, matrices},
    files::*,
    params::{self, Params},
};

/// Threads of a workgroup at most, as browsers have them.
pub const MOST_THREADS: u32 = 256;
/// Bytes that they share at most, but in half precision.
pub const WORKGROUP_BYTES: u32 = 16384;

/// Tokens up to this width are reduced in registers, wider ones through blocked products.
pub const NARROW: usize = 16;
/// Threads of a workgroup in every kernel that has no reason for another number.
pub const THREADS: u32 = 64;
/// Tokens in one chunk of an observation.
pub const SURVEY_ROWS: u32 = 1024;
/// Entries along the edge of a square of the second moment.
pub const EDGE: u32 = 16;
/// Tokens whose overlaps with others one workgroup counts, with how many of them, and bins that fit its memory.
pub const OVERLAP_ROWS: u32 = 4 * EDGE;
pub const OVERLAP_COLUMNS: u32 = 16 * OVERLAP_ROWS;
pub const OVERLAP_BINS: u32 = 1000;
/// Directions that one thread of `shadow` serves: components of a vector.
pub const SHADOW_DIRECTIONS: u32 = 4;
/// Keys that one workgroup sorts in its memory: a power of two.
pub const SORT_KEYS: u32 = 2048;
/// Ends of masses that one thread of `transport` walks over.
pub const TRANSPORT_STEPS: u32 = 32;
/// Queries of one workgroup of `reduce_wide`.
pub const WIDE_QUERIES: u32 = 64;
/// Components of a query that `reduce_half` keeps at a time, and of keys and values that it has in workgroup memory.
pub const PANEL: u32 = 128;
/// Vectors of the output that one workgroup of `project_wide` owns, and rows.
pub const PROJECT_VECTORS: u32 = 8;
pub const PROJECT_ROWS: u32 = 32;
/// Tokens whose recurrences one thread carries for the moments, and harmonics that are summed at once.
pub const MOMENT_KEYS: u32 = 8;
pub const HARMONICS: u32 = 8;
/// Queries of one thread of a series at most: eight sums each and their recurrences are some twenty registers.
pub const SERIES_QUERIES: u32 = 4;
/// The log-weight of a token that must not be heard, and the shift of a sum without terms. It is finite because
/// infinity minus infinity is not a number.
pub const SILENT: f32 = -1e30;

/// What a kernel that multiplies matrices needs beyond the language of browsers.
const MULTIPLIES: &str = "enable f16;\nenable wgpu_cooperative_matrix;\n";

/// The kernels; each is an entry point and a file of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kernel {
    ReduceNarrow,
    ReduceWide,
    ReduceHalf,
    Hardmax,
    HalfStep,
    Potential,
    Settle,
    ProjectNarrow,
    ProjectWide,
    Tangent,
    See,
    Place,
    Fluctuate,
    Turn,
    Combine,
    Advance,
    Mean,
    Direction,
    Spread,
    Energy,
    Dissipation,
    NormMoments,
    Separation,
    Sharpness,
    SecondMoment,
    Reciprocal,
    Overlaps,
    Shadow,
    Sort,
    Exchange,
    Transport,
    MomentsCircle,
    MomentsSphere,
    ModesCircle,
    ModesSphere,
    Collect,
    CoefficientsCircle,
    CoefficientsSphere,
    SeriesCircle,
    SeriesSphere,
    Gather,
}

/// How a kernel uses one of its bindings; the index in the list is the binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    Uniform,
    Read,
    ReadWrite,
}

impl Kernel {
    pub const ALL: [Kernel; 41] = [
        Kernel::ReduceNarrow,
        Kernel::ReduceWide,
        Kernel::ReduceHalf,
        Kernel::Hardmax,
        Kernel::HalfStep,
        Kernel::Potential,
        Kernel::Settle,
        Kernel::ProjectNarrow,
        Kernel::ProjectWide,
        Kernel::Tangent,
        Kernel::See,
        Kernel::Place,
        Kernel::Fluctuate,
        Kernel::Turn,
        Kernel::Combine,
        Kernel::Advance,
        Kernel::Mean,
        Kernel::Direction,
        Kernel::Spread,
        Kernel::Energy,
        Kernel::Dissipation,
        Kernel::NormMoments,
        Kernel::Separation,
        Kernel::Sharpness,
        Kernel::SecondMoment,
        Kernel::Reciprocal,
        Kernel::Overlaps,
        Kernel::Shadow,
        Kernel::Sort,
        Kernel::Exchange,
        Kernel::Transport,
        Kernel::MomentsCircle,
        Kernel::MomentsSphere,
        Kernel::ModesCircle,
        Kernel::ModesSphere,
        Kernel::Collect,
        Kernel::CoefficientsCircle,
        Kernel::CoefficientsSphere,
        Kernel::SeriesCircle,
        Kernel::SeriesSphere,
        Kernel::Gather,
    ];

    /// The entry point, the file without its ending, and the label on the device.
    pub fn name(self) -> &'static str {
        match self {
            Kernel::ReduceNarrow => "reduce_narrow",
            Kernel::ReduceWide => "reduce_wide",
            Kernel::ReduceHalf => "reduce_half",
            Kernel::Hardmax => "hardmax",
            Kernel::HalfStep => "half_step",
            Kernel::Potential => "potential",
            Kernel::Settle => "settle",
            Kernel::ProjectNarrow => "project_narrow",
            Kernel::ProjectWide => "project_wide",
            Kernel::Tangent => "tangent",
            Kernel::See => "see",
            Kernel::Place => "place",
            Kernel::Fluctuate => "fluctuate",
            Kernel::Turn => "turn",
            Kernel::Combine => "combine",
            Kernel::Advance => "advance",
            Kernel::Mean => "mean",
            Kernel::Direction => "direction",
            Kernel::Spread => "spread",
            Kernel::Energy => "energy",
            Kernel::Dissipation => "dissipation",
            Kernel::NormMoments => "norm_moments",
            Kernel::Separation => "separation",
            Kernel::Sharpness => "sharpness",
            Kernel::SecondMoment => "second_moment",
            Kernel::Reciprocal => "reciprocal",
            Kernel::Overlaps => "overlaps",
            Kernel::Shadow => "shadow",
            Kernel::Sort => "sort",
            Kernel::Exchange => "exchange",
            Kernel::Transport => "transport",
            Kernel::MomentsCircle => "moments_circle",
            Kernel::MomentsSphere => "moments_sphere",
            Kernel::ModesCircle => "modes_circle",
            Kernel::ModesSphere => "modes_sphere",
            Kernel::Collect => "collect",
            Kernel::CoefficientsCircle => "coefficients_circle",
            Kernel::CoefficientsSphere => "coefficients_sphere",
            Kernel::SeriesCircle => "series_circle",
            Kernel::SeriesSphere => "series_sphere",
            Kernel::Gather => "gather",
        }
    }

    /// The files of the kernel, in the order in which they are concatenated.
    pub fn files(self) -> &'static [File] {
        match self {
            Kernel::ReduceNarrow => &[GRID, PARTIAL, MASK, WINDOW, TILE, REDUCE, REDUCE_NARROW],
            Kernel::ReduceWide => {
                &[GRID, PARTIAL, MASK, WINDOW, REDUCE, SPAN, SCORES, SUMS, VALUES, WEIGHTED, REDUCE_WIDE]
            }
            Kernel::ReduceHalf => {
                &[GRID, PARTIAL, MASK, WINDOW, REDUCE, SPAN, HALF_OPERANDS, HALF_PRODUCTS, HALF_SUMS, REDUCE_HALF]
            }
            Kernel::Hardmax => &[GRID, PARTIAL, MASK, WINDOW, REDUCE, SPAN, SCORES, SUMS, VALUES, HARDMAX],
            Kernel::HalfStep => &[GRID, PARTIAL, MASK, WINDOW, REDUCE, SPAN, SCORES, SUMS, WEIGHTED, HALF_STEP],
            Kernel::Potential => &[GRID, POTENTIAL],
            Kernel::Settle => &[GRID, PARTIAL, SILENCE, SETTLE],
            Kernel::ProjectNarrow => &[GRID, SILENCE, ACTIVATION, PROJECT, PROJECT_NARROW],
            Kernel::ProjectWide => &[GRID, SILENCE, ACTIVATION, PROJECT, PROJECT_WIDE],
            Kernel::Tangent => &[GRID, TANGENT],
            Kernel::See => &[GRID, SEE],
            Kernel::Place => &[GRID, PLACE],
            Kernel::Fluctuate => &[GRID, FLUCTUATE],
            Kernel::Turn => &[GRID, TURN],
            Kernel::Combine => &[GRID, COMBINE],
            Kernel::Advance => &[GRID, PARTIAL, SILENCE, MASK, TILE, ADVANCE],
            Kernel::Mean => &[GRID, SURVEY, MEAN],
            Kernel::Direction => &[GRID, SURVEY, DIRECTION],
            Kernel::Spread => &[GRID, SURVEY, SPREAD],
            Kernel::Energy => &[GRID, SURVEY, MERGE, ENERGY],
            Kernel::Dissipation => &[GRID, SURVEY, MERGE, LENGTH, DISSIPATION],
            Kernel::NormMoments => &[GRID, SURVEY, MERGE, LENGTH, NORM_MOMENTS],
            Kernel::Separation => &[GRID, SURVEY, MERGE, LENGTH, SEPARATION],
            Kernel::Sharpness => &[GRID, MASK, WINDOW, SHARPNESS],
            Kernel::SecondMoment => &[GRID, SECOND_MOMENT],
            Kernel::Reciprocal => &[GRID, RECIPROCAL],
            Kernel::Overlaps => &[GRID, OVERLAPS],
            Kernel::Shadow => &[GRID, KEYS, SHADOW],
            Kernel::Sort => &[GRID, KEYS, BITONIC, SORT],
            Kernel::Exchange => &[GRID, BITONIC, EXCHANGE],
            Kernel::Transport => &[GRID, KEYS, TRANSPORT],
            Kernel::MomentsCircle => &[GRID, MOMENTS, MOMENTS_CIRCLE],
            Kernel::MomentsSphere => &[GRID, MOMENTS, MOMENTS_SPHERE],
            Kernel::ModesCircle => &[GRID, MOMENTS, UNIT, MODES_CIRCLE],
            Kernel::ModesSphere => &[GRID, MOMENTS, UNIT, MODES_SPHERE],
            Kernel::Collect => &[GRID, COLLECT],
            Kernel::CoefficientsCircle => &[GRID, COEFFICIENTS, COEFFICIENTS_CIRCLE],
            Kernel::CoefficientsSphere => &[GRID, COEFFICIENTS, COEFFICIENTS_SPHERE],
            Kernel::SeriesCircle => &[GRID, PARTIAL, SERIES, SERIES_CIRCLE],
            Kernel::SeriesSphere => &[GRID, PARTIAL, SERIES, SERIES_SPHERE],
            Kernel::Gather => &[GRID, GATHER],
        }
    }

    /// The bindings of group zero.
    pub fn bindings(self) -> &'static [Binding] {
        use Binding::{Read, ReadWrite, Uniform};
        match self {
            Kernel::ReduceNarrow => &[Uniform, Read, Read, Read, ReadWrite],
            Kernel::ReduceWide | Kernel::ReduceHalf | Kernel::HalfStep => {
                &[Uniform, Read, Read, Read, ReadWrite, Read]
            }
            Kernel::Potential => &[Uniform, Read, Read, ReadWrite, ReadWrite],
            Kernel::Hardmax => &[Uniform, Read, Read, Read, ReadWrite, Read, ReadWrite],
            Kernel::Settle => &[Uniform, Read, Read, ReadWrite, Read, Read],
            Kernel::ProjectNarrow | Kernel::ProjectWide => &[Uniform, Read, Read, ReadWrite],
            Kernel::Tangent | Kernel::See | Kernel::Place | Kernel::Fluctuate => &[Uniform, Read, ReadWrite],
            Kernel::Turn => &[Uniform, ReadWrite, Read],
            Kernel::Combine => &[Uniform, ReadWrite, ReadWrite, Read, Read],
            Kernel::Advance => &[Uniform, ReadWrite, Read, Read, Read],
            Kernel::Direction => &[Uniform, ReadWrite],
            Kernel::Mean | Kernel::Spread | Kernel::Energy => &[Uniform, Read, Read, ReadWrite],
            Kernel::NormMoments | Kernel::Separation | Kernel::SecondMoment => &[Uniform, Read, Read, ReadWrite],
            Kernel::MomentsCircle | Kernel::ModesCircle | Kernel::Gather => &[Uniform, Read, Read, ReadWrite],
            Kernel::CoefficientsCircle | Kernel::CoefficientsSphere => &[Uniform, Read, Read, ReadWrite],
            Kernel::Dissipation => &[Uniform, Read, Read, ReadWrite, Read],
            Kernel::Reciprocal => &[Uniform, Read, Read, ReadWrite, ReadWrite],
            Kernel::Overlaps | Kernel::Sharpness => &[Uniform, Read, Read, Read, Read, ReadWrite],
            Kernel::Shadow => &[Uniform, Read, Read, ReadWrite],
            Kernel::Sort | Kernel::Exchange => &[Uniform, ReadWrite],
            Kernel::Transport => &[Uniform, Read, Read, Read, ReadWrite],
            Kernel::MomentsSphere | Kernel::ModesSphere => &[Uniform, Read, Read, ReadWrite, Read],
            Kernel::Collect => &[Uniform, Read, ReadWrite],
            Kernel::SeriesCircle | Kernel::SeriesSphere => &[Uniform, Read, Read, Read, ReadWrite, ReadWrite],
        }
    }

    /// Storage buffers that it binds.
    pub fn storage_buffers(self) -> u32 {
        self.bindings().iter().filter(|binding| **binding != Binding::Uniform).count() as u32
    }

    /// The uniform struct, as Rust lays it out.
    pub fn layout(self) -> Layout {
        match self {
            Kernel::ReduceNarrow | Kernel::ReduceWide | Kernel::ReduceHalf => params::Reduce::LAYOUT,
            Kernel::Hardmax | Kernel::HalfStep => params::Reduce::LAYOUT,
            Kernel::Potential => params::Potential::LAYOUT,
            Kernel::Settle => params::Settle::LAYOUT,
            Kernel::ProjectNarrow | Kernel::ProjectWide => params::Project::LAYOUT,
            Kernel::Tangent => params::Tangent::LAYOUT,
            Kernel::See => params::See::LAYOUT,
            Kernel::Place => params::Place::LAYOUT,
            Kernel::Fluctuate => params::Fluctuate::LAYOUT,
            Kernel::Turn => params::Turn::LAYOUT,
            Kernel::Combine => params::Combine::LAYOUT,
            Kernel::Advance => params::Advance::LAYOUT,
            Kernel::Mean | Kernel::Direction | Kernel::Spread => params::Survey::LAYOUT,
            Kernel::Energy | Kernel::Dissipation => params::Survey::LAYOUT,
            Kernel::NormMoments | Kernel::Separation => params::Survey::LAYOUT,
            Kernel::SecondMoment => params::SecondMoment::LAYOUT,
            Kernel::Reciprocal => params::Reciprocal::LAYOUT,
            Kernel::Overlaps => params::Overlaps::LAYOUT,
            Kernel::Sharpness => params::Sharpness::LAYOUT,
            Kernel::Shadow => params::Shadow::LAYOUT,
            Kernel::Sort => params::Sort::LAYOUT,
            Kernel::Exchange => params::Exchange::LAYOUT,
            Kernel::Transport => params::Transport::LAYOUT,
            Kernel::MomentsCircle | Kernel::MomentsSphere => params::Moments::LAYOUT,
            Kernel::ModesCircle | Kernel::ModesSphere => params::Moments::LAYOUT,
            Kernel::Collect => params::Collect::LAYOUT,
            Kernel::CoefficientsCircle | Kernel::CoefficientsSphere => params::Coefficients::LAYOUT,
            Kernel::SeriesCircle | Kernel::SeriesSphere => params::Series::LAYOUT,
            Kernel::Gather => params::Gather::LAYOUT,
        }
    }

    /// Threads of one workgroup.
    pub fn threads(self, constants: &Constants) -> u32 {
        match self {
            Kernel::ReduceNarrow | Kernel::ReduceWide | Kernel::ReduceHalf => constants.threads,
            Kernel::Hardmax | Kernel::HalfStep | Kernel::Advance => constants.threads,
            Kernel::SecondMoment | Kernel::Overlaps | Kernel::Collect | Kernel::Sort => EDGE * EDGE,
            _ => THREADS,
        }
    }

    /// The whole text of the kernel, compiled for `constants`.
    pub fn source(self, constants: &Constants) -> String {
        let threads = self.threads(constants);
        let mut text = header(constants, threads);
        if self == Kernel::ReduceHalf {
            text = [MULTIPLIES, &text, &matrices(constants.half, threads)].concat();
        }
        for file in self.files() {
            text.push('\n');
            text.push_str(file.text);
        }
        text
    }
}
