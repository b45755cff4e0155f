//! Charts of quantities show the samples.

use crate::draw_all;
use crate::drawing::{Pixels, attribute, circles, elements, place_of, polylines, svg, words};
use crate::folder::{Column, EXPERIMENT, circle, draw, folder, samples};

const NAMED: [&str; 4] = ["mean_norm", "log_energy", "w2_dirac", "tokens"];

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

/// Of 1000 replicas the values 0 to 999 are drawn as two regions and a mean, and not as a thousand lines.
#[test]
fn many_replicas_are_drawn_as_regions() {
    let value = |replica: usize, t: f64| replica as f64 + t;
    let dir = folder(EXPERIMENT, &samples(1000, 5, &[("mean_norm", &value)]), &vec![circle(7); 1000]);
    draw_all(&dir, &["mean_norm", "tokens"]);
    let svg = svg(dir.path(), "mean_norm");
    let outlines: Vec<Vec<(f64, f64)>> = elements(&svg, "polygon").iter().map(|polygon| points(polygon)).collect();
    assert_eq!(outlines.iter().map(Vec::len).collect::<Vec<_>>(), [10, 10]);
    let mean = polylines(&svg).into_iter().rfind(|line| line.len() == 5).expect("a mean");
    assert_eq!(polylines(&svg).iter().filter(|line| line.len() == 5).count(), 1);
    // From 49.95 to 949.05 and from 249.75 to 749.25, about 499.5: the first time is the first point below and the last above.
    let height = |outline: &[(f64, f64)]| outline[0].1 - outline[9].1;
    assert!((height(&outlines[0]) / height(&outlines[1]) - 899.1 / 499.5).abs() < 0.02, "{outlines:?}");
    for outline in &outlines {
        assert!((0.5 * (outline[0].1 + outline[9].1) - mean[0].1).abs() < 2.0, "{outline:?}, {mean:?}");
    }
    let said = words(&svg);
    for text in ["90 %", "50 %", "mean of 1000"] {
        assert!(said.contains(&text.into()), "no `{text}` in {said:?}");
    }
}

fn points(polygon: &str) -> Vec<(f64, f64)> {
    let point = |pair: &str| {
        let (x, y) = pair.split_once(',').expect("a pair");
        (x.parse().expect("a number"), y.parse().expect("a number"))
    };
    attribute(polygon, "points").split_whitespace().map(point).collect()
}

/// A column of the limit lies dashed in the picture of the column that it belongs to, and has none of its own.
#[test]
fn the_limit_lies_beside_the_tokens() {
    let tokens = |replica: usize, t: f64| t + 0.1 * replica as f64;
    let limit = |_: usize, t: f64| t + 0.5;
    let columns: [Column; 2] = [("mean_norm", &tokens), ("limit_mean_norm", &limit)];
    let dir = folder(EXPERIMENT, &samples(2, 21, &columns), &[circle(7), circle(7)]);
    draw_all(&dir, &["mean_norm", "tokens"]);
    let svg = svg(dir.path(), "mean_norm");
    assert!(words(&svg).contains(&"limit".into()));
    let lines = polylines(&svg);
    let replica = lines.iter().find(|line| line.len() == 21).expect("a replica");
    let scale = (replica[20].1 - replica[0].1) / 5.0;
    let is_dash =
        |line: &&Vec<(f64, f64)>| line.len() < 21 && line.iter().all(|point| on_limit(*point, replica, scale));
    assert!(lines.iter().filter(is_dash).count() >= 40, "dashes: {lines:?}");
}

/// Whether a point is half a unit of the vertical axis above the line of replica 0 at its time.
fn on_limit(point: (f64, f64), replica: &[(f64, f64)], scale: f64) -> bool {
    let (first, last) = (replica[0], replica[replica.len() - 1]);
    let along = first.1 + (point.0 - first.0) / (last.0 - first.0) * (last.1 - first.1);
    (point.1 - along - 0.5 * scale).abs() < 3.0 && (first.0 - 1.0..=last.0 + 1.0).contains(&point.0)
}

/// Numbered columns share a picture, those without a known curve have one of their own, and there are no more lines than colours.
#[test]
fn every_column_is_drawn() {
    let names: Vec<String> = (0..9).map(|k| format!("mode_{k}")).collect();
    let values: Vec<_> = (0..9).map(|k| move |_: usize, t: f64| t + k as f64).collect();
    let mut columns: Vec<Column> = Vec::new();
    for (name, value) in names.iter().zip(&values) {
        columns.push((name, value));
    }
    let own = |_: usize, t: f64| t.sin();
    columns.push(("pair_overlap", &own));
    let dir = folder(EXPERIMENT, &samples(1, 12, &columns), &[circle(7)]);
    draw_all(&dir, &["pair_overlap", "mode", "tokens"]);
    let lines: Vec<_> = polylines(&svg(dir.path(), "mode")).into_iter().filter(|line| line.len() == 12).collect();
    assert_eq!(lines.len(), 6);
    assert!(lines.windows(2).all(|pair| pair[0][0].1 > pair[1][0].1), "larger values stand higher: {lines:?}");
    assert!(words(&svg(dir.path(), "pair_overlap")).contains(&"pair overlap".into()));
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
fn values_of_any_size_are_drawn() {
    let rising = |_: usize, t: f64| 10_f64.powf(40.0 * t);
    let falling = |_: usize, t: f64| -10_f64.powf(-40.0 * t);
    let wild = |_: usize, t: f64| if t > 3.0 { f64::MAX } else { -f64::MAX };
    let columns: [Column; 3] = [("mean_norm", &rising), ("log_energy", &wild), ("w2_dirac", &falling)];
    draw_all(&folder(EXPERIMENT, &samples(2, 30, &columns), &[circle(7), circle(7)]), &NAMED);
}

#[test]
fn degenerate_series_are_drawn() {
    let nothing = |_: usize, _: f64| f64::NAN;
    let constant = |_: usize, _: f64| 1.0;
    let columns: [Column; 3] = [("mean_norm", &constant), ("log_energy", &nothing), ("w2_dirac", &|_, _| 0.0)];
    for (replicas, times) in [(1, 1), (3, 1), (1, 30)] {
        let dir = folder(EXPERIMENT, &samples(replicas, times, &columns), &vec![circle(7); replicas]);
        draw_all(&dir, &NAMED);
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

#[test]
fn the_histogram_of_overlaps_is_a_map_over_time() {
    // Of four parts of [-1, 1], pairs leave the third for the fourth; nothing is in the others. So it is in the mean of both
    // replicas.
    let share = |last: bool| {
        move |replica: usize, t: f64| {
            let mean = if last { 0.1 + 0.9 * t } else { 0.9 - 0.9 * t };
            mean * if replica == 0 { 0.5 } else { 1.5 }
        }
    };
    let nothing = |_: usize, _: f64| 0.0;
    let (third, fourth) = (share(false), share(true));
    let columns: [Column; 6] = [
        ("mean_norm", &nothing),
        ("overlap_histogram_0", &nothing),
        ("overlap_histogram_1", &nothing),
        ("overlap_histogram_2", &third),
        ("overlap_histogram_3", &fourth),
        ("overlap_histogram_error", &third),
    ];
    let dir = folder(EXPERIMENT, &samples(2, 4, &columns), &[circle(5), circle(5)]);
    let paths = draw(dir.path()).expect("a good run folder");
    assert!(paths.contains(&dir.path().join("overlap_histogram.png")), "{paths:?}");
    let png = Pixels::read(&dir.path().join("overlap_histogram.png"));
    let (dark, paper) = ([0x1a, 0x1f, 0x5c], [0xff; 3]);
    let rows = [1600.0, 1300.0, 900.0, 600.0];
    assert_eq!(rows[..2].iter().map(|y| png.at(1500.0, *y)).collect::<Vec<_>>(), [paper; 2], "no pair, no colour");
    assert_ne!(png.at(600.0, rows[2]), paper);
    assert_eq!(png.at(600.0, rows[2]), dark, "nine tenths of all pairs at first");
    assert!(png.at(3000.0, rows[3]) != paper && png.at(600.0, rows[3]) != png.at(3000.0, rows[3]));
    // Next to the ramp the logarithms of 0.1 and 0.9, and on the axis all of [-1, 1].
    let svg = svg(dir.path(), "overlap_histogram");
    assert!(place_of(&svg, "−1.00").0 < place_of(&svg, "−0.0458").0);
    assert!(place_of(&svg, "−1.0").1 > place_of(&svg, "1.0").1 + 1000.0);
    let said = words(&svg);
    assert!(said.contains(&"log₁₀ of the share of pairs, over overlap of two tokens".into()), "{said:?}");
}

#[test]
fn a_long_histogram_says_how_many_samples_it_shows() {
    let half = |_: usize, t: f64| 0.5 + 1e-3 * t;
    let columns: [Column; 3] =
        [("mean_norm", &|_, t| t), ("overlap_histogram_0", &half), ("overlap_histogram_1", &half)];
    let dir = folder(EXPERIMENT, &samples(1, 500, &columns), &[circle(5)]);
    draw(dir.path()).expect("a good run folder");
    let svg = svg(dir.path(), "overlap_histogram");
    let said = words(&svg);
    assert!(said.iter().any(|text| text.ends_with(" · 1 in 3 samples drawn")), "{said:?}");
    let number = |r: &str, name: &str| attribute(r, name).parse::<f64>().expect("a number");
    let is_tall = |r: &&str| (500.0..900.0).contains(&number(r, "height"));
    let tall: Vec<&str> = elements(&svg, "rect").into_iter().filter(is_tall).collect();
    assert_eq!(tall.len(), 2 * 167);
    let last = tall.iter().max_by(|a, b| number(a, "x").total_cmp(&number(b, "x"))).expect("a column");
    assert!((number(last, "x") + number(last, "width") - 3080.0).abs() < 5.0, "{last}");
    assert_eq!(attribute(last, "fill"), "#1A1F5C", "the share grows to the end");
}
