//! Which functional of values over time.

/// What is taken of the values of a formula at the times of the samples, or of other results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// The value at the last of the times.
    Last,
    /// The value at the last of the times minus that at the first.
    Change,
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
    /// The value of a formula of results before it, of no samples.
    Of,
}

impl Kind {
    /// All of them, by their words in an experiment.
    pub const WORDS: [(&'static str, Kind); 9] = [
        ("last", Kind::Last),
        ("change", Kind::Change),
        ("largest", Kind::Largest),
        ("smallest", Kind::Smallest),
        ("integral", Kind::Integral),
        ("mean", Kind::Mean),
        ("slope", Kind::Slope),
        ("first-time", Kind::FirstTime),
        ("of", Kind::Of),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Kind::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}
