// The coefficients of the sphere, by the relations between associated Legendre functions (DLMF 14.10.3, 14.10.7). A
// workgroup owns an order of a replica.

// Where (l, m) stands among harmonics up to `degree`.
fn index(degree: u32, l: u32, m: u32) -> u32 {
    return m * (degree + 1u) - m * (m - 1u) / 2u + l - m;
}

// The moment of (l, m) of the replica that starts at `source`; zero where there is no such harmonic.
fn moment(source: u32, l: i32, m: i32) -> vec2<f32> {
    if (l < m) {
        return vec2<f32>(0.0);
    }
    return moments[source + index(params.source_degree, u32(l), u32(m))];
}

@compute @workgroup_size(THREADS)
fn coefficients_sphere(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let group = params.first_group + flat(workgroup, workgroups);
    if (group >= params.end_group) {
        return;
    }
    let replica = group / (params.degree + 1u);
    let m = group % (params.degree + 1u);
    let source = replica * params.harmonics;
    let pairs = (params.degree + 1u) * (params.degree + 2u) / 2u;
    let k = i32(m);
    for (var l = m + thread; l <= params.degree; l += THREADS) {
        let j = i32(l);
        let pair = index(params.degree, l, m);
        let factor = factors[pair];
        let here = moment(source, j, k);
        let axial = 0.5 * moment(source, j + 1, k) + factor.y * moment(source, j - 1, k);
        let up = moment(source, j + 1, k + 1) + factor.z * moment(source, j - 1, k + 1);
        var real = vec4<f32>(up, axial.x, here.x);
        var imaginary = vec4<f32>(0.0);
        if (m > 0u) {
            let down = factor.w * moment(source, j - 1, k - 1) - 0.25 * moment(source, j + 1, k - 1);
            let x = 0.5 * (up + down);
            let y = 0.5 * (down - up);
            real = vec4<f32>(x.x, -y.y, axial.x, here.x);
            imaginary = vec4<f32>(x.y, y.x, axial.y, here.y);
        }
        let at = 2u * (replica * pairs + pair);
        coefficients[at] = factor.x * real;
        coefficients[at + 1u] = factor.x * imaginary;
    }
}
