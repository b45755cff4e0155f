//! Which functional of values over time.

/// What is taken of the values of a formula at the times of the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The value at the last of the times.
    Last,
    /// The largest value.
    Largest,
    /// The smallest value.
    Smallest,
    /// The integral over time, by trapezoids.
    Integral,
    /// The integral divided by the length of time; of one sample, its value.
    Mean,
    /// The slope against time, by least squares.
    Slope,
    /// The first time that a comparison holds, interpolated linearly between samples; not a number if it never does.
    FirstTime,
}

impl Kind {
    /// All of them, by their words in an experiment.
    pub const WORDS: [(&'static str, Kind); 7] = [
        ("last", Kind::Last),
        ("largest", Kind::Largest),
        ("smallest", Kind::Smallest),
        ("integral", Kind::Integral),
        ("mean", Kind::Mean),
        ("slope", Kind::Slope),
        ("first-time", Kind::FirstTime),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Kind::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}
