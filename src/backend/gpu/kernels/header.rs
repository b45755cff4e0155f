//! The constants that are written in front of a shader, each under the name that it has there.

use std::fmt::Write;

use super::{
    codes,
    constants::{Constants, Matrices, Shift, Visibility},
    sizes,
};
use crate::{harmonic, model};

/// A constant that a kernel may ask for.
#[derive(Clone, Copy)]
pub struct Constant {
    /// The name that shaders have for it.
    pub name: &'static str,
    value: Value,
}

/// What it is, given the constants of a kernel and the threads of its workgroup.
#[derive(Clone, Copy)]
enum Value {
    Count(fn(&Constants) -> u32),
    Threads,
    Lanes,
    Flag(fn(&Constants) -> bool),
    Real(f32),
    /// One constant for each variant of an enum.
    Codes(&'static [(&'static str, u32)]),
    /// The matrices that a subgroup multiplies, as left and right factor and as a sum.
    CooperativeMatrices,
}

macro_rules! constants {
    ($($name:ident: $value:expr;)*) => { $(
        #[doc = concat!("What shaders call `", stringify!($name), "`.")]
        pub const $name: Constant = Constant { name: stringify!($name), value: $value };
    )* };
}

use Value::{Codes, CooperativeMatrices, Count, Flag, Lanes, Real, Threads};

constants! {
    D: Count(|constants| constants.dim);
    WIDTH: Count(Constants::width);
    INNER: Count(|constants| constants.inner.div_ceil(4));
    THREADS: Threads;
    QUERIES: Count(|constants| constants.queries);
    TILE: Count(|constants| constants.tile);
    CHUNK: Count(|constants| constants.chunk);
    TILES: Count(|constants| constants.tiles);
    STAGES: Count(|constants| constants.stages);
    WIDE_QUERIES: Count(|_| sizes::WIDE_QUERIES);
    PROJECT_VECTORS: Count(|_| sizes::PROJECT_VECTORS);
    PROJECT_ROWS: Count(|_| sizes::PROJECT_ROWS);
    STATISTICS_ROWS: Count(|_| sizes::STATISTICS_ROWS);
    EDGE: Count(|_| sizes::EDGE);
    OVERLAP_ROWS: Count(|_| sizes::OVERLAP_ROWS);
    OVERLAP_COLUMNS: Count(|_| sizes::OVERLAP_COLUMNS);
    OVERLAP_BINS: Count(|_| sizes::OVERLAP_BINS);
    PROJECTED_DIRECTIONS: Count(|_| sizes::PROJECTED_DIRECTIONS);
    SORT_KEYS: Count(|_| sizes::SORT_KEYS);
    STEPS: Count(|_| sizes::TRANSPORT_STEPS);
    KEYS: Count(|_| sizes::MOMENT_KEYS);
    HARMONICS: Count(|_| sizes::HARMONICS);
    QUERIES_AT_ONCE: Count(|constants| constants.queries.min(sizes::SERIES_QUERIES));
    DEGREES: Count(|constants| constants.degrees.max(1));
    PANEL: Count(|_| sizes::PANEL);
    MATRIX: Count(|constants| constants.half.edge);
    LANES: Lanes;
    MATRICES: CooperativeMatrices;
    MASKED_SCORE: Real(sizes::MASKED_SCORE);
    TIE: Real(model::TIE as f32);
    SEED: Real(harmonic::SEED as f32);
    FIXED_SHIFT: Flag(|constants| constants.shift == Shift::Fixed);
    VARYING: Flag(|constants| constants.degrees > 0);
    GENERAL: Flag(|constants| constants.matrices == Matrices::General);
    MASKED: Flag(|constants| constants.visibility != Visibility::All);
    CHOSEN: Flag(|constants| constants.visibility == Visibility::Chosen);
    ACTIVATION: Codes(codes::Activation::CODES);
    FIELD_RULE: Codes(codes::FieldRule::CODES);
    RETRACTION: Codes(codes::Retraction::CODES);
    DESTINATION: Codes(codes::Destination::CODES);
    TABLE_RULE: Codes(codes::TableRule::CODES);
    SINKHORN_PHASE: Codes(codes::SinkhornPhase::CODES);
}

/// `declared` as WGSL, for a workgroup of so many threads.
pub(super) fn header(declared: &[Constant], constants: &Constants, threads: u32) -> String {
    let mut text = String::new();
    for constant in declared {
        constant.write(&mut text, constants, threads);
    }
    text
}

impl Constant {
    /// The names that the shader can use because of it.
    pub fn names(&self) -> Vec<&'static str> {
        match self.value {
            Codes(codes) => codes.iter().map(|(name, _)| *name).collect(),
            CooperativeMatrices => vec!["Left", "Right", "Sums"],
            _ => vec![self.name],
        }
    }

    fn write(&self, text: &mut String, constants: &Constants, threads: u32) {
        let name = self.name;
        let mut count = |name: &str, value: u32| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "const {name}: u32 = {value}u;");
        };
        match self.value {
            Count(value) => count(name, value(constants)),
            Threads => count(name, threads),
            Lanes => count(name, constants.half.lanes.min(threads)),
            Codes(codes) => codes.iter().for_each(|(name, value)| count(name, *value)),
            Flag(value) => {
                let _ = writeln!(text, "const {name}: bool = {};", value(constants));
            }
            Real(value) => {
                let _ = writeln!(text, "const {name}: f32 = {value:e};");
            }
            CooperativeMatrices => {
                let edge = constants.half.edge;
                for (name, scalar, role) in [("Left", "f16", "A"), ("Right", "f16", "B"), ("Sums", "f32", "C")] {
                    let _ = writeln!(text, "alias {name} = coop_mat{edge}x{edge}<{scalar}, {role}>;");
                }
            }
        }
    }
}
