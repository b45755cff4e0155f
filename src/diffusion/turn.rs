//! The turn of a token that is as far as a Brownian motion on the sphere takes it.

/// x -> x cos(theta) + u sin(theta) with u = xi / r and r = |xi|, where xi is the tangential part of a standard normal vector, or of
/// a multiple of one, and
///
/// ```text
/// 1 - cos(theta) = share (1 - cos(rate r)),   so   sin(theta / 2) = sqrt(share) |sin(rate r / 2)|
/// ```
///
/// Since u is uniform and independent of r this is a step of a Markov chain that no rotation changes, whose eigenvalue on harmonics
/// of degree l is E P_l(cos(theta)). Rate and share give those of degree one and two the values of the heat kernel at time t (of the
/// generator Laplacian / 2):
///
/// ```text
/// E cos(theta) = e^{-(d-1) t / 2},   E cos^2(theta) = (1 + (d - 1) e^{-d t}) / d
/// ```
///
/// r^2 is chi-squared with d - 1 degrees of freedom, so that E cos(rate r) = 1F1((d - 1) / 2; 1/2; -rate^2 / 2). On the circle
/// share = 1 and rate = sqrt(t), and every degree is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Turn {
    /// The factor of r in the angle, see above.
    pub rate: f64,
    /// At most one, so that theta exists whatever r is.
    pub share: f64,
}

/// Below, share = 1 leaves the second degree right to rounding.
const SHORT: f64 = 1e-4;

impl Turn {
    /// For a time t with (d - 1) t at most one.
    pub(super) fn new(time: f64, dim: usize) -> Turn {
        let free = (dim - 1) as f64;
        if dim == 2 {
            return Turn { rate: time.sqrt(), share: 1.0 };
        }
        let first = -(-0.5 * free * time).exp_m1();
        if time * free < SHORT {
            let better = |square: f64| square + (first - moments(free, square).0) * 2.0 / free;
            return Turn { rate: (0..4).fold(time, |square, _| better(square)).sqrt(), share: 1.0 };
        }
        let ratio = second(free, time) / (first * first);
        let excess = |square: f64| {
            let (one, two) = moments(free, square);
            two / (one * one) - ratio
        };
        let square = root(excess, [0.8 * time, 1.02 * time]);
        Turn { rate: square.sqrt(), share: (first / moments(free, square).0).min(1.0) }
    }

    /// What is added to x: `-along` times x itself, and `across` times the tangential vector of length r.
    #[inline]
    pub fn moves(&self, r: f64) -> [f64; 2] {
        let sine = self.share.sqrt() * (0.5 * self.rate * r).sin().abs();
        let across = if r > 0.0 { 2.0 * sine * (1.0 - sine * sine).max(0.0).sqrt() / r } else { 0.0 };
        [2.0 * sine * sine, across]
    }
}

/// E (1 - cos) and E (1 - cos)^2 of rate r, by the series of 1F1 in rate^2 = `square`, whose first terms cancel by themselves.
fn moments(free: f64, square: f64) -> (f64, f64) {
    let (mut one, mut two) = (0.0, 0.0);
    let (mut term, mut power) = (1.0, 1.0);
    for k in 0..60 {
        let k = f64::from(k);
        term *= -(0.5 * free + k) / (0.5 + k) * 0.5 * square / (k + 1.0);
        power *= 4.0;
        one -= term;
        let share = (0.5 * power - 2.0) * term;
        two += share;
        if k > 0.0 && share.abs() <= 1e-18 * two {
            break;
        }
    }
    (one, two)
}

/// E (1 - cos(theta))^2 of the heat kernel, by its series in the time, from the second power on.
fn second(free: f64, time: f64) -> f64 {
    let (mut sum, mut heat, mut mean) = (0.0, free / (free + 1.0), 2.0);
    for k in 1..60 {
        let k = f64::from(k);
        heat *= -(free + 1.0) * time / k;
        mean *= -0.5 * free * time / k;
        if k > 1.0 {
            sum += heat - mean;
            if heat.abs() + mean.abs() <= 1e-18 * sum {
                break;
            }
        }
    }
    sum
}

/// The zero of a decreasing function, by false positions (the Illinois rule).
fn root(f: impl Fn(f64) -> f64, [mut low, mut high]: [f64; 2]) -> f64 {
    let (mut above, mut below) = (f(low), f(high));
    let mut side = 0;
    for _ in 0..60 {
        if high - low <= 1e-15 * high || above <= 0.0 || below >= 0.0 {
            break;
        }
        let middle = (low * below - high * above) / (below - above);
        let value = f(middle);
        if value > 0.0 {
            (low, above) = (middle, value);
            below *= if side == 1 { 0.5 } else { 1.0 };
            side = 1;
        } else {
            (high, below) = (middle, value);
            above *= if side == -1 { 0.5 } else { 1.0 };
            side = -1;
        }
        if value == 0.0 {
            return middle;
        }
    }
    if above <= 0.0 {
        low
    } else if below >= 0.0 || -below < above {
        high
    } else {
        low
    }
}
