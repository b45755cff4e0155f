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

/// Where a text of the drawing starts, or has its middle.
pub fn place_of(svg: &str, text: &str) -> (f64, f64) {
    let mut texts = svg.split("<text ").skip(1).filter_map(|element| element.split_once('>'));
    let is_it = |(_, rest): &(&str, &str)| rest.split('<').next().is_some_and(|word| word.trim() == text);
    let (attributes, _) = texts.find(is_it).unwrap_or_else(|| panic!("no `{text}` in {:?}", words(svg)));
    let number = |name: &str| attribute(attributes, name).parse().expect("a number");
    (number("x"), number("y"))
}

/// Colour and corners of every line of the drawing that has two ends.
pub fn strokes(svg: &str) -> Vec<(&str, [(f64, f64); 2])> {
    let colours = elements(svg, "polyline").into_iter().map(|line| attribute(line, "stroke"));
    let ends = polylines(svg).into_iter().map(|line| <[(f64, f64); 2]>::try_from(line).ok());
    colours.zip(ends).filter_map(|(colour, ends)| Some((colour, ends?))).collect()
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

/// The pixels of a PNG, three bytes each, row by row.
pub struct Pixels {
    pub size: (u32, u32),
    bytes: Vec<u8>,
}

impl Pixels {
    pub fn read(path: &Path) -> Self {
        let file = std::fs::File::open(path).expect("a PNG");
        let mut reader = png::Decoder::new(file).read_info().expect("a header");
        assert_eq!(reader.info().color_type, png::ColorType::Rgb, "{path:?}");
        let mut bytes = vec![0; reader.output_buffer_size()];
        reader.next_frame(&mut bytes).expect("whole pixels");
        Self { size: reader.info().size(), bytes }
    }

    /// The colour at a place of the SVG, which has two units to a pixel.
    pub fn at(&self, x: f64, y: f64) -> [u8; 3] {
        let pixel = (y / 2.0) as usize * self.size.0 as usize + (x / 2.0) as usize;
        self.bytes[3 * pixel..3 * pixel + 3].try_into().expect("three bytes")
    }
}

/// The colour that an element is filled with.
pub fn fill(element: &str) -> [u8; 3] {
    let code = attribute(element, "fill").trim_start_matches('#');
    let part = |at: usize| u8::from_str_radix(&code[at..at + 2], 16).expect("two hexadecimal digits");
    [part(0), part(2), part(4)]
}
