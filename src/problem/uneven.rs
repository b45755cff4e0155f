//! Steps of several lengths: short while much happens, long afterwards.

/// Steps of several lengths, the first from time zero on.
#[derive(Clone, Debug, PartialEq)]
pub struct Uneven {
    lengths: Vec<f64>,
    /// Where each of them ends.
    ends: Vec<f64>,
}

/// Steps of several lengths at most: each is kept.
pub const MOST: usize = 1 << 20;

/// How lengths grow: the k-th is min(first * factor^k, most), k = 0, 1, ..
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Greater than 0.
    pub first: f64,
    /// At least 1.
    pub factor: f64,
    /// At least `first`.
    pub most: f64,
}

impl Uneven {
    /// Steps of these lengths. They end at the sums, which are rounded to 15 digits: three steps of 0.1 end at 0.3.
    pub fn new(lengths: Vec<f64>) -> Self {
        let ends = lengths.iter().scan(0.0, |time, length| {
            *time += length;
            Some(format!("{:.14e}", *time).parse().unwrap_or(*time))
        });
        Self { ends: ends.collect(), lengths }
    }

    /// Without all steps after the first `steps`.
    pub(crate) fn truncate(&mut self, steps: usize) {
        self.lengths.truncate(steps);
        self.ends.truncate(steps);
    }

    /// Steps that grow, up to the last of these ascending times, and that end at each of them: a step that would go beyond one ends there,
    /// and the next is as long as it would have been. None where they are more than 2^20.
    pub fn growing(growth: Growth, marks: &[f64]) -> Option<Self> {
        let Growth { first, factor, most } = growth;
        let (mut uneven, mut time, mut length) = (Self { lengths: Vec::new(), ends: Vec::new() }, 0.0, first);
        for mark in marks {
            while time < *mark {
                if uneven.lengths.len() == MOST {
                    return None;
                }
                // What rounding leaves before a time is no step of its own.
                let is_last = length >= (mark - time) * (1.0 - 1e-9);
                let (taken, end) = if is_last { (mark - time, *mark) } else { (length, time + length) };
                uneven.lengths.push(taken);
                uneven.ends.push(end);
                time = end;
                length = (length * factor).min(most);
            }
        }
        Some(uneven)
    }

    /// The lengths, one a step.
    pub fn lengths(&self) -> &[f64] {
        &self.lengths
    }

    /// The layer-times at which they end.
    pub fn ends(&self) -> &[f64] {
        &self.ends
    }
}
