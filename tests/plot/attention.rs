//! Matrices of attention: every weight is a cell at its row and column, in the colour of its place on the ramp.

use std::path::Path;

use ndarray::Array5;
use ndarray_npy::write_npy;
use tokenfield::plot::PlotError;

use crate::drawing::{Pixels, attribute, elements, fill, place_of, svg, words};
use crate::folder::{EXPERIMENT, circle, clustering, draw, folder};

/// Writes matrices of two samples, the first of which and all but those of replica 0 are of ones.
fn keep(dir: &Path, replicas: usize, heads: usize, count: usize, weight: impl Fn(usize, usize, usize) -> f64) {
    let last = |(sample, replica, head, i, j)| if (sample, replica) == (1, 0) { weight(head, i, j) } else { 1.0 };
    let array = Array5::from_shape_fn((2, replicas, heads, count, count), last);
    write_npy(dir.join("attention.npy"), &array).expect("attention.npy");
}

/// Places, sides and fills of the cells of all panels, in the order in which they are drawn.
fn cells(svg: &str, sides: std::ops::Range<f64>) -> Vec<([f64; 4], [u8; 3])> {
    let number = |rect: &str, name: &str| attribute(rect, name).parse::<f64>().expect("a number");
    let cell = |rect: &str| ["x", "y", "width", "height"].map(|name| number(rect, &format!(" {name}")));
    let filled = elements(svg, "rect").into_iter().filter(|rect| attribute(rect, "fill") != "none");
    let all = filled.map(|rect| (cell(&format!(" {rect}")), fill(rect)));
    all.filter(|(place, _)| sides.contains(&place[2]) && sides.contains(&place[3])).collect()
}

#[test]
fn every_weight_is_a_cell_at_its_row_and_column() {
    let dir = folder(EXPERIMENT, &clustering(2, 2), &[circle(3), circle(3)]);
    // Rows of a causal mask.
    let weights = [[1.0, 0.0, 0.0], [0.25, 0.75, 0.0], [0.5, 0.1, 0.4]];
    keep(dir.path(), 2, 1, 3, |_, i, j| weights[i][j]);
    let paths = draw(dir.path()).expect("a good run folder");
    assert!(paths.ends_with(&["attention.svg", "attention.png"].map(|name| dir.path().join(name))), "{paths:?}");
    let svg = svg(dir.path(), "attention");
    let found = cells(&svg, 300.0..600.0);
    assert_eq!(found.len(), 6, "what a mask hides is bare");
    let ([left, top, side, _], darkest) = found[0];
    assert_eq!(darkest, [0x1a, 0x1f, 0x5c], "the largest weight");
    let places = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)];
    for ((i, j), ([x, y, ..], _)) in places.into_iter().zip(&found) {
        let expected = [left + side * f64::from(j), top + side * f64::from(i)];
        assert!((x - expected[0]).abs() < 5.0 && (y - expected[1]).abs() < 5.0, "({i}, {j}) at {x}, {y}");
    }
    // The larger a weight, the darker: 1, 0.75, 0.5, 0.4, 0.25, 0.1.
    let sum = |index: usize| found[index].1.iter().map(|part| u32::from(*part)).sum::<u32>();
    let shades = [0, 2, 3, 5, 1, 4].map(sum);
    assert!(shades.is_sorted() && shades[0] < shades[5], "{shades:?}");
    let said = words(&svg);
    for text in ["token i", "source j", "attention, rows of sum 1", "0", "1.00", "2"] {
        assert!(said.contains(&text.to_owned()), "no `{text}` in {said:?}");
    }
    assert!(said.iter().any(|text| text.ends_with("replica 0 · t = 0.25")), "{said:?}");
    let png = Pixels::read(&dir.path().join("attention.png"));
    assert_eq!(png.at(left + side / 2.0, top + side / 2.0), darkest);
    assert_eq!(png.at(left + 2.5 * side, top + side / 2.0), [0xff; 3]);
}

#[test]
fn four_heads_have_panels_and_many_tokens_share_cells() {
    let dir = folder(EXPERIMENT, &clustering(1, 2), &[circle(3)]);
    // Blocks of two by two weights of head 0 have the mean 1/4 on the diagonal, and those of the others 1/2.
    keep(dir.path(), 1, 6, 200, |head, i, j| match head {
        0 => f64::from(i == j && i % 2 == 0),
        _ => f64::from(i == j),
    });
    draw(dir.path()).expect("a good run folder");
    let svg = svg(dir.path(), "attention");
    let found = cells(&svg, 4.0..12.0);
    assert_eq!(found.len(), 4 * 100);
    assert!(found[0].1 != found[100].1 && found[100].1 == [0x1a, 0x1f, 0x5c], "{found:?}");
    let said = words(&svg);
    assert!(said.iter().any(|text| text.ends_with("t = 0.25 · 4 of 6 heads · means of 2 × 2 weights")), "{said:?}");
    let heads: Vec<f64> = (0..4).map(|head| place_of(&svg, &format!("head {head}")).0).collect();
    assert!(heads.windows(2).all(|pair| pair[1] - pair[0] > 500.0), "{heads:?}");
    assert!(said.contains(&"199".into()) && said.contains(&"0.500".into()) && !said.contains(&"head 4".into()));
}

#[test]
fn a_file_of_other_matrices_is_refused() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(3)]);
    let refused = |problem: &str| {
        let error = draw(dir.path()).expect_err("a bad file");
        let message = error.to_string();
        assert!(matches!(error, PlotError::File { .. }) && message.contains("attention.npy"), "{error:?}");
        assert!(
            message.contains(problem) && message.contains("(samples, replicas, heads, rows, sources)"),
            "{message}"
        );
    };
    keep(dir.path(), 1, 1, 3, |_, _, _| 0.5);
    refused("it has 2 samples, and samples.csv has 3");
    write_npy(dir.path().join("attention.npy"), &Array5::<f64>::zeros((3, 1, 1, 3, 2))).expect("a file");
    refused("its shape is [3, 1, 1, 3, 2]");
    write_npy(dir.path().join("attention.npy"), &Array5::<i32>::zeros((3, 1, 1, 3, 3))).expect("a file");
    refused("descriptor");
}
