//! The definitions of all observables against each other, the files that they stand in, and the page that documents them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::super::{Among, Need, Parameter, Quantity, Range, Value, columns};

const PAGE: &str = include_str!("../../../assets/reference.toml");

/// The words of one paragraph about quantities on the page, and what it says of them in one line.
fn paragraphs() -> Vec<(Vec<&'static str>, String)> {
    let (_, list) =
        PAGE.split_once("# The columns of samples.csv; each quantity once, in any order:\n").expect("a list");
    let mut paragraphs: Vec<(Vec<&str>, String)> = Vec::new();
    for line in list.lines().map_while(|line| line.strip_prefix("#   ")) {
        let text = match line.split_once(':').filter(|(words, _)| words.starts_with('"')) {
            Some((words, text)) => {
                let words = words.split(", ").map(|word| word.trim_matches('"')).collect();
                paragraphs.push((words, String::new()));
                text
            }
            None => line,
        };
        let (_, paragraph) = paragraphs.last_mut().expect("a paragraph");
        paragraph.extend([" ", text.trim()]);
    }
    paragraphs.into_iter().map(|(words, text)| (words, text.trim().trim_end_matches([';', '.']).to_owned())).collect()
}

#[test]
fn the_page_says_of_each_observable_what_its_definition_says() {
    let paragraphs = paragraphs();
    for quantity in Quantity::ALL {
        let word = quantity.word();
        let found: Vec<&String> =
            paragraphs.iter().filter(|(words, _)| words.contains(&word)).map(|(_, text)| text).collect();
        let [text] = found[..] else { panic!("{word} has {} paragraphs in assets/reference.toml", found.len()) };
        assert_eq!(text, quantity.observable().definition().documentation, "{word}");
        assert!(!text.is_empty(), "{word}");
    }
    let known: BTreeSet<&str> = Quantity::ALL.iter().map(Quantity::word).collect();
    for word in paragraphs.iter().flat_map(|(words, _)| words) {
        assert!(known.contains(word), "assets/reference.toml documents \"{word}\", which nobody measures");
    }
}

/// The file of an observable is called as its word, and every such file is listed.
#[test]
fn every_file_of_an_observable_is_listed() {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/observables");
    let files = fs::read_dir(room).expect("a room").map(|file| file.expect("a file").path());
    let defines = |path: &Path| {
        path.extension().is_some_and(|ending| ending == "rs")
            && fs::read_to_string(path).expect("a text").contains("\nimpl Observable for ")
    };
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let defined: BTreeSet<String> = files.filter(|path| defines(path)).map(|path| name(&path)).collect();
    let listed: BTreeSet<String> = Quantity::ALL.iter().map(|quantity| quantity.word().to_owned()).collect();
    assert_eq!(defined, listed);
    assert_eq!(listed.len(), Quantity::ALL.len(), "no word stands twice");
}

#[test]
fn no_column_has_two_meanings() {
    for dim in [2, 3, 40] {
        let names = columns(Quantity::ALL, dim);
        let distinct: BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{names:?}");
    }
    let fill_files = ["tokens", "attention_matrix"];
    for quantity in Quantity::ALL.iter().filter(|quantity| !fill_files.contains(&quantity.word())) {
        assert!(!columns(&[*quantity], 3).is_empty(), "{} has no column", quantity.word());
    }
}

/// "RANGE, default VALUE" of a number of an observable.
fn in_words(range: &Range, value: &Value) -> String {
    let range = match range {
        Range::Number { words, .. } => (*words).to_owned(),
        Range::Whole(range) => format!("from {} to {}", range.start(), range.end()),
        Range::Among => Among::WORDS.iter().map(|(word, _)| format!("{word:?}")).collect::<Vec<_>>().join(" or "),
    };
    let value = match value {
        Value::Number(number) => number.to_string(),
        Value::Whole(number) => number.to_string(),
        Value::Whole32(number) => number.to_string(),
        Value::Among(among) => format!("{:?}", among.word()),
    };
    format!("{range}, default {value}")
}

/// Observables may share a key, which then has one meaning: one range and one default.
#[test]
fn defaults_are_in_their_ranges_and_shared_keys_agree() {
    let mut keys = BTreeMap::from(["every", "quantities"].map(|key| (key, String::new())));
    for mut quantity in Quantity::ALL.iter().copied() {
        let word = quantity.word();
        for Parameter { key, range, value } in quantity.parameters() {
            let said = in_words(&range, &value);
            assert_eq!(keys.entry(key).or_insert_with(|| said.clone()), &said, "{key} of {word}");
            let holds = match (range, value) {
                (Range::Number { holds, .. }, Value::Number(number)) => holds(*number),
                (Range::Whole(range), Value::Whole(number)) => range.contains(&(*number as u64)),
                (Range::Whole(range), Value::Whole32(number)) => range.contains(&u64::from(*number)),
                (Range::Among, Value::Among(among)) => Among::WORDS.contains(&(among.word(), *among)),
                (range, value) => panic!("{key}: {range:?} is no range of {value:?}"),
            };
            assert!(holds, "the default of {key} is out of its range");
        }
    }
}

/// "KEY: RANGE, default VALUE" stands on the page for every number of an observable.
#[test]
fn the_page_says_of_each_number_what_its_definition_says() {
    let (_, numbers) = PAGE.split_once("# The numbers of quantities").expect("numbers");
    let (numbers, _) = numbers.split_once("# [reference]").expect("an end");
    let numbers = numbers.lines().map(|line| line.trim_start_matches(['#', ' '])).collect::<Vec<_>>().join(" ");
    for mut quantity in Quantity::ALL.iter().copied() {
        for Parameter { key, range, value } in quantity.parameters() {
            let sentence = format!(" {key}: {}", in_words(&range, &value));
            let is_said = [". ", ", "].iter().any(|end| numbers.contains(&format!("{sentence}{end}")));
            assert!(is_said, "assets/reference.toml does not say:{sentence}");
        }
    }
}

#[test]
fn what_reads_directions_or_compares_with_a_limit_reads_tokens() {
    for quantity in Quantity::ALL {
        let compares = quantity.needs(Need::Reference) && !quantity.word().starts_with("limit_");
        let reads = quantity.needs(Need::Directions) || compares;
        assert!(!reads || quantity.needs(Need::Tokens), "{}", quantity.word());
    }
}

/// The columns of limit_WORD are those of WORD, each with limit_ before it.
#[test]
fn the_limit_has_the_columns_of_what_is_measured() {
    let mut found = 0;
    for quantity in Quantity::ALL {
        let Some(word) = quantity.word().strip_prefix("limit_") else { continue };
        let measured = Quantity::ALL.iter().find(|quantity| quantity.word() == word).expect("a quantity");
        let expected: Vec<String> = columns(&[*measured], 3).iter().map(|name| format!("limit_{name}")).collect();
        assert_eq!(columns(&[*quantity], 3), expected);
        found += 1;
    }
    assert_eq!(found, 5);
}

#[test]
fn curves_are_of_columns_and_in_one_order() {
    let mut ranks = BTreeSet::new();
    for quantity in Quantity::ALL {
        let Some(curve) = &quantity.observable().definition().curve else { continue };
        assert!(columns(&[*quantity], 2).iter().any(|column| column == curve.column), "{}", curve.column);
        assert!(ranks.insert(curve.rank), "{} has the place of another", curve.column);
    }
    let count = ranks.len();
    assert!(ranks.into_iter().eq(0..count), "a rank is left out");
}
