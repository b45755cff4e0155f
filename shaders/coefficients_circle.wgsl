// The coefficients of the circle: the moments of w_j cos theta_j and w_j sin theta_j are half sums and differences of the
// neighbours. A workgroup owns a replica.

@compute @workgroup_size(THREADS)
fn coefficients_circle(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) workgroups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let replica = params.first_group + flat(workgroup, workgroups);
    if (replica >= params.end_group) {
        return;
    }
    let source = replica * params.harmonics;
    for (var l = thread; l <= params.degree; l += THREADS) {
        let here = moments[source + l];
        let above = moments[source + l + 1u];
        // z^{-1} is the conjugate of z.
        var below = vec2<f32>(above.x, -above.y);
        if (l > 0u) {
            below = moments[source + l - 1u];
        }
        let sum = 0.5 * (above + below);
        let difference = 0.5 * (above - below);
        let factor = factors[l].x;
        let at = 2u * (replica * (params.degree + 1u) + l);
        coefficients[at] = factor * vec4<f32>(sum.x, difference.y, 0.0, here.x);
        coefficients[at + 1u] = factor * vec4<f32>(sum.y, -difference.x, 0.0, here.y);
    }
}
