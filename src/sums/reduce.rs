//! The reduction, on the instructions and in the shape that suit its width: queries in registers, or in tiles with keys.

use super::{
    exp2::Exp2,
    instructions::{Instructions, Kernel},
    keys::Keys,
    real::Real,
    reduction::{Queries, Reduced, Reduction, Shift, Sums},
    registers, tiles,
};

/// Reduces `queries` over the keys that each of them sees, into `out`.
pub(crate) fn reduce<T: Real>(
    instructions: Instructions,
    queries: Queries<'_, T>,
    keys: Keys<'_, T>,
    shift: Shift,
    out: &mut Reduced,
) {
    let mut sums = Sums::default();
    add(instructions, queries, keys, shift, &mut sums);
    out.fill(keys.value_width(), &sums);
}

/// Adds `keys` to the sums of `queries` over other keys that came before.
pub(crate) fn add<T: Real>(
    instructions: Instructions,
    queries: Queries<'_, T>,
    keys: Keys<'_, T>,
    shift: Shift,
    sums: &mut Sums,
) {
    instructions.run(Reduction { queries, keys, shift, sums });
}

impl<T: Real> Kernel for Reduction<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) {
        // Sixteen registers hold less than what several queries need of them at once.
        let Queries { hidden, own, .. } = self.queries;
        let is_general = !hidden.is_empty() || own.is_some() || self.keys.values().is_some();
        match (S::REGISTER_COUNT, self.keys.width, self.shift) {
            (32.., 2, Shift::Constant(shift)) if !is_general => registers::reduce::<S, T, 2>(simd, self, shift),
            (32.., 3, Shift::Constant(shift)) if !is_general => registers::reduce::<S, T, 3>(simd, self, shift),
            (32.., 4, Shift::Constant(shift)) if !is_general => registers::reduce::<S, T, 4>(simd, self, shift),
            (32.., ..) => tiles::reduce::<S, T, 12>(simd, self),
            _ => tiles::reduce::<S, T, 6>(simd, self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::keys::Bias, *};
    use crate::{
        sums::columns::state,
        tokens::{Shape, Tokens, Weights},
    };

    /// On whatever instructions, also where `Reduction` would choose tiles.
    struct InRegisters<'a, T>(Reduction<'a, T>);

    impl<T: Real> Kernel for InRegisters<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<S: Exp2>(self, simd: S) {
            match (self.0.keys.width, self.0.shift) {
                (2, Shift::Constant(shift)) => registers::reduce::<S, T, 2>(simd, self.0, shift),
                (3, Shift::Constant(shift)) => registers::reduce::<S, T, 3>(simd, self.0, shift),
                asked => unreachable!("no test asks for {asked:?}"),
            }
        }
    }

    struct Tiled<'a, T>(Reduction<'a, T>);

    impl<T: Real> Kernel for Tiled<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<S: Exp2>(self, simd: S) {
            tiles::reduce::<S, T, 6>(simd, self.0);
        }
    }

    /// Large enough for several chunks and tiles, and odd.
    const COUNT: usize = 4999;

    /// Queries from all over the circle or the sphere, of which each sees one key more than the last.
    fn queries(width: usize, first: usize) -> (Vec<f64>, Vec<usize>) {
        let rows = (0..13).flat_map(|q| (0..width).map(move |c| 3.0 * (1.7 * q as f64 + 2.1 * c as f64).sin()));
        (rows.collect(), (first..first + 13).collect())
    }

    fn compare<T: Real>(width: usize, first: usize, shift: Shift, tolerance: f64) {
        let coordinates: Vec<f64> = (0..COUNT * width).map(|k| (0.37 * k as f64).sin()).collect();
        let shape = Shape { replicas: 1, count: COUNT, dim: width, passive: 0 };
        let tokens = Tokens { shape, coordinates, weights: Weights::Equal };
        let (state, bias) = (state::<T>(&tokens), Bias::new(shape, &tokens.weights));
        let keys = bias.keys(0, state.replica(0));
        let (exact, visible) = queries(width, first);
        let rows: Vec<T> = exact.iter().map(|u| T::from_f64(*u)).collect();
        for instructions in Instructions::available() {
            let queries = Queries { rows: &rows, visible: &visible, hidden: &[], own: None };
            let reduced = |run: &dyn Fn(Reduction<'_, T>)| {
                let (mut sums, mut reduced) = (Sums::default(), Reduced::default());
                run(Reduction { queries, keys, shift, sums: &mut sums });
                reduced.fill(width, &sums);
                reduced
            };
            let tiled = reduced(&|reduction| instructions.run(Tiled(reduction)));
            let mut all = vec![(tiled, "tiles")];
            if shift != Shift::RowMaximum {
                all.push((reduced(&|reduction| instructions.run(InRegisters(reduction))), "registers"));
            }
            for (found, name) in &all {
                for (q, seen) in visible.iter().enumerate() {
                    let u = &exact[q * width..][..width];
                    let mut sum = vec![0.0; width + 1];
                    for y in tokens.coordinates.chunks_exact(width).take(*seen) {
                        let weight = u.iter().zip(y).map(|(u, y)| u * y).sum::<f64>().exp2() / COUNT as f64;
                        sum[0] += weight;
                        sum[1..].iter_mut().zip(y).for_each(|(sum, y)| *sum += weight * y);
                    }
                    let place = format!("{name}, {}, {shift:?}, width {width}, query {q}", instructions.name());
                    let error = (found.log2_sum[q] - sum[0].log2()).abs();
                    assert!(error < tolerance, "{place}: log2 Z is off by {error:e}");
                    for c in 0..width {
                        let error = (found.barycentre[q * width + c] - sum[c + 1] / sum[0]).abs();
                        assert!(error < tolerance, "{place}: component {c} is off by {error:e}");
                    }
                }
            }
        }
    }

    #[test]
    fn registers_and_tiles_take_the_sums_that_are_meant() {
        for (width, first) in [(2, 2040), (3, 1), (3, COUNT - 12)] {
            for shift in [Shift::Constant(9.0), Shift::RowMaximum] {
                compare::<f32>(width, first, shift, 4e-6);
                compare::<f64>(width, first, shift, 1e-13);
            }
        }
    }
}
