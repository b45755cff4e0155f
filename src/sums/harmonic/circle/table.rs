//! A smooth function on the circle as a table of polynomials, so that its value at a token costs the same whatever it
//! took to compute.
//!
//! Everything that the keys do to a token on the circle is a function of where it stands. Four charts cover the circle,
//! each parametrised by the coordinate that is the smaller there, s in [-sqrt(1/2), sqrt(1/2)]: no angles, no divisions.
//! Each is cut into equal cells, in which the function is the polynomial through its values at the P nearest of the
//! equidistant nodes (Lagrange), of error about |f^(P)| h^P / 2^P P!. What interpolation leaves is seen by leaving out
//! every other node; cells are halved until it is below the tolerance.

use rayon::prelude::*;

use super::super::super::{
    columns::{ColumnsMut, ColumnsRef},
    exp2::Exp2,
    instructions::Kernel,
    real::Real,
};
use crate::sums::Precision;

/// Half the length of a chart: a little more than sqrt(1/2).
const HALF: f64 = 0.7072;
const CHARTS: usize = 4;
/// Cells of a chart at least, and at most: then the table is no longer in the second-level cache.
const FEWEST: usize = 64;
const MOST: usize = 8192;
/// Nodes of a polynomial, in single and in double precision.
const SINGLE: usize = 4;
const DOUBLE: usize = 10;
/// How far below the tolerance the error of interpolation must be.
const MARGIN: f64 = 8.0;
/// Nodes that one task computes.
const TASK: usize = 128;
/// Tokens that are looked up together.
const GROUP: usize = 64;

/// A function on the circle with one or two components.
pub(crate) struct Table<T> {
    /// Of a chart.
    cells: usize,
    components: usize,
    /// Ordered (chart, cell, component, power); powers of the distance to the middle of the cell, in cells. No numbers
    /// where the function is not known well enough.
    coefficients: Vec<T>,
}

impl<T: Real> Table<T> {
    /// The table of `function`, which takes tokens (x, y), row-major, to `components` values each, or to NaN where it
    /// does not know. `scale` is the angle over which it varies, a first guess; `tolerance` is absolute for values up to
    /// one, and relative to the largest beyond. Each of the `refinements` halves the cells that it starts with: those at the ends of
    /// a chart have too few neighbours to be seen to be too wide.
    pub(crate) fn new(
        function: impl Fn(&[f64]) -> Vec<f64> + Sync,
        components: usize,
        scale: f64,
        tolerance: f64,
        refinements: u32,
    ) -> Self {
        let order = order::<T>();
        let basis = Basis::new(order);
        let guess = 1.2 / (scale * tolerance.powf(1.0 / order as f64));
        let mut cells = ((guess as usize).next_power_of_two().clamp(FEWEST, MOST) << refinements).min(MOST);
        loop {
            let nodes = tokens(cells, order);
            let values: Vec<Vec<f64>> = nodes.par_chunks(2 * TASK).map(&function).collect();
            let values = values.concat();
            let largest = values.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
            let allowed = tolerance * largest / MARGIN;
            let values = Values { values: &values, components, nodes: cells + order - 1 };
            let rough = |chart| basis.rough(&values, chart, allowed);
            let rough: Vec<Vec<bool>> = (0..CHARTS).map(rough).collect();
            if cells == MOST || !rough.iter().flatten().any(|rough| *rough) {
                return Self { cells, components, coefficients: basis.coefficients(&values, cells, &rough) };
            }
            cells *= 2;
        }
    }
}

fn order<T: Real>() -> usize {
    match T::PRECISION {
        Precision::Half | Precision::Single => SINGLE,
        Precision::Double => DOUBLE,
    }
}

/// The nodes of all charts, row-major (chart, node, component): from P/2 - 1 before the first cell on.
fn tokens(cells: usize, order: usize) -> Vec<f64> {
    let spacing = 2.0 * HALF / cells as f64;
    let mut tokens = Vec::with_capacity(2 * CHARTS * (cells + order));
    for chart in 0..CHARTS {
        for node in 0..cells + order - 1 {
            let small = (node as f64 - (order / 2 - 1) as f64) * spacing - HALF;
            let large = (1.0 - small * small).sqrt();
            tokens.extend(match chart {
                0 => [large, small],
                1 => [-large, small],
                2 => [small, large],
                _ => [small, -large],
            });
        }
    }
    tokens
}

/// The values of a function at the nodes.
struct Values<'a> {
    values: &'a [f64],
    components: usize,
    /// Of a chart.
    nodes: usize,
}

impl Values<'_> {
    fn at(&self, chart: usize, node: usize, component: usize) -> f64 {
        self.values[(chart * self.nodes + node) * self.components + component]
    }
}

/// The Lagrange polynomials through P equidistant nodes, in powers of the distance from their middle.
struct Basis {
    /// Ordered (node, power).
    polynomials: Vec<Vec<f64>>,
}

impl Basis {
    fn new(order: usize) -> Self {
        let place = |node: usize| node as f64 - (order - 1) as f64 / 2.0;
        let polynomial = |node: usize| {
            let mut powers = vec![1.0];
            for other in (0..order).filter(|other| *other != node) {
                let width = place(node) - place(other);
                let mut product = vec![0.0; powers.len() + 1];
                for (k, power) in powers.iter().enumerate() {
                    product[k] -= place(other) * power / width;
                    product[k + 1] += power / width;
                }
                powers = product;
            }
            powers
        };
        Self { polynomials: (0..order).map(polynomial).collect() }
    }

    /// For each node of a chart, whether every other node predicts it too badly for the interpolation between all of them
    /// to be within `allowed`.
    fn rough(&self, values: &Values<'_>, chart: usize, allowed: f64) -> Vec<bool> {
        let order = self.polynomials.len();
        let mut rough = vec![false; values.nodes];
        for middle in order - 1..values.nodes + 1 - order {
            for component in 0..values.components {
                let predicted: f64 = (self.polynomials.iter().enumerate())
                    .map(|(k, polynomial)| polynomial[0] * values.at(chart, middle + 2 * k + 1 - order, component))
                    .sum();
                let error = (predicted - values.at(chart, middle, component)).abs();
                rough[middle] |= error > allowed * (order as f64).exp2();
            }
        }
        rough
    }

    fn coefficients<T: Real>(&self, values: &Values<'_>, cells: usize, rough: &[Vec<bool>]) -> Vec<T> {
        let order = self.polynomials.len();
        let mut coefficients = Vec::with_capacity(CHARTS * cells * values.components * order);
        for chart in 0..CHARTS {
            for cell in 0..cells {
                let known = !rough[chart][cell..cell + order].iter().any(|rough| *rough);
                for component in 0..values.components {
                    for power in 0..order {
                        let nodes = self.polynomials.iter().enumerate();
                        let terms = nodes.map(|(k, node)| node[power] * values.at(chart, cell + k, component));
                        coefficients.push(T::from_f64(if known { terms.sum() } else { f64::NAN }));
                    }
                }
            }
        }
        coefficients
    }
}

/// Looks up every token of a run: a function of one component is one along the tangent (-y, x), of two, a vector.
/// Returns the tokens for which the table has no number.
pub(crate) struct Lookup<'a, 'b, T> {
    pub(crate) table: &'a Table<T>,
    pub(crate) tokens: ColumnsRef<'a, T>,
    pub(crate) velocity: &'a mut ColumnsMut<'b, T>,
}

impl<T: Real> Kernel for Lookup<'_, '_, T> {
    type Output = Vec<usize>;

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) -> Vec<usize> {
        match (T::PRECISION, self.table.components) {
            (Precision::Half | Precision::Single, 1) => self.look_up::<S, SINGLE, 1>(simd),
            (Precision::Half | Precision::Single, _) => self.look_up::<S, SINGLE, 2>(simd),
            (Precision::Double, 1) => self.look_up::<S, DOUBLE, 1>(simd),
            (Precision::Double, _) => self.look_up::<S, DOUBLE, 2>(simd),
        }
    }
}

/// Where tokens of a group stand in the table.
#[repr(align(64))]
struct Places<T> {
    /// The cells, in the low bits.
    cells: [T; GROUP],
    /// The distances from the middles of the cells, in cells.
    distances: [T; GROUP],
}

/// What was looked up for a group, component by component.
#[repr(align(64))]
struct Found<T, const C: usize>([[T; GROUP]; C]);

impl<T: Real> Lookup<'_, '_, T> {
    #[inline(always)]
    fn look_up<S: Exp2, const P: usize, const C: usize>(self, simd: S) -> Vec<usize> {
        let polynomials = self.table.coefficients.as_chunks::<P>().0.as_chunks::<C>().0;
        // A power of two: what is no number stands somewhere too.
        let within = polynomials.len() - 1;
        let mut places = Places { cells: [T::ZERO; GROUP], distances: [T::ZERO; GROUP] };
        let mut values = Found::<T, C>([[T::ZERO; GROUP]; C]);
        let values = &mut values.0;
        let mut missing = Vec::new();
        for start in (0..self.tokens.len()).step_by(GROUP) {
            let part = self.tokens.part(start, GROUP);
            let count = part.len();
            self.table.place(simd, part, &mut places);
            for i in 0..count {
                let distance = places.distances[i];
                let polynomials = &polynomials[places.cells[i].low_bits() & within];
                for (values, polynomial) in values.iter_mut().zip(polynomials) {
                    let mut value = polynomial[P - 1];
                    for k in (0..P - 1).rev() {
                        value = value.times_plus(distance, polynomial[k]);
                    }
                    values[i] = value;
                }
            }
            if is_unknown::<S, T>(simd, &values[0][..count]) {
                let unknown = values[0][..count].iter().enumerate().filter(|(_, value)| value.to_f64().is_nan());
                missing.extend(unknown.map(|(i, _)| start + i));
            }
            for component in 0..2 {
                let velocity = &mut self.velocity.column_mut(component)[start..start + count];
                match C {
                    1 => along_tangent::<S, T>(simd, &values[0][..count], part, component, velocity),
                    _ => velocity.copy_from_slice(&values[component][..count]),
                }
            }
        }
        missing
    }
}

/// Whether some value is no number.
#[inline(always)]
fn is_unknown<S: Exp2, T: Real>(simd: S, values: &[T]) -> bool {
    let zero = T::splat(simd, T::ZERO);
    let nothing = T::vectors::<S>(values).iter().fold(zero, |sum, value| T::mul_add(simd, zero, *value, sum));
    T::sum(simd, nothing).to_f64().is_nan()
}

impl<T: Real> Table<T> {
    /// Where tokens stand in the table, chart by chart.
    #[inline(always)]
    fn place<S: Exp2>(&self, simd: S, tokens: ColumnsRef<'_, T>, places: &mut Places<T>) {
        let splat = |value: f64| T::splat(simd, T::from_f64(value));
        let (zero, magic, density) = (splat(0.0), T::splat(simd, T::MAGIC), splat(self.cells as f64 / (2.0 * HALF)));
        // A place is rounded to the cell whose middle is nearest: middles are the whole numbers here.
        let centers: [_; CHARTS] = std::array::from_fn(|chart| splat((chart as f64 + 0.5) * self.cells as f64 - 0.5));
        let cells = T::vectors_mut::<S>(&mut places.cells[..tokens.len()]);
        let distances = T::vectors_mut::<S>(&mut places.distances[..tokens.len()]);
        let points = T::vectors::<S>(tokens.column(0)).iter().zip(T::vectors::<S>(tokens.column(1)));
        for (((x, y), cell), distance) in points.zip(cells).zip(distances) {
            let (x, y) = (*x, *y);
            let (long, high) = (T::max(simd, x, T::sub(simd, zero, x)), T::max(simd, y, T::sub(simd, zero, y)));
            let small = T::select_above(simd, long, high, y, x);
            let beside = T::select_above(simd, x, zero, centers[0], centers[1]);
            let above = T::select_above(simd, y, zero, centers[2], centers[3]);
            let place = T::mul_add(simd, small, density, T::select_above(simd, long, high, beside, above));
            *cell = T::add(simd, place, magic);
            *distance = T::sub(simd, place, T::sub(simd, *cell, magic));
        }
    }
}

/// One component of `values` times the tangent (-y, x).
#[inline(always)]
fn along_tangent<S: Exp2, T: Real>(
    simd: S,
    values: &[T],
    tokens: ColumnsRef<'_, T>,
    component: usize,
    velocity: &mut [T],
) {
    let sign = T::splat(simd, T::from_f64(if component == 0 { -1.0 } else { 1.0 }));
    let others = T::vectors::<S>(tokens.column(1 - component));
    let terms = T::vectors::<S>(values).iter().zip(others);
    for (v, (value, other)) in T::vectors_mut::<S>(velocity).iter_mut().zip(terms) {
        *v = T::mul(simd, T::mul(simd, sign, *value), *other);
    }
}
