// The activations of perceptrons; each takes zero to zero, so padding stays what it is.

fn activated(s: vec4<f32>, activation: u32) -> vec4<f32> {
    switch activation {
        case RELU: {
            return max(s, vec4<f32>(0.0));
        }
        case GELU: {
            return s * (0.5 + 0.5 * erf(0.70710678 * s));
        }
        case TANH: {
            // Beyond nine it is one; some drivers make it of exponentials that overflow.
            return tanh(clamp(s, vec4<f32>(-9.0), vec4<f32>(9.0)));
        }
        default: {
            return s;
        }
    }
}

// erf, to 4e-7: a rational function of x on [-4, 4], beyond which it is one (the coefficients are those of Eigen).
fn erf(s: vec4<f32>) -> vec4<f32> {
    let x = clamp(s, vec4<f32>(-4.0), vec4<f32>(4.0));
    let y = x * x;
    var p = vec4<f32>(-2.72614225801306e-10);
    p = p * y + 2.77068142495902e-08;
    p = p * y - 2.10102402082508e-06;
    p = p * y - 5.69250639462346e-05;
    p = p * y - 7.34990630326855e-04;
    p = p * y - 2.95459980854025e-03;
    p = p * y - 1.60960333262415e-02;
    var q = vec4<f32>(-1.45660718464996e-05);
    q = q * y - 2.13374055278905e-04;
    q = q * y - 1.68282697438203e-03;
    q = q * y - 7.37332916720468e-03;
    q = q * y - 1.42647390514189e-02;
    return x * p / q;
}
