//! Dotted keys in few words.

/// The last words of a dotted key: no more than tell it from the others, and a number only with the word that it belongs to.
pub(super) fn short<'a>(key: &'a str, others: &[&str]) -> &'a str {
    let begins = |start: &usize| *start == 0 || key[..*start].ends_with('.');
    let is_clear = |start: &usize| {
        let words = &key[*start..];
        let ends_so = |other: &&str| *other == words || other.ends_with(&format!(".{words}"));
        let is_number = words.starts_with(|sign: char| sign.is_ascii_digit());
        !is_number && !others.iter().any(|other| *other != key && ends_so(other))
    };
    let mut starts = key.char_indices().rev().map(|(start, _)| start).filter(begins);
    starts.find(is_clear).map_or(key, |start| &key[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_cut_as_short_as_they_can_be_told_apart() {
        let of = |key| short(key, &["tokens.count", "query-key.diagonal.0", "head.0.scale", "head.1.scale"]);
        assert_eq!(of("tokens.count"), "count");
        assert_eq!(of("query-key.diagonal.0"), "diagonal.0");
        assert_eq!([of("head.0.scale"), of("head.1.scale")], ["head.0.scale", "head.1.scale"]);
        assert_eq!(short("scale", &["head.scale"]), "scale");
    }
}
