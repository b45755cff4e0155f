//! When tokens are observed, what is measured, and the numbers that some quantities have.

use std::sync::LazyLock;

use serde::{Serialize, Serializer};

use super::{
    error::ExperimentError,
    section::{Entry, Section, Word},
};
use crate::observables::{Among, Parameter, Quantity, Range, TokensFormat, Value};

/// With the numbers that stand where none are typed.
pub(super) static WORDS: LazyLock<Vec<(&'static str, Quantity)>> =
    LazyLock::new(|| Quantity::ALL.iter().map(|quantity| (quantity.word(), *quantity)).collect());

/// The keys that are numbers of quantities, in the order in which they are written down.
static PARAMETERS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    let mut keys: Vec<Key> = Vec::new();
    for own in Quantity::ALL.iter().flat_map(Key::all) {
        match keys.iter_mut().find(|key| key.key == own.key) {
            Some(shared) => shared.words.extend(own.words),
            None => keys.push(own),
        }
    }
    keys
});

/// The keys of the table.
pub(super) static OBSERVE: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let parameters = PARAMETERS.iter().map(|parameter| parameter.key);
    ["every", "times", "log", "quantities", "tokens"].into_iter().chain(parameters).collect()
});

/// The keys of samples that lie evenly on a logarithmic axis.
pub(super) const LOG: &[&str] = &["from", "per-decade"];

/// The keys of tokens that are kept.
pub(super) const KEPT: &[&str] = &["every", "sample", "format"];

const FORMATS: &[(&str, TokensFormat)] = &[("npy", TokensFormat::Npy), ("zarr", TokensFormat::Zarr)];

/// Samples a decade at most.
const DENSEST: u64 = 1000;

/// A key that is a number of a quantity, or of several.
struct Key {
    key: &'static str,
    words: Vec<&'static str>,
    range: Range,
    /// The number that stands where none is typed.
    example: String,
}

impl Key {
    fn all(quantity: &Quantity) -> Vec<Key> {
        let (word, mut default) = (quantity.word(), *quantity);
        let key = |Parameter { key, range, value }: Parameter<'_>| {
            let example = match Number::of(&value) {
                Number::Decimal(number) => format!("{number:?}"),
                Number::Whole(number) => number.to_string(),
                Number::Word(word) => format!("{word:?}"),
            };
            Key { key, words: vec![word], range, example }
        };
        default.parameters().into_iter().map(key).collect()
    }

    /// Refuses the number where none of its quantities is measured.
    fn require_quantity(&self, section: &Section, measured: &[Word<Quantity>]) -> Result<(), ExperimentError> {
        if measured.iter().any(|quantity| self.words.contains(&quantity.text())) {
            return Ok(());
        }
        let quoted: Vec<String> = self.words.iter().map(|word| format!("\"{word}\"")).collect();
        let kind = match self.range {
            Range::Number { .. } | Range::Whole(_) => "a number",
            Range::Among => "a word",
        };
        let (problem, added) = match &quoted[..] {
            [word] => (format!("is {kind} of the quantity {word}, which is not measured"), word.clone()),
            words => {
                let problem = format!("is {kind} of {}, none of which is measured", words.join(" and "));
                (problem, format!("one of {}", words.join(", ")))
            }
        };
        section.forbid(&[self.key], &problem, &format!("add {added} to observe.quantities, or leave it out"))
    }

    fn read(&'static self, section: &Section) -> Result<Option<Number>, ExperimentError> {
        section.read(self.key, &self.example, |entry| match &self.range {
            Range::Number { words, holds } => entry.number(words, holds).map(Number::Decimal),
            Range::Whole(range) => entry.whole(range.clone()).map(Number::Whole),
            Range::Among => entry.word(Among::WORDS).map(|word| Number::Word(word.meaning.word())),
        })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct ObserveTyped {
    pub every: Option<f64>,
    pub times: Option<Vec<f64>>,
    pub log: Option<LogTyped>,
    pub quantities: Option<Vec<Word<Quantity>>>,
    pub tokens: Option<KeptTyped>,
    #[serde(flatten)]
    pub numbers: Numbers,
}

/// Which tokens are kept, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct KeptTyped {
    pub every: Option<f64>,
    pub sample: Option<u64>,
    pub format: Option<Word<TokensFormat>>,
}

/// Samples at from * 10^{k / per_decade}.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct LogTyped {
    pub from: f64,
    pub per_decade: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Number {
    Decimal(f64),
    Whole(u64),
    Word(&'static str),
}

impl Number {
    pub(super) fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Number(number) => Number::Decimal(**number),
            Value::Whole(number) => Number::Whole(**number as u64),
            Value::Whole32(number) => Number::Whole(u64::from(**number)),
            Value::Among(among) => Number::Word(among.word()),
        }
    }

    /// A number that was read in the range of this parameter.
    fn put(self, value: Value<'_>) {
        match (value, self) {
            (Value::Number(place), Number::Decimal(number)) => *place = number,
            (Value::Number(place), Number::Whole(number)) => *place = number as f64,
            (Value::Whole(place), Number::Whole(number)) => *place = number as usize,
            (Value::Whole32(place), Number::Whole(number)) => *place = number as u32,
            (Value::Among(place), Number::Word(word)) => {
                let found = Among::WORDS.iter().find(|(own, _)| *own == word);
                *place = found.map_or(*place, |(_, among)| *among);
            }
            (Value::Whole(_) | Value::Whole32(_), Number::Decimal(_) | Number::Word(_))
            | (Value::Number(_), Number::Word(_))
            | (Value::Among(_), Number::Decimal(_) | Number::Whole(_)) => unreachable!("it was read in its range"),
        }
    }
}

/// Numbers of quantities by their keys; those left out are as in the list of observables.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Numbers(Vec<(&'static str, Number)>);

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

pub(super) fn read(section: &Section) -> Result<ObserveTyped, ExperimentError> {
    let every =
        section.read("every", "0.5", |entry| entry.number("finite and greater than 0", |every| every > 0.0))?;
    let times = section.read("times", "[0.1, 1.0, 10.0]", times)?;
    let log = section.read("log", "{ from = 0.01, per-decade = 10 }", log)?;
    if every.is_some() {
        let remedy = "write one of observe.every, observe.times and observe.log";
        section.forbid(&["times", "log"], "stands beside observe.every", remedy)?;
    }
    if times.is_some() {
        section.forbid(&["log"], "stands beside observe.times", "write one of observe.times and observe.log")?;
    }
    let quantities = quantities(section)?;
    let measured = quantities.as_deref().unwrap_or_default();
    PARAMETERS.iter().try_for_each(|key| key.require_quantity(section, measured))?;
    let tokens = section.read("tokens", "{ every = 1.0, sample = 1000 }", kept)?;
    if !measured.iter().any(|quantity| matches!(quantity.meaning, Quantity::Tokens(_))) {
        let (problem, remedy) = (
            "is about the quantity \"tokens\", which is not kept",
            "add \"tokens\" to observe.quantities, or leave it out",
        );
        section.forbid(&["tokens"], problem, remedy)?;
    }
    Ok(ObserveTyped { every, times, log, quantities, tokens, numbers: Numbers::read(section)? })
}

fn kept(entry: &Entry) -> Result<KeptTyped, ExperimentError> {
    let section = entry.section(KEPT)?;
    Ok(KeptTyped {
        every: section
            .read("every", "1.0", |entry| entry.number("finite and greater than 0", |every| every > 0.0))?,
        sample: section.read("sample", "1000", |entry| entry.whole(1..=u64::from(u32::MAX)))?,
        format: section.read("format", "\"zarr\"", |entry| entry.word(FORMATS))?,
    })
}

/// Times in their order.
fn times(entry: &Entry) -> Result<Vec<f64>, ExperimentError> {
    let times = entry.numbers()?;
    match times.is_sorted_by(|a, b| a < b) && times.first().is_none_or(|first| *first >= 0.0) {
        true => Ok(times),
        false => Err(entry.error("must be times of at least 0, each later than the one before it")),
    }
}

fn log(entry: &Entry) -> Result<LogTyped, ExperimentError> {
    let section = entry.section(LOG)?;
    Ok(LogTyped {
        from: section.required("from", "0.01")?.number("finite and greater than 0", |from| from > 0.0)?,
        per_decade: section.required("per-decade", "10")?.whole(1..=DENSEST)?,
    })
}

fn quantities(section: &Section) -> Result<Option<Vec<Word<Quantity>>>, ExperimentError> {
    let Some(entry) = section.optional("quantities", "[\"moments\", \"energy\"]") else { return Ok(None) };
    let mut quantities: Vec<Word<Quantity>> = Vec::new();
    for element in entry.list("\"moments\"")? {
        let quantity = element.word(&WORDS)?;
        if quantities.contains(&quantity) {
            return Err(element.error_with("is listed twice", "write every quantity once"));
        }
        quantities.push(quantity);
    }
    Ok(Some(quantities))
}

impl Numbers {
    fn read(section: &Section) -> Result<Self, ExperimentError> {
        let mut numbers = Vec::new();
        for parameter in PARAMETERS.iter() {
            numbers.extend(parameter.read(section)?.map(|number| (parameter.key, number)));
        }
        Ok(Self(numbers))
    }

    /// All numbers of these quantities, each key once.
    pub(super) fn of(quantities: &[Quantity]) -> Self {
        let measured =
            |listed: &Quantity| quantities.iter().find(|quantity| quantity.word() == listed.word()).copied();
        let numbers = |mut quantity: Quantity| -> Vec<(&'static str, Number)> {
            let number = |parameter: Parameter<'_>| (parameter.key, Number::of(&parameter.value));
            quantity.parameters().into_iter().map(number).collect()
        };
        let mut all: Vec<(&'static str, Number)> = Vec::new();
        for (key, number) in Quantity::ALL.iter().filter_map(measured).flat_map(numbers) {
            if all.iter().all(|(listed, _)| *listed != key) {
                all.push((key, number));
            }
        }
        Self(all)
    }

    /// The quantity with the numbers that were typed.
    pub(super) fn apply(&self, mut quantity: Quantity, seed: u64) -> Quantity {
        for Parameter { key, value, .. } in quantity.parameters() {
            if let Some((_, number)) = self.0.iter().find(|(typed, _)| *typed == key) {
                number.put(value);
            }
        }
        if let Some(own) = quantity.seed() {
            *own = seed;
        }
        quantity
    }
}
