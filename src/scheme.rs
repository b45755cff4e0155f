//! How time advances: explicit Runge-Kutta methods as tables of numbers, checked while the crate is compiled.
//!
//! A stage evaluates the velocity k_s at the point N(x + h sum_{r<s} a_sr k_r), and the step ends at
//! N(x + h sum_s b_s k_s), where N(y) = y / |y| is the retraction to the sphere. A scheme knows nothing of tokens.

use crate::model::Field;

/// An explicit Runge-Kutta method: `a` is strictly lower triangular, one row a stage.
#[derive(Debug, PartialEq)]
pub struct Tableau {
    /// k_s is evaluated at x + h sum_r a_sr k_r, r < s.
    pub a: &'static [&'static [f64]],
    /// The step is x <- N(x + h sum_s b_s k_s).
    pub b: &'static [f64],
    /// e = b - b' with the weights b' of a method that is embedded, one order lower, so that |h sum_s e_s k_s| estimates the error of a step.
    pub error: Option<&'static [f64]>,
    /// The order of convergence that the table promises.
    pub order: u32,
}

/// The schemes an experiment can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// x <- N(x + h v(x)): order 1.
    Euler,
    /// Explicit trapezoid: order 2.
    Heun,
    /// Order 3, with a method of order 2 for the error (Bogacki and Shampine, "A 3(2) pair of Runge-Kutta formulas", Applied Mathematics
    /// Letters 2, 1989).
    BogackiShampine,
    /// The classical four stages: order 4.
    Rk4,
    /// The Transformer layer itself: x <- N(x + h attention(x)), then x <- N(x + h perceptron(x)), unprojected: order 1.
    Layer,
}

impl Scheme {
    /// Its table.
    pub fn tableau(self) -> &'static Tableau {
        match self {
            Scheme::Euler | Scheme::Layer => &EULER,
            Scheme::Heun => &HEUN,
            Scheme::BogackiShampine => &BOGACKI_SHAMPINE,
            Scheme::Rk4 => &RK4,
        }
    }

    /// Whether it estimates the error of its steps.
    pub fn estimates_errors(self) -> bool {
        self.tableau().error.is_some()
    }

    /// Which field the stages evaluate.
    pub fn field(self) -> Field {
        match self {
            Scheme::Layer => Field::Ambient,
            Scheme::Euler | Scheme::Heun | Scheme::BogackiShampine | Scheme::Rk4 => Field::Tangent,
        }
    }
}

static EULER: Tableau = Tableau { a: &[&[]], b: &[1.0], error: None, order: 1 };
static HEUN: Tableau = Tableau { a: &[&[], &[1.0]], b: &[0.5, 0.5], error: Some(&[-0.5, 0.5]), order: 2 };
static BOGACKI_SHAMPINE: Tableau = Tableau {
    a: &[&[], &[0.5], &[0.0, 0.75], &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0]],
    b: &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0, 0.0],
    error: Some(&[-5.0 / 72.0, 1.0 / 12.0, 1.0 / 9.0, -0.125]),
    order: 3,
};
static RK4: Tableau = Tableau {
    a: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
    b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    error: None,
    order: 4,
};

const _: () = assert!(EULER.is_consistent() && HEUN.is_consistent() && RK4.is_consistent());
const _: () = assert!(BOGACKI_SHAMPINE.is_consistent());
const _: () = assert!(HEUN.is_embedded() && BOGACKI_SHAMPINE.is_embedded());

impl Tableau {
    /// Evaluations of the field in a step.
    pub fn stages(&self) -> usize {
        self.b.len()
    }

    /// Whether the table is explicit and satisfies every order condition up to its order (at most 4); see
    /// Hairer, Norsett, Wanner, "Solving Ordinary Differential Equations I", table II.2.2.
    const fn is_consistent(&self) -> bool {
        let stages = self.b.len();
        if self.a.len() != stages || self.order == 0 || self.order > 4 {
            return false;
        }
        let mut s = 0;
        while s < stages {
            if self.a[s].len() != s {
                return false;
            }
            s += 1;
        }
        // For each rooted tree with at most `order` nodes: sum_s b_s phi_s = 1 / gamma.
        let trees = [1, 1, 2, 4];
        let mut nodes = 1;
        while nodes <= self.order {
            let mut tree = 0;
            while tree < trees[nodes as usize - 1] {
                if !self.satisfies(nodes, tree) {
                    return false;
                }
                tree += 1;
            }
            nodes += 1;
        }
        true
    }

    /// Whether b - e is of the order below, at most 2, and of no higher one: sum_s e_s = 0, and sum_s e_s c_s = 0 at order 3 alone.
    const fn is_embedded(&self) -> bool {
        let Some(error) = self.error else { return false };
        let (mut sum, mut moment, mut square, mut s) = (0.0, 0.0, 0.0, 0);
        while s < error.len() {
            let c = self.node(s);
            (sum, moment, square) = (sum + error[s], moment + error[s] * c, square + error[s] * c * c);
            s += 1;
        }
        let is_sharp = match self.order {
            2 => moment.abs() > 1e-3,
            3 => moment.abs() < 1e-14 && square.abs() > 1e-3,
            _ => false,
        };
        error.len() == self.b.len() && sum.abs() < 1e-14 && is_sharp
    }

    /// Whether sum_s b_s phi_s = 1 / gamma for one rooted tree.
    const fn satisfies(&self, nodes: u32, tree: usize) -> bool {
        let mut sum = 0.0;
        let mut s = 0;
        while s < self.b.len() {
            sum += self.b[s] * self.elementary_weight(s, nodes, tree).0;
            s += 1;
        }
        let gamma = self.elementary_weight(0, nodes, tree).1;
        (sum * gamma - 1.0).abs() < 1e-14
    }

    /// (phi_s, gamma) of one rooted tree.
    const fn elementary_weight(&self, s: usize, nodes: u32, tree: usize) -> (f64, f64) {
        let c = self.node(s);
        match (nodes, tree) {
            (1, _) => (1.0, 1.0),
            (2, _) => (c, 2.0),
            (3, 0) => (c * c, 3.0),
            (3, _) => (self.row(s, 1), 6.0),
            (_, 0) => (c * c * c, 4.0),
            (_, 1) => (c * self.row(s, 1), 8.0),
            (_, 2) => (self.row(s, 2), 12.0),
            (_, _) => (self.row_of_rows(s), 24.0),
        }
    }

    /// c_s = sum_r a_sr, the fraction of the step at which stage `s` stands.
    pub const fn node(&self, s: usize) -> f64 {
        let mut c = 0.0;
        let mut r = 0;
        while r < s {
            c += self.a[s][r];
            r += 1;
        }
        c
    }

    /// sum_r a_sr c_r^power.
    const fn row(&self, s: usize, power: u32) -> f64 {
        let mut sum = 0.0;
        let mut r = 0;
        while r < s {
            let c = self.node(r);
            sum += self.a[s][r] * if power == 1 { c } else { c * c };
            r += 1;
        }
        sum
    }

    /// sum_r a_sr sum_q a_rq c_q.
    const fn row_of_rows(&self, s: usize) -> f64 {
        let mut sum = 0.0;
        let mut r = 0;
        while r < s {
            sum += self.a[s][r] * self.row(r, 1);
            r += 1;
        }
        sum
    }
}
