//! Tokens over time: panels and animations of trajectories that are known beforehand.

use std::path::Path;

use ndarray::Array4;
use ndarray_npy::write_npy;

use crate::drawing::{attribute, circles, elements, fill, place_of, polylines, svg, words};
use crate::folder::{EXPERIMENT, animate, cloud, clustering, draw, folder, knots, sphere};
use crate::listing;

/// Two replicas of one token on the circle, the first of which turns by an eighth from sample to sample.
fn turning(dir: &Path, samples: usize) {
    let token = |sample: usize, replica: usize| {
        let angle = std::f64::consts::TAU * sample as f64 / 8.0;
        if replica == 0 { [angle.cos(), angle.sin()] } else { [1.0, 0.0] }
    };
    let flat = (0..samples).flat_map(|sample| (0..2).flat_map(move |replica| token(sample, replica))).collect();
    let array = Array4::from_shape_vec((samples, 2, 1, 2), flat).expect("a trajectory");
    write_npy(dir.join("trajectory.npy"), &array).expect("trajectory.npy");
}

fn turning_run(samples: usize) -> tempfile::TempDir {
    let dir = folder(EXPERIMENT, &clustering(2, samples), &[vec![vec![1.0, 0.0]], vec![vec![1.0, 0.0]]]);
    turning(dir.path(), samples);
    dir
}

#[test]
fn panels_show_the_first_replica_at_eight_times() {
    let dir = turning_run(15);
    let paths = draw(dir.path()).expect("a good run folder");
    assert!(paths.contains(&dir.path().join("tokens-over-time.svg")), "{paths:?}");
    let svg = svg(dir.path(), "tokens-over-time");
    let said = words(&svg);
    for text in ["t = 0", "t = 0.5", "t = 3.5", "n = 7 · d = 2 · β = 4 · heun · replica 0"] {
        assert!(said.contains(&text.to_string()), "no `{text}` in {said:?}");
    }
    // Of 15 samples every second is drawn, a quarter of a turn after the one before.
    let discs = circles(&svg);
    let panels: Vec<_> = discs.iter().filter(|disc| disc.2 > 100.0).collect();
    let dots: Vec<_> = discs.iter().filter(|disc| disc.2 < 100.0).collect();
    assert_eq!((panels.len(), dots.len()), (8, 8));
    for (k, (panel, dot)) in panels.iter().zip(&dots).enumerate() {
        let (sine, cosine) = (std::f64::consts::TAU * k as f64 / 4.0).sin_cos();
        let found = ((dot.0 - panel.0) / panel.2, (panel.1 - dot.1) / panel.2);
        assert!((found.0 - cosine).hypot(found.1 - sine) < 0.01, "panel {k}: {found:?}");
        // Four in a row, from the left, and the second row below the first; none on another.
        let (first, across, down) = (panels[0], panels[1].0 - panels[0].0, panels[4].1 - panels[0].1);
        assert!(across > 2.0 * first.2 && down > 2.0 * first.2, "{panels:?}");
        let place = (first.0 + across * (k % 4) as f64, first.1 + down * (k / 4) as f64);
        assert!((panel.0 - place.0).hypot(panel.1 - place.1) < 3.0, "panel {k}: {panel:?}, not {place:?}");
    }
    assert!(place_of(&svg, "t = 0.5").0 > place_of(&svg, "t = 0").0);
}

/// A token that turns by an eighth a sample crosses the angle pi between samples 4 and 5, twice a turn between its edges.
#[test]
fn angles_on_the_circle_are_lines_over_time() {
    let dir = turning_run(8);
    draw(dir.path()).expect("a good run folder");
    let svg = svg(dir.path(), "angles");
    assert!(words(&svg).contains(&"angle of a token".into()));
    let lines: Vec<_> = polylines(&svg).into_iter().filter(|line| line.len() > 2).collect();
    let lengths: Vec<usize> = lines.iter().map(Vec::len).collect();
    assert_eq!(lengths.iter().sum::<usize>(), 8 + 2, "{lengths:?}");
    let rises = |line: &Vec<(f64, f64)>| line.windows(2).all(|pair| pair[0].1 >= pair[1].1 && pair[0].0 <= pair[1].0);
    assert!(lines.iter().all(rises), "{lines:?}");
}

#[test]
fn tokens_in_many_dimensions_share_one_projection() {
    let dir = folder(EXPERIMENT, &clustering(1, 2), &[cloud(5, 30)]);
    // The second sample is the first, shrunk towards the origin by half: so are its places.
    let first: Vec<f64> = cloud(5, 30).into_iter().flatten().collect();
    let flat = first.iter().copied().chain(first.iter().map(|x| x / 2.0)).collect();
    let array = Array4::from_shape_vec((2, 1, 30, 5), flat).expect("a trajectory");
    write_npy(dir.path().join("trajectory.npy"), &array).expect("trajectory.npy");
    draw(dir.path()).expect("a good run folder");
    let svg = svg(dir.path(), "tokens-over-time");
    assert!(words(&svg).iter().any(|text| text.contains("principal directions")), "{:?}", words(&svg));
    let dots = circles(&svg);
    assert_eq!(dots.len(), 60);
    let between = |a: usize, b: usize| (dots[a].0 - dots[b].0).hypot(dots[a].1 - dots[b].1);
    for token in 1..30 {
        let (before, after) = (between(0, token), between(30, 30 + token));
        assert!((before - 2.0 * after).abs() < 4.0, "token {token}: {before} and {after}");
    }
}

/// Sixteen tokens of a hemisphere and their opposites: those nearer to the eye are darker, and drawn later.
#[test]
fn nearer_tokens_of_a_panel_cover_farther_ones() {
    let near = knots(&[vec![0.0, 0.0, 1.0]], &sphere(16), 0.5);
    let far = near.iter().take(8).map(|token| token.iter().map(|x| -x).collect());
    let tokens: Vec<Vec<f64>> = near.iter().cloned().chain(far).collect();
    let dir = folder(EXPERIMENT, &clustering(1, 2), std::slice::from_ref(&tokens));
    let flat: Vec<f64> = tokens.into_iter().flatten().collect();
    let array = Array4::from_shape_vec((2, 1, 24, 3), flat.repeat(2)).expect("a trajectory");
    write_npy(dir.path().join("trajectory.npy"), &array).expect("trajectory.npy");
    draw(dir.path()).expect("a good run folder");
    let svg = svg(dir.path(), "tokens-over-time");
    let small = |disc: &&str| attribute(disc, " r").parse::<f64>().is_ok_and(|radius| radius < 100.0);
    let dots: Vec<&str> = elements(&svg, "circle").into_iter().filter(small).collect();
    assert_eq!(dots.len(), 48);
    let lightness: Vec<u32> = dots[..24].iter().map(|disc| fill(disc).into_iter().map(u32::from).sum()).collect();
    assert!(lightness.is_sorted_by(|a, b| a >= b) && lightness[7] > lightness[8] + 50, "{lightness:?}");
}

#[test]
fn an_animation_has_a_frame_a_sample() {
    let dir = turning_run(5);
    let path = animate(dir.path()).expect("a good run folder");
    assert_eq!(path, dir.path().join("tokens.gif"));
    assert!(!listing(dir.path()).iter().any(|name| name.starts_with('.')), "{:?}", listing(dir.path()));
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut reader = options.read_info(std::fs::File::open(path).expect("a file")).expect("a GIF");
    assert_eq!((reader.width(), reader.height()), (800, 500));
    let mut frames: Vec<Vec<u8>> = Vec::new();
    while let Some(frame) = reader.read_next_frame().expect("a frame") {
        frames.push(frame.buffer.to_vec());
    }
    // The token is at the right end of a circle about the middle of what the title leaves, and wider than the line.
    let is_paper = |x: usize| frames[0][4 * (800 * 270 + x)..][..3] == [255; 3];
    assert_eq!(frames[0].len(), 4 * 800 * 500, "the first frame is whole");
    assert_eq!([222, 225, 228, 400, 572, 575, 578].map(is_paper), [true, false, true, true, false, false, false]);
    // Four that differ, then the last, which rests.
    assert!(frames.len() > 5, "{}", frames.len());
    assert!(frames[..5].windows(2).all(|pair| pair[0] != pair[1]), "every sample is another picture");
    assert!(frames[4..].windows(2).all(|pair| pair[0] == pair[1]), "the last picture stays");
}

#[test]
fn what_was_not_kept_is_not_animated() {
    let dir = folder(EXPERIMENT, &clustering(1, 3), &[vec![vec![1.0, 0.0]]]);
    let error = animate(dir.path()).expect_err("nothing was kept").to_string();
    assert!(error.contains("trajectory.npy: it is absent") && error.contains("add \"tokens\""), "{error}");
    turning(dir.path(), 4);
    let error = animate(dir.path()).expect_err("another number of samples").to_string();
    assert!(error.contains("it has 4 samples, and there are 3 times"), "{error}");
}
