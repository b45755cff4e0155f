//! Reads drawings back: just enough of SVG and PNG to see what was drawn where.

use std::path::Path;

/// The text of a drawing, after a check that its tags open and close in order.
pub fn svg(dir: &Path, name: &str) -> String {
    let text = std::fs::read_to_string(dir.join(format!("{name}.svg"))).expect("an SVG");
    let mut open: Vec<&str> = Vec::new();
    for tag in text.split('<').skip(1) {
        let tag = tag.split_once('>').unwrap_or_else(|| panic!("{name}: `<{tag}` does not end")).0;
        let word = tag.split([' ', '/']).find(|word| !word.is_empty()).expect("a tag has a name");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(word), "{name}: tags cross");
        } else if !tag.ends_with('/') {
            open.push(word);
        }
    }
    assert!(open.is_empty() && text.starts_with("<svg "), "{name}: {open:?} left open");
    text
}

/// The attributes of every element of a kind, as text.
pub fn elements<'a>(svg: &'a str, kind: &str) -> Vec<&'a str> {
    let start = format!("{kind} ");
    svg.split('<').filter_map(|tag| tag.strip_prefix(&start)).filter_map(|tag| tag.split('>').next()).collect()
}

pub fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let (_, rest) = element.split_once(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {element}"));
    rest.split('"').next().expect("split yields a first part")
}

/// The texts of a drawing.
pub fn words(svg: &str) -> Vec<String> {
    let texts = svg.split("<text ").skip(1).filter_map(|text| text.split_once('>')?.1.split('<').next());
    texts.map(|text| text.trim().to_string()).collect()
}

/// Centre and radius of every disc and circle.
pub fn circles(svg: &str) -> Vec<(f64, f64, f64)> {
    let number = |element: &str, name: &str| attribute(element, name).parse().expect("a number");
    elements(svg, "circle").iter().map(|c| (number(c, "cx"), number(c, "cy"), number(c, " r"))).collect()
}

/// The corners of every line of the drawing.
pub fn polylines(svg: &str) -> Vec<Vec<(f64, f64)>> {
    let corner = |pair: &str| {
        let (x, y) = pair.split_once(',').expect("a pair");
        (x.parse().expect("a number"), y.parse().expect("a number"))
    };
    elements(svg, "polyline")
        .iter()
        .map(|line| attribute(line, "points").split_whitespace().map(corner).collect())
        .collect()
}

/// Width and height of a PNG, after a check that it is whole and not blank.
pub fn png_size(path: &Path) -> (u32, u32) {
    let bytes = std::fs::read(path).expect("a PNG");
    assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n", "{path:?}");
    assert_eq!(bytes[bytes.len() - 8..bytes.len() - 4], *b"IEND", "{path:?} is cut short");
    // A blank sheet compresses to a few kilobytes; words and axes need several times that.
    assert!(bytes.len() > 20_000, "{path:?} holds {} bytes: blank?", bytes.len());
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
    (number(16), number(20))
}
