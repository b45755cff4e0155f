// From the moments of a replica to the coefficients of one head's M and Z: for every harmonic the factors of its real
// part in (M_x, M_y, M_z, Z), then those of its imaginary part. Harmonics times a coordinate are harmonics of the
// neighbouring degrees, so the moments of w_j x_j follow from those of w_j.

struct Coefficients {
    // Workgroups of this dispatch: [first_group, end_group) of all of them.
    first_group: u32,
    end_group: u32,
    // Of the expansion, and of the moments, which is one more at least.
    degree: u32,
    source_degree: u32,
    // Moments of one replica.
    harmonics: u32,
}

@group(0) @binding(0) var<uniform> params: Coefficients;
@group(0) @binding(1) var<storage, read> moments: array<vec2<f32>>;
// For every harmonic: what all its coefficients are multiplied by, then the factors of its neighbours.
@group(0) @binding(2) var<storage, read> factors: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> coefficients: array<vec4<f32>>;
