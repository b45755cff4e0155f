//! Pictures show the data: run folders whose tokens and samples are known are drawn, and the drawings are read back.

#[path = "plot/drawing.rs"]
mod drawing;
#[path = "plot/folder.rs"]
mod folder;

use std::path::Path;

use drawing::{Pixels, attribute, circles, elements, fill, polylines, svg, words};
use folder::{EXPERIMENT, circle, cloud, clustering, folder, knots, samples, sphere, unit, write_tokens};
use tempfile::TempDir;
use tokenfield::plot::{PlotError, draw};

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

const ALL: [&str; 4] = ["mean_norm", "log_energy", "w2_dirac", "tokens"];

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

#[test]
fn a_line_maps_its_samples_affinely() {
    let value = |_: usize, t: f64| (0.7 * t).sin() - 0.1 * t;
    let dir = folder(EXPERIMENT, &samples(1, 40, &[("log_energy", &value)]), &[circle(7)]);
    draw_all(&dir, &["log_energy", "tokens"]);
    let line = longest_line(&svg(dir.path(), "log_energy"));
    assert_eq!(line.len(), 40);
    let data: Vec<(f64, f64)> = (0..40).map(|k| (0.25 * f64::from(k), value(0, 0.25 * f64::from(k)))).collect();
    assert_affine(&data.iter().map(|d| d.0).collect::<Vec<_>>(), &line.iter().map(|p| p.0).collect::<Vec<_>>(), 1.0);
    assert_affine(&data.iter().map(|d| d.1).collect::<Vec<_>>(), &line.iter().map(|p| p.1).collect::<Vec<_>>(), -1.0);
}

fn longest_line(svg: &str) -> Vec<(f64, f64)> {
    polylines(svg).into_iter().max_by_key(Vec::len).expect("a line")
}

/// Checks that `drawn` = offset + scale * `data` up to the rounding to whole canvas units, with a scale of the sign
/// of `direction` that fills most of the plot.
fn assert_affine(data: &[f64], drawn: &[f64], direction: f64) {
    let extreme = |least: bool| {
        let order = |a: &usize, b: &usize| data[*a].total_cmp(&data[*b]);
        let found = if least { (0..data.len()).min_by(order) } else { (0..data.len()).max_by(order) };
        found.expect("data")
    };
    let (low, high) = (extreme(true), extreme(false));
    let scale = (drawn[high] - drawn[low]) / (data[high] - data[low]);
    assert!(scale * direction > 0.0, "the axis points the wrong way: {scale}");
    assert!((drawn[high] - drawn[low]).abs() > 800.0, "the line leaves the plot empty");
    for (index, (value, place)) in data.iter().zip(drawn).enumerate() {
        let expected = drawn[low] + scale * (value - data[low]);
        // Both ends of the fit and the point itself are rounded.
        assert!((place - expected).abs() <= 2.0, "sample {index}: {value} drawn at {place}, not {expected}");
    }
}

#[test]
fn replicas_have_a_line_each_and_their_mean() {
    let value = |replica: usize, t: f64| replica as f64 + t;
    let dir = folder(EXPERIMENT, &samples(3, 5, &[("mean_norm", &value)]), &[circle(7), circle(7), circle(7)]);
    draw_all(&dir, &["mean_norm", "tokens"]);
    let lines: Vec<_> = polylines(&svg(dir.path(), "mean_norm")).into_iter().filter(|line| line.len() == 5).collect();
    assert_eq!(lines.len(), 4);
    // The mean of replicas 0, 1 and 2 is replica 1, and it lies on top.
    assert_eq!(lines[3], lines[1]);
    assert!(lines[0][0].1 > lines[1][0].1 && lines[1][0].1 > lines[2][0].1, "larger values stand higher: {lines:?}");
}

#[test]
fn values_that_are_not_finite_leave_gaps() {
    let value = |_: usize, t: f64| match t {
        2.0 => f64::NAN,
        3.0 => f64::INFINITY,
        _ => t,
    };
    let dir = folder(EXPERIMENT, &samples(1, 20, &[("log_energy", &value)]), &[circle(7)]);
    draw_all(&dir, &["log_energy", "tokens"]);
    let lengths: Vec<usize> = polylines(&svg(dir.path(), "log_energy")).iter().map(Vec::len).collect();
    // Samples 8 and 12 of 20 are missing; the axes and lines of the frame have two ends each.
    assert!(lengths.ends_with(&[8, 3, 7]), "{lengths:?}");
    assert!(!svg(dir.path(), "log_energy").contains("NaN"));
}

#[test]
fn degenerate_series_are_drawn() {
    let nothing = |_: usize, _: f64| f64::NAN;
    let constant = |_: usize, _: f64| 1.0;
    let columns: [(&str, &dyn Fn(usize, f64) -> f64); 3] =
        [("mean_norm", &constant), ("log_energy", &nothing), ("w2_dirac", &|_, _| 0.0)];
    for (replicas, times) in [(1, 1), (3, 1), (1, 30)] {
        let dir = folder(EXPERIMENT, &samples(replicas, times, &columns), &vec![circle(7); replicas]);
        draw_all(&dir, &ALL);
        let drawn = svg(dir.path(), "mean_norm");
        if times == 1 {
            let dots = if replicas == 1 { 1 } else { replicas + 1 };
            assert_eq!(circles(&drawn).len(), dots, "single samples are dots");
        } else {
            let line = longest_line(&drawn);
            assert_eq!(line.len(), times);
            assert!(line.iter().all(|place| place.1 == line[0].1), "a constant is level");
        }
    }
}

/// Discs of tokens on the circle: those whose centres lie on the largest circle, in units of its radius.
fn on_the_circle(svg: &str) -> Vec<(f64, f64)> {
    let all = circles(svg);
    let rim = *all.iter().max_by(|a, b| a.2.total_cmp(&b.2)).expect("the circle itself");
    let placed = all.iter().map(|disc| ((disc.0 - rim.0) / rim.2, (rim.1 - disc.1) / rim.2));
    placed.filter(|place| (place.0.hypot(place.1) - 1.0).abs() < 0.01).collect()
}

#[test]
fn every_token_is_a_dot_at_its_place_on_the_circle() {
    for count in [1, 7, 50] {
        let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(count)]);
        draw_all(&dir, &ALL);
        let dots = on_the_circle(&svg(dir.path(), "tokens"));
        assert_eq!(dots.len(), count);
        for (dot, token) in dots.iter().zip(circle(count)) {
            // A canvas unit is 1/600 of the radius.
            assert!((dot.0 - token[0]).hypot(dot.1 - token[1]) < 3e-3, "{dot:?} is not {token:?}");
        }
    }
}

#[test]
fn every_token_is_a_dot_on_the_sphere_and_in_the_plane() {
    for (tokens, extra) in [(sphere(300), 4 + 1), (cloud(6, 200), 0)] {
        let dir = folder(EXPERIMENT, &clustering(1, 3), std::slice::from_ref(&tokens));
        draw_all(&dir, &ALL);
        // The sphere adds its disc, its veil, its outline and two legend entries.
        assert_eq!(circles(&svg(dir.path(), "tokens")).len(), tokens.len() + extra);
    }
}

#[test]
fn clusters_are_named_with_their_shares() {
    let spread = |count: usize| sphere(count);
    let mut tokens = knots(&[vec![1.0, 0.0, 0.0]], &spread(60), 0.004);
    tokens.extend(knots(&[unit(vec![0.3, 0.9, -0.2])], &spread(30), 0.004));
    tokens.extend(sphere(10));
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[tokens]);
    draw_all(&dir, &ALL);
    let shares: Vec<String> =
        words(&svg(dir.path(), "tokens")).into_iter().filter(|word| word.ends_with('%')).collect();
    assert_eq!(shares.len(), 2, "{shares:?}");
    assert!(shares.contains(&"60 %".into()) && shares.contains(&"30 %".into()), "{shares:?}");

    let dir = folder(EXPERIMENT, &clustering(1, 3), &[sphere(1000)]);
    draw_all(&dir, &ALL);
    assert!(
        !words(&svg(dir.path(), "tokens")).iter().any(|word| word.ends_with('%')),
        "an even sphere has no cluster"
    );
}

#[test]
fn tokens_that_are_not_drawn_are_mentioned() {
    let mut tokens = circle(7);
    tokens[2][1] = f64::NAN;
    let dir = folder(EXPERIMENT, &clustering(2, 3), &[tokens, circle(7)]);
    draw_all(&dir, &ALL);
    let svg = svg(dir.path(), "tokens");
    assert_eq!(on_the_circle(&svg).len(), 6);
    assert!(
        words(&svg).iter().any(|word| word.ends_with("final tokens of replica 0 · 1 not finite")),
        "{:?}",
        words(&svg)
    );

    let many = 40_000;
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[sphere(many)]);
    draw_all(&dir, &ALL);
    let svg = drawing::svg(dir.path(), "tokens");
    assert!(words(&svg).iter().any(|word| word.ends_with("1 in 3 drawn")), "{:?}", words(&svg));
    assert_eq!(circles(&svg).len(), many.div_ceil(3) + 5);
}

#[test]
fn a_diverged_run_and_tokens_off_the_sphere_are_drawn() {
    let lost = vec![vec![f64::NAN, f64::INFINITY]; 5];
    let wide: Vec<Vec<f64>> = circle(9).iter().map(|token| vec![5.0 * token[0], 2.0 * token[1]]).collect();
    let one_place = vec![vec![0.1, 0.2, 0.3]; 4];
    for tokens in [lost, wide, one_place] {
        draw_all(&folder(EXPERIMENT, &clustering(1, 3), &[tokens]), &ALL);
    }
}

#[test]
fn single_precision_tokens_and_a_bare_experiment_are_read() {
    let dir = folder("[tokens]\ninitial = { law = \"uniform\" }\n", &clustering(1, 3), &[circle(7)]);
    let tokens = ndarray::Array3::from_shape_fn((2, 7, 2), |(_, token, c)| circle(7)[token][c] as f32);
    ndarray_npy::write_npy(dir.path().join("tokens.npy"), &tokens).expect("tokens.npy");
    draw(dir.path()).expect("a run folder");
    let svg = svg(dir.path(), "tokens");
    assert_eq!(on_the_circle(&svg).len(), 7);
    let folder_name = dir.path().file_name().expect("a name").to_string_lossy().into_owned();
    assert!(words(&svg).contains(&folder_name), "an experiment without a name goes by its folder");
    assert!(words(&svg).contains(&"final tokens of replica 0".into()));
}

#[test]
fn drawing_again_replaces_the_pictures() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(7)]);
    draw_all(&dir, &ALL);
    write_tokens(dir.path(), &[circle(9)]);
    let before = listing(dir.path());
    draw(dir.path()).expect("a run folder");
    assert_eq!(listing(dir.path()), before);
    assert_eq!(on_the_circle(&svg(dir.path(), "tokens")).len(), 9);
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
fn both_files_show_the_same_dots() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(20)]);
    draw_all(&dir, &ALL);
    let svg = svg(dir.path(), "tokens");
    let png = Pixels::read(&dir.path().join("tokens.png"));
    let discs: Vec<&str> =
        elements(&svg, "circle").into_iter().filter(|disc| !disc.contains("fill=\"none\"")).collect();
    assert_eq!(discs.len(), 20);
    for disc in discs {
        let place = |name: &str| attribute(disc, name).parse::<f64>().expect("a number");
        let seen = png.at(place("cx"), place("cy"));
        // A dot of few tokens is 5 % transparent: 13 of 255.
        let close = seen.iter().zip(fill(disc)).all(|(&pixel, drawn)| pixel.abs_diff(drawn) <= 13);
        assert!(close, "{disc}: the PNG has {seen:?} there");
    }
}

#[test]
fn nearer_tokens_of_the_sphere_cover_farther_ones() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[sphere(300)]);
    draw_all(&dir, &ALL);
    let svg = svg(dir.path(), "tokens");
    let all = elements(&svg, "circle");
    let dot = attribute(all[1], " r");
    let mut dots: Vec<&str> = all.into_iter().filter(|disc| attribute(disc, " r") == dot).collect();
    // The last two belong to the legend.
    dots.truncate(300);
    // Colours darken towards the eye.
    let lightness: Vec<u32> = dots.iter().map(|disc| fill(disc).into_iter().map(u32::from).sum()).collect();
    assert!(lightness.is_sorted_by(|a, b| a >= b), "{lightness:?}");
    assert!(lightness[0] > lightness[299] + 200, "{lightness:?}");
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

/// Draws a folder that something is wrong with; checks that nothing is left behind, and returns the message.
fn refusal(dir: &TempDir) -> (PlotError, String) {
    let before = listing(dir.path());
    let error = draw(dir.path()).expect_err("a bad run folder");
    assert_eq!(listing(dir.path()), before, "a refusal leaves the folder as it was");
    let message = error.to_string();
    (error, message)
}

#[test]
fn a_missing_file_is_named() {
    for file in ["samples.csv", "tokens.npy", "experiment.toml"] {
        let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(7)]);
        std::fs::remove_file(dir.path().join(file)).expect("the file is there");
        let (error, message) = refusal(&dir);
        assert!(matches!(error, PlotError::Read { .. }), "{error:?}");
        assert!(message.contains(file) && message.contains("tokenfield run"), "{message}");
    }
    let error = draw(Path::new("/nowhere/at/all")).expect_err("no folder");
    assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
}

#[test]
fn bad_samples_are_located() {
    let good = clustering(2, 2);
    let cases = [
        ("", "no column `replica`"),
        ("replica,time,mean_norm\n", "no samples"),
        ("replica,mean_norm\n0,1\n", "no column `time`"),
        ("replica,time,mean_norm\n0,0,0.5\n0,0.5\n", "line 3"),
        ("replica,time,mean_norm\n0,0,0.5\n0,0.5,half\n", "line 3, column `mean_norm`: `half`"),
        ("replica,time,mean_norm\n-1,0,0.5\n", "line 2, column `replica`: `-1`"),
        ("replica,time,mean_norm\n0,NaN,0.5\n", "line 2, column `time`: `NaN`"),
        ("replica,time,mean_norm\n0,1,0.5\n1,1,0.5\n0,0.5,0.5\n", "line 4, column `time`: `0.5`"),
    ];
    for (samples, expected) in cases {
        let dir = folder(EXPERIMENT, samples, &[circle(7)]);
        let (_, message) = refusal(&dir);
        assert!(message.contains("samples.csv") && message.contains(expected), "{message} lacks {expected}");
    }
    draw_all(&folder(EXPERIMENT, &good, &[circle(7)]), &ALL);
}

#[test]
fn bad_tokens_are_refused() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(7)]);
    let path = dir.path().join("tokens.npy");
    let refused = |what: &str| {
        let (error, message) = refusal(&dir);
        assert!(matches!(error, PlotError::File { .. }), "{what}: {error:?}");
        assert!(message.contains("tokens.npy") && message.contains("(replicas, count, dim)"), "{what}: {message}");
    };
    std::fs::write(&path, "no tokens").expect("a file");
    refused("text");
    ndarray_npy::write_npy(&path, &ndarray::Array2::<f64>::zeros((7, 2))).expect("a file");
    refused("two axes");
    ndarray_npy::write_npy(&path, &ndarray::Array3::<i32>::zeros((1, 7, 2))).expect("a file");
    refused("integers");
    ndarray_npy::write_npy(&path, &ndarray::Array3::<f64>::zeros((1, 0, 2))).expect("a file");
    refused("no tokens");
    write_tokens(dir.path(), &[circle(7)]);
    let whole = std::fs::read(&path).expect("a file");
    std::fs::write(&path, &whole[..whole.len() - 8]).expect("a file");
    refused("cut short");
}

#[test]
fn a_bad_experiment_is_refused() {
    let dir = folder("name = ", &clustering(1, 3), &[circle(7)]);
    let (_, message) = refusal(&dir);
    assert!(message.contains("experiment.toml") && message.contains("line 1"), "{message}");
}

#[cfg(unix)]
#[test]
fn a_picture_that_cannot_take_its_name_is_reported() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[circle(7)]);
    std::fs::create_dir(dir.path().join("mean_norm.svg")).expect("a folder in the way");
    let (error, message) = refusal(&dir);
    assert!(matches!(error, PlotError::Write { .. }) && message.contains("mean_norm.svg"), "{message}");
}
