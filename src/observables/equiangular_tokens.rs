//! Tokens of one length, any two of which have one overlap: what a row of their attention is, in closed form, however many they are.

/// `count` tokens x_i of the length |x_i| = `length`, with <theta_i, theta_j> = `overlap` for i != j and theta = x / |x|.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EquiangularTokens {
    /// Two or more.
    pub count: f64,
    /// rho, from -1 / (count - 1) to 1.
    pub overlap: f64,
    /// 1 - rho, with the digits that this loses near one.
    pub rest: f64,
    /// |x_i|.
    pub length: f64,
}

impl EquiangularTokens {
    /// ln (1/n) sum_j e^{kappa <theta_i, theta_j>} = ln((e^kappa + (n - 1) e^{kappa rho}) / n).
    pub fn log_mean(&self, kappa: f64) -> f64 {
        let (largest, log_sum) = self.shifted(kappa);
        largest + log_sum - self.count.ln()
    }

    /// Of a row of attention under scores kappa <theta_i, theta_j>: its entropy, its largest weight, and the difference of its two largest scores.
    pub fn row(&self, kappa: f64) -> [f64; 3] {
        let (_, log_sum) = self.shifted(kappa);
        let gap = kappa * self.rest;
        // -sum_j a_j ln a_j = ln Z - sum_j a_j s_j, Z and the scores s_j being shifted by the largest.
        let below = if gap >= 0.0 { (self.count - 1.0) * (-gap - log_sum).exp() } else { (gap - log_sum).exp() };
        let second = if gap >= 0.0 || self.count == 2.0 { gap.abs() } else { 0.0 };
        [log_sum + if below > 0.0 { below * gap.abs() } else { 0.0 }, (-log_sum).exp(), second]
    }

    /// The largest score, and the logarithm of the sum of e^{score - largest}.
    fn shifted(&self, kappa: f64) -> (f64, f64) {
        let others = self.count - 1.0;
        match kappa * self.rest {
            gap if gap >= 0.0 => (kappa, (others * (-gap).exp()).ln_1p()),
            gap => (kappa * self.overlap, (others + gap.exp()).ln()),
        }
    }
}
