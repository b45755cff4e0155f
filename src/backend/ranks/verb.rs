//! What the first process asks of the others.

use serde::{Deserialize, Serialize};

use crate::{
    backend::{Point, Precision, SumsState},
    exchange::{Exchange, ExchangeError},
    model::Field,
};

/// A verb of a backend that all processes obey together.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Verb {
    Open(Precision),
    Evaluate {
        point: Point,
        field: Field,
        stage: usize,
    },
    /// Coefficients by their bits, which text keeps.
    Combine {
        coefficients: Vec<u64>,
        into: Point,
        field: Field,
    },
    Difference {
        coefficients: Vec<u64>,
    },
    Observe,
    ResumeSums(SumsState),
    Velocity {
        stage: usize,
    },
    Tokens {
        start: usize,
        end: usize,
    },
    Close,
    End,
}

/// Bytes of a message that has a length and, if that is small, the text of a verb; another one follows where it is not.
const LETTER: usize = 512;
/// Bytes of a length.
const LENGTH: usize = 8;

/// Numbers by their bits.
pub(super) fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

/// Numbers from their bits.
pub(super) fn numbers(bits: &[u64]) -> Vec<f64> {
    bits.iter().map(|bits| f64::from_bits(*bits)).collect()
}

impl Verb {
    /// Tells all other processes.
    pub(super) fn say(&self, exchange: &dyn Exchange) -> Result<(), ExchangeError> {
        let mut text = serde_json::to_vec(self).map_err(|error| ExchangeError::Failed(error.to_string()))?;
        let mut letter = [b' '; LETTER];
        letter[..LENGTH].copy_from_slice(&(text.len() as u64).to_le_bytes());
        if text.len() <= LETTER - LENGTH {
            letter[LENGTH..][..text.len()].copy_from_slice(&text);
            return exchange.broadcast(0, &mut letter);
        }
        exchange.broadcast(0, &mut letter)?;
        exchange.broadcast(0, &mut text)
    }

    /// Waits for what the first process says.
    pub(super) fn hear(exchange: &dyn Exchange) -> Result<Self, ExchangeError> {
        let (mut letter, mut length) = ([0; LETTER], [0; LENGTH]);
        exchange.broadcast(0, &mut letter)?;
        length.copy_from_slice(&letter[..LENGTH]);
        let mut text = vec![0; u64::from_le_bytes(length) as usize];
        match letter[LENGTH..].get(..text.len()) {
            Some(all) => text.copy_from_slice(all),
            None => exchange.broadcast(0, &mut text)?,
        }
        serde_json::from_slice(&text).map_err(|_| ExchangeError::Unlike)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::exchange::Threads;

    /// A short verb and one of so many stages that it needs a second message.
    #[test]
    fn verbs_are_heard_as_they_are_said() {
        for stages in [1, 2, 100] {
            let verb = || Verb::Difference { coefficients: bits(&vec![0.1; stages]) };
            let [first, second] = Threads::new(2).try_into().ok().expect("two");
            let heard = thread::scope(|scope| {
                let second = scope.spawn(move || Verb::hear(&second));
                verb().say(&first).expect("it is heard");
                second.join().expect("no panic")
            });
            assert_eq!(heard, Ok(verb()));
        }
    }

    #[test]
    fn coefficients_keep_their_bits() {
        let numbers_sent = [0.1, -1.0 / 3.0, f64::NAN, 5e-324, f64::INFINITY];
        let verb = Verb::Combine { coefficients: bits(&numbers_sent), into: Point::Stage, field: Field::Ambient };
        let text = serde_json::to_vec(&verb).expect("text");
        let read: Verb = serde_json::from_slice(&text).expect("a verb");
        assert_eq!(read, verb);
        let Verb::Combine { coefficients, .. } = read else { unreachable!("it is equal") };
        assert_eq!(bits(&numbers(&coefficients)), bits(&numbers_sent));
    }
}
