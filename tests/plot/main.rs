//! Pictures show the data: run folders whose tokens and samples are known are drawn, and the drawings are read back.

mod attention;
mod drawing;
mod flat;
mod folder;
mod over_time;
mod refusals;
mod series;
mod sweep;
mod tokens;

use std::path::Path;

use drawing::{Pixels, attribute, elements, svg, words};
use folder::{EXPERIMENT, circle, cloud, clustering, draw, folder, sphere};
use tempfile::TempDir;

const SERIES: [&str; 3] = ["mean_norm", "log_energy", "w2_dirac"];

/// Draws the folder and checks what holds for every picture: the files that were promised are there and whole,
/// nothing else is left behind, and each SVG carries the title.
fn draw_all(dir: &TempDir, names: &[&str]) {
    let before = listing(dir.path());
    let paths = draw(dir.path()).expect("a good run folder");
    let expected: Vec<_> =
        names.iter().flat_map(|name| [".svg", ".png"].map(|end| dir.path().join(format!("{name}{end}")))).collect();
    assert_eq!(paths, expected);
    assert_eq!(listing(dir.path()).len(), before.len() + expected.len(), "{:?}", listing(dir.path()));
    for name in names {
        let svg = svg(dir.path(), name);
        assert!(
            words(&svg).contains(&"knots &amp; &lt;gaps&gt;".to_string()),
            "{name}: no title in {:?}",
            words(&svg)
        );
        let png = Pixels::read(&dir.path().join(format!("{name}.png")));
        assert_eq!(png.size, (1600, 1000), "{name}");
        assert_eq!(png.at(4.0, 4.0), [255; 3], "{name}: the paper is white");
    }
}

fn listing(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The pictures of [`clustering`]; the numbered column is one of its own.
const ALL: [&str; 5] = ["mean_norm", "log_energy", "w2_dirac", "mean", "tokens"];

#[test]
fn every_dimension_and_number_of_replicas_is_drawn() {
    for replicas in [1, 3] {
        for tokens in [circle(7), sphere(50), cloud(5, 40), cloud(40, 5), vec![vec![1.0], vec![-1.0]]] {
            let dir = folder(EXPERIMENT, &clustering(replicas, 20), &vec![tokens; replicas]);
            draw_all(&dir, &ALL);
            for name in SERIES {
                let svg = svg(dir.path(), name);
                assert!(words(&svg).contains(&"layer-time t".into()), "{name}");
                assert_eq!(words(&svg).contains(&"mean of 3".into()), replicas == 3, "{name}: the legend");
            }
        }
    }
}

#[test]
fn labels_name_the_quantities() {
    let dir = folder(EXPERIMENT, &clustering(1, 20), &[cloud(5, 40)]);
    draw_all(&dir, &ALL);
    for (name, label) in SERIES.into_iter().zip(["|mean|", "ln E", "W₂(μ, δ), chordal"]) {
        assert!(words(&svg(dir.path(), name)).iter().any(|word| word.starts_with(label)), "{name}");
    }
    let tokens = words(&svg(dir.path(), "tokens"));
    for start in ["principal direction 1, ", "principal direction 2, "] {
        let label = tokens.iter().find(|word| word.starts_with(start)).expect("an axis label");
        assert!(label.ends_with(" % of the variance"), "{label}");
    }
    assert!(tokens.contains(&"n = 7 · d = 2 · β = 4 · heun · final tokens".into()), "{tokens:?}");
}

#[cfg(unix)]
#[test]
fn pictures_are_as_public_as_other_files() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(7)]);
    draw_all(&dir, &ALL);
    let mode = |name: &str| std::fs::metadata(dir.path().join(name)).expect("a file").permissions().mode();
    for name in ["tokens.svg", "tokens.png"] {
        assert_eq!(mode(name), mode("samples.csv"), "{name}");
    }
}

#[test]
fn what_a_process_left_that_was_killed_while_it_drew_goes() {
    let dir = folder(EXPERIMENT, &clustering(2, 5), &[sphere(8), sphere(8)]);
    let left = [".tokens-a1B2c3.svg", ".tokens-zzzzzz.png"];
    let others = [".tokens-notes.svg", ".views-a1B2c3.svg", "tokens-a1B2c3.svg"];
    left.iter().chain(&others).for_each(|name| std::fs::write(dir.path().join(name), "<svg").expect("a file"));
    draw(dir.path()).expect("pictures");
    let names = listing(dir.path());
    assert!(left.iter().all(|name| !names.iter().any(|there| there == name)), "{names:?}");
    assert!(others.iter().all(|name| names.iter().any(|there| there == name)), "{names:?}");
    assert!(!names.iter().any(|name| name == "tokenfield.lock"), "{names:?}");
}

#[test]
fn the_svg_is_shown_at_readme_size() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(7)]);
    draw_all(&dir, &ALL);
    let svg = svg(dir.path(), "tokens");
    let root = elements(&svg, "svg")[0];
    assert_eq!([attribute(root, "width"), attribute(root, "height")], ["800", "500"]);
    assert_eq!(attribute(root, "viewBox"), "0 0 3200 2000");
    assert!(elements(&svg, "text").iter().all(|text| attribute(text, "font-family") == "sans-serif"));
}
