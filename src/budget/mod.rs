//! Does it fit? The memory of a problem, added up before any of it is taken, and what the machine has left.
//!
//! A request may be larger than any machine by a slip of one digit, and an allocation that fails ends a process without a word.
//! So what is about to be allocated is written down as products of numbers that have keys, and compared with what is there:
//! products saturate, so that none overflows, and whoever is refused learns both numbers and which keys make the larger one.
//! Sums are those of the parts that live at the same time; they need not be exact, but must not be far below what will be taken.

#[cfg_attr(target_arch = "wasm32", path = "browser.rs")]
mod machine;
mod sizes;

use std::fmt;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::machine::room_on_disk;
pub(crate) use self::{
    machine::available,
    sizes::{COUNT, DOUBLE, Limit, Sizes, made},
};

/// What is less than this is there, or nothing would run at all; and asking the machine takes longer than to take it.
const NEGLIGIBLE: u128 = 16 << 20;

/// One thing that takes memory: a product of numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    what: &'static str,
    /// The numbers that are asked for, by their keys.
    factors: Vec<(&'static str, u128)>,
    bytes: u128,
}

impl Part {
    /// `each` bytes for every combination of the factors.
    pub(crate) fn new(what: &'static str, each: u128, factors: &[(&'static str, u128)]) -> Self {
        let bytes = factors.iter().fold(each, |bytes, (_, number)| bytes.saturating_mul(*number));
        Self { what, factors: factors.to_vec(), bytes }
    }

    /// What takes no more than what is there anyway.
    pub(crate) fn none() -> Self {
        Self::new("", 0, &[])
    }
}

/// What a request takes, part by part.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Needs {
    parts: Vec<Part>,
}

impl Needs {
    /// A part that lives beside all others.
    pub(crate) fn add(&mut self, what: &'static str, each: u128, factors: &[(&'static str, u128)]) {
        self.parts.push(Part::new(what, each, factors));
    }

    /// Of parts that live one after the other, the largest.
    fn add_largest(&mut self, parts: Vec<Part>) {
        self.parts.extend(parts.into_iter().max_by_key(|part| part.bytes));
    }

    pub(crate) fn bytes(&self) -> u128 {
        self.parts.iter().fold(0, |sum: u128, part| sum.saturating_add(part.bytes))
    }

    /// Refuses what is more than the machine has left.
    pub(crate) fn require(&self) -> Result<(), Shortage> {
        if self.bytes() <= NEGLIGIBLE { Ok(()) } else { self.require_of(available()) }
    }

    fn require_of(&self, available: u64) -> Result<(), Shortage> {
        let needed = self.bytes();
        let Some(largest) = self.parts.iter().max_by_key(|part| part.bytes) else { return Ok(()) };
        if needed <= u128::from(available) {
            return Ok(());
        }
        let mut keys: Vec<(&'static str, u128)> = Vec::new();
        for factor in &largest.factors {
            if factor.1 > 1 && !keys.contains(factor) {
                keys.push(*factor);
            }
        }
        // The largest number is the likeliest slip.
        keys.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
        Err(Shortage { what: largest.what, keys, largest: largest.bytes, needed, available })
    }
}

/// More memory than there is.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Shortage {
    /// What takes most of it.
    what: &'static str,
    /// The numbers of which that is a product, by their keys, the largest first.
    keys: Vec<(&'static str, u128)>,
    largest: u128,
    /// Bytes that all of it takes.
    pub needed: u128,
    /// Bytes that this process can still take.
    pub available: u64,
}

impl Shortage {
    /// The key of the largest number, and the number; none where no key has a say.
    pub(crate) fn blame(&self) -> Option<(&'static str, u128)> {
        self.keys.first().copied()
    }

    pub(crate) fn problem(&self) -> String {
        let Self { what, largest, needed, available, .. } = self;
        let most = if largest == needed { String::new() } else { format!(" ({} of it for {what})", Bytes(*largest)) };
        let of = if largest == needed { format!(" for {what}") } else { String::new() };
        format!("needs {} of memory{of}{most}, and {} are available", Bytes(*needed), Bytes((*available).into()))
    }

    pub(crate) fn remedy(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|(key, number)| format!("{key} = {number}")).collect();
        if keys.is_empty() { "ask for less".into() } else { format!("write less than {}", keys.join(" or ")) }
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}; {}", self.problem(), self.remedy())
    }
}

impl std::error::Error for Shortage {}

/// A number of bytes as people write it.
pub(crate) struct Bytes(pub u128);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];
        let power = (0..units.len()).rev().find(|power| self.0 >= 1000u128.pow(*power as u32)).unwrap_or(0);
        match self.0 as f64 / 1000f64.powi(power as i32) {
            _ if power == 0 => write!(f, "{} bytes", self.0),
            many if many >= 1e4 => write!(f, "{many:.1e} {}", units[power]),
            number => write!(f, "{number:.1} {}", units[power]),
        }
    }
}

#[cfg(test)]
mod tests;
