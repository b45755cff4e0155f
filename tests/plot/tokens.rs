//! Views of tokens show every token where it is, or say which are missing.

use crate::drawing::{Pixels, attribute, circles, elements, fill, svg, words};
use crate::folder::{EXPERIMENT, circle, cloud, clustering, draw, folder, knots, sphere, unit, write_tokens};
use crate::{ALL, draw_all, listing};

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
    let svg = crate::drawing::svg(dir.path(), "tokens");
    assert!(words(&svg).iter().any(|word| word.ends_with("1 in 3 drawn")), "{:?}", words(&svg));
    assert_eq!(circles(&svg).len(), many.div_ceil(3) + 5);
}

#[test]
fn a_diverged_run_and_tokens_off_the_sphere_are_drawn() {
    let lost = vec![vec![f64::NAN, f64::INFINITY]; 5];
    let huge: Vec<Vec<f64>> = circle(9).iter().map(|token| vec![1e200 * token[0], token[1], 1e99]).collect();
    let wide: Vec<Vec<f64>> = circle(9).iter().map(|token| vec![5.0 * token[0], 2.0 * token[1]]).collect();
    let one_place = vec![vec![0.1, 0.2, 0.3]; 4];
    for tokens in [lost, huge, wide, one_place] {
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
