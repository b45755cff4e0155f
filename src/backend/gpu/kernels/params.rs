//! The uniform structs that kernels read, one for each, with the same names and order as in the shaders.
//!
//! The two spellings are compared by a test that reflects the shaders, so a field that moves on one side is found
//! there.

use bytemuck::NoUninit;

use super::codes::{Activation, Destination, FieldRule, Retraction, SinkhornPhase, TableRule};

/// A uniform struct, as a shader declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The name of the struct.
    pub name: &'static str,
    /// Bytes.
    pub size: usize,
    /// Names and byte offsets, in order.
    pub fields: &'static [(&'static str, usize)],
}

/// A struct that goes into a uniform buffer.
pub trait Params: NoUninit {
    /// How Rust lays the struct out; a test compares it with the shader.
    const LAYOUT: Layout;
}

macro_rules! params {
    ($($name:ident { $($field:ident: $type:ty),* $(,)? })*) => { $(
        #[doc = concat!("The uniform struct `", stringify!($name), "` of the shaders.")]
        #[repr(C)]
        #[derive(Clone, Copy, Debug, NoUninit)]
        pub struct $name {
            $(#[doc = concat!("`", stringify!($field), "` in the shader.")] pub $field: $type),*
        }

        impl Params for $name {
            const LAYOUT: Layout = Layout {
                name: stringify!($name),
                size: size_of::<$name>(),
                fields: &[$((stringify!($field), std::mem::offset_of!($name, $field))),*],
            };
        }
    )* };
}

params! {
    Reduce {
        first_group: u32,
        end_group: u32,
        blocks: u32,
        slices: u32,
        queries: u32,
        rows: u32,
        sources: u32,
        key_rows: u32,
        slice_keys: u32,
        first_key: u32,
        end_key: u32,
        fresh: u32,
        scale: f32,
        shift: f32,
        reach: i32,
        ahead: i32,
        window: i32,
        others: u32,
        seeks: u32,
        residuals_at: u32,
        tolerance: f32,
        sigmoid: u32,
    }
    Potential {
        rows: u32,
        slices: u32,
        stride: u32,
        tokens: u32,
        sources: u32,
        phase: SinkhornPhase,
        last_at: u32,
        next_at: u32,
        worst_at: u32,
        tolerance: f32,
    }
    WriteOutput {
        rows: u32,
        slices: u32,
        first_row: u32,
        accumulate: u32,
        project: u32,
        softmax: u32,
        scale: f32,
        offset: f32,
        marked: u32,
        divided: u32,
        normalizer_tokens: u32,
        first_replica: u32,
    }
    Place { rows: u32, tokens: u32, first_replica: u32, rule: TableRule }
    Project {
        first_group: u32,
        end_group: u32,
        rows: u32,
        first_input: u32,
        first_output: u32,
        accumulate: u32,
        activation: Activation,
        marked: u32,
        matrices: u32,
        tokens: u32,
        first_replica: u32,
        reserved: u32,
    }
    Tangent { rows: u32, first_row: u32, rule: FieldRule, alpha: f32 }
    Combine {
        rows: u32,
        stages: u32,
        into: Destination,
        retraction: Retraction,
        at: u32,
        epsilon: f32,
        tokens: u32,
        frozen: u32,
        coefficients: [[f32; 4]; 2],
    }
    Fluctuate {
        rows: u32,
        first_row: u32,
        tokens: u32,
        first_token: u32,
        first_replica: u32,
        step: u32,
        key_0: u32,
        key_1: u32,
        purpose: u32,
        is_common: u32,
        intensity: f32,
    }
    Turn { rows: u32, tokens: u32, frozen: u32, half_rate: f32, root_share: f32 }
    NormalizeInputs { rows: u32, unit: u32 }
    Advance {
        first_group: u32,
        end_group: u32,
        replicas: u32,
        first_replica: u32,
        count: u32,
        sources: u32,
        steps: u32,
        heads: u32,
        softmax: u32,
        tangent: u32,
        reach: i32,
        peak: f32,
        rows: [[f32; 4]; 4],
    }
    Statistics {
        groups: u32,
        chunks: u32,
        rows: u32,
        first_chunk: u32,
        first_replica: u32,
        at: u32,
        directions_at: u32,
        slices: u32,
        segment_rows: u32,
        stride: u32,
        times_z: u32,
    }
    SecondMoment {
        first_group: u32,
        end_group: u32,
        chunks: u32,
        rows: u32,
        chunk_rows: u32,
        first_chunk: u32,
    }
    Reciprocal { rows: u32, tokens: u32, first_replica: u32, bins: u32 }
    Overlaps {
        first_group: u32,
        end_group: u32,
        blocks: u32,
        strips: u32,
        rows: u32,
        columns: u32,
        first_replica: u32,
        halved: u32,
        bins: u32,
    }
    AttentionStatistics {
        first_group: u32,
        end_group: u32,
        slices: u32,
        slice_keys: u32,
        sources: u32,
        key_rows: u32,
        queries: u32,
        at: u32,
        scale: f32,
        reach: i32,
        ahead: i32,
        window: i32,
        others: u32,
    }
    ProjectSources {
        first_group: u32,
        end_group: u32,
        blocks: u32,
        places: u32,
        sources: u32,
        tokens: u32,
        first_row: u32,
        first_list: u32,
        length: u32,
        first_place: u32,
        first_direction: u32,
        directions: u32,
    }
    Sort { first_group: u32, end_group: u32, keys: u32, length: u32, first: u32, last: u32 }
    Exchange { first_group: u32, end_group: u32, pairs: u32, length: u32, size: u32, stride: u32 }
    Transport {
        first_group: u32,
        end_group: u32,
        chunks: u32,
        tokens: u32,
        length: u32,
        numbers: u32,
        directions: u32,
    }
    Moments {
        first_group: u32,
        end_group: u32,
        spans: u32,
        sums: u32,
        first_sum: u32,
        first_replica: u32,
        tokens: u32,
        sources: u32,
        span_keys: u32,
        harmonics: u32,
    }
    Collect { first_group: u32, end_group: u32, sums: u32, harmonics: u32 }
    Coefficients { first_group: u32, end_group: u32, degree: u32, source_degree: u32, harmonics: u32 }
    Series {
        first_group: u32,
        end_group: u32,
        blocks: u32,
        queries: u32,
        first_replica: u32,
        degree: u32,
        harmonics: u32,
        steps: u32,
        sign: f32,
        shift: f32,
        unit: f32,
        least: f32,
    }
    Gather { rows: u32, each: u32, tokens: u32, first_token: u32, first_draw: u32 }
}
