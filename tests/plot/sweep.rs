//! Pictures of a sweep: folders whose rates and cells follow formulas.

use std::fmt::Write as _;

use tempfile::TempDir;

use super::{
    EXPERIMENT,
    drawing::{Pixels, attribute, circles, elements, place_of, polylines, strokes, svg, words},
    folder::draw,
};

const RATES: &str = "quantity,variable,slope,slope_low,slope_high,expected,on_a_line,local_slopes,note";

/// A sweep over two keys: four replicas of `error` = 3 n^slope about their mean, with the slope of each other key.
fn rates_folder(slopes: &[(&str, f64)], expected: &str) -> TempDir {
    let dir = cells_folder("tokens.count,attention.normalization");
    let mut cells = String::from("cell,replica,tokens.count,attention.normalization,coupling_error\n");
    let mut rates = format!("{RATES},tokens.count,attention.normalization\n");
    for (normalization, slope) in slopes {
        for count in [16.0_f64, 64.0, 1024.0] {
            for (replica, factor) in [0.8, 0.9, 1.1, 1.2].into_iter().enumerate() {
                let error = 3.0 * count.powf(*slope) * factor;
                writeln!(cells, "{normalization}{count},{replica},{count},{normalization},{error}").expect("grows");
            }
        }
        let (low, high) = (slope - 0.02, slope + 0.02);
        writeln!(rates, "coupling_error,tokens.count,{slope},{low},{high},{expected},true,-0.5,,,{normalization}")
            .expect("grows");
    }
    std::fs::write(dir.path().join("cells.csv"), cells).expect("cells.csv");
    std::fs::write(dir.path().join("rates.csv"), rates).expect("rates.csv");
    copy_experiment(&dir, &format!("{}16", slopes[0].0));
    dir
}

/// A sweep folder with no fit.
pub fn cells_folder(keys: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(dir.path().join("rates.csv"), format!("{RATES},{keys}\n")).expect("rates.csv");
    std::fs::create_dir(dir.path().join("cells")).expect("cells");
    dir
}

pub fn copy_experiment(dir: &TempDir, cell: &str) {
    let folder = dir.path().join("cells").join(cell);
    std::fs::create_dir_all(&folder).expect("a cell");
    std::fs::write(folder.join("experiment.toml"), EXPERIMENT).expect("experiment.toml");
}

#[test]
fn rates_lie_on_their_lines() {
    let dir = rates_folder(&[("softmax", -0.5), ("unnormalized", -0.25)], "-0.5");
    let paths = draw(dir.path()).expect("a good sweep folder");
    assert_eq!(paths, ["rates.svg", "rates.png"].map(|name| dir.path().join(name)));
    let svg = svg(dir.path(), "rates");
    let said = words(&svg);
    for text in [
        "coupling_error, normalization softmax: −0.500 [−0.520, −0.480]",
        "coupling_error, normalization unnormalized: −0.250 [−0.270, −0.230]",
        "expected (dashed): −0.500",
        "d = 2 · β = 4 · heun",
        "1024",
    ] {
        assert!(said.contains(&text.to_string()), "no `{text}` in {said:?}");
    }
    let dots = circles(&svg);
    assert_eq!(dots.len(), 6, "one dot a point");
    // Decades of the key take the same room everywhere: log 64/16 to log 1024/64 is one to two.
    let widths = [dots[1].0 - dots[0].0, dots[2].0 - dots[1].0];
    assert!((widths[1] / widths[0] - 2.0).abs() < 0.01, "{widths:?}");
    // The second curve falls half as far as the first, on the same axis.
    let falls = [dots[2].1 - dots[0].1, dots[5].1 - dots[3].1];
    assert!(falls[1] > 100.0 && (falls[0] / falls[1] - 2.0).abs() < 0.02, "{falls:?}");
    // Fitted lines go through the dots, because these lie on one.
    let through = |dot: &(f64, f64, f64)| {
        polylines(&svg).iter().any(|line| {
            let [(x0, y0), (x1, y1)] = line[..] else { return false };
            let on = y0 + (y1 - y0) * (dot.0 - x0) / (x1 - x0);
            (x1 - x0) > 1000.0 && (on - dot.1).abs() < 3.0
        })
    };
    assert!(dots.iter().all(through), "a dot off its line");
}

const BLUE: &str = "#1F5AA6";
const RUST: &str = "#B84716";
const GREY: &str = "#5F6B7A";
/// The first and the last row of the plot itself.
const ROWS: std::ops::Range<f64> = 480.0..1740.0;

#[test]
fn curves_have_colours_of_their_own_and_expected_slopes_are_grey() {
    let dir = rates_folder(&[("softmax", -0.5), ("unnormalized", -0.25)], "-0.5");
    draw(dir.path()).expect("a good sweep folder");
    let svg = svg(dir.path(), "rates");
    let dots = circles(&svg);
    let fills: Vec<&str> = elements(&svg, "circle").into_iter().map(|dot| attribute(dot, "fill")).collect();
    assert_eq!(fills, [BLUE, BLUE, BLUE, RUST, RUST, RUST]);
    let all = strokes(&svg);
    let slanted = all.iter().filter(|(_, [a, b])| a.0 != b.0 && a.1 != b.1);
    let (dashes, lines): (Vec<_>, Vec<_>) = slanted.partition(|(colour, _)| *colour == GREY);
    // Each fit reaches from its first dot to its last.
    assert_eq!(lines.iter().map(|(colour, _)| *colour).collect::<Vec<_>>(), [BLUE, RUST]);
    for ((_, ends), dots) in lines.iter().zip(dots.chunks(3)) {
        let reaches = |end: (f64, f64), dot: (f64, f64, f64)| (end.0 - dot.0).hypot(end.1 - dot.1) < 4.0;
        assert!(reaches(ends[0], dots[0]) && reaches(ends[1], dots[2]), "{ends:?} does not fit {dots:?}");
    }
    // Twenty dashes of the expected slope, which is that of the first curve, from the first dot of either.
    assert_eq!(dashes.len(), 40);
    let slope = (dots[2].1 - dots[0].1) / (dots[2].0 - dots[0].0);
    for (dashes, first) in dashes.chunks(20).zip([dots[0], dots[3]]) {
        for (_, ends) in dashes {
            let line = |x: f64| first.1 + slope * (x - first.0);
            assert!(ends.iter().all(|end| (end.1 - line(end.0)).abs() < 3.0), "{ends:?} from {first:?}");
        }
    }
    let legend: Vec<&str> = all.iter().filter(|(_, [a, b])| a.1 == b.1 && b.0 - a.0 == 120.0).map(|x| x.0).collect();
    assert_eq!(legend, [GREY, RUST, BLUE], "from below");
    assert!(words(&svg).contains(&"tokens.count (log scale)".into()), "{:?}", words(&svg));
    assert!(place_of(&svg, "16").0 < place_of(&svg, "1024").0);
    assert!(!dots.iter().any(|dot| is_under_the_legend(&svg, dot.0, dot.1)), "the legend lies on a dot");
}

fn is_under_the_legend(svg: &str, x: f64, y: f64) -> bool {
    let paper = elements(svg, "rect").into_iter().find(|r| attribute(r, "opacity") == "0.8").expect("a legend");
    let number = |name: &str| attribute(paper, name).parse::<f64>().expect("a number");
    let (left, top) = (number("x"), number("y"));
    (left..left + number("width")).contains(&x) && (top..top + number("height")).contains(&y)
}

/// Also where it rises far above the points.
#[test]
fn expected_slopes_and_intervals_are_in_view() {
    let dir = rates_folder(&[("softmax", -0.5)], "0.5");
    draw(dir.path()).expect("a good sweep folder");
    let svg = svg(dir.path(), "rates");
    let dashes = strokes(&svg).into_iter().filter(|(colour, [a, b])| *colour == GREY && a.0 != b.0 && a.1 != b.1);
    let dots = circles(&svg);
    let steep = -(dots[2].1 - dots[0].1) / (dots[2].0 - dots[0].0);
    let dashes: Vec<_> = dashes.map(|(_, ends)| ends).collect();
    assert_eq!(dashes.len(), 20, "what is out of view is flat at its edge");
    for (x, y) in dashes.into_iter().flatten() {
        let expected = dots[0].1 + steep * (x - dots[0].0);
        assert!((y - expected).abs() < 4.0 && ROWS.contains(&y), "a dash ends at {y}, not {expected}");
    }
    let plain = rates_folder(&[("softmax", -0.5)], "");
    draw(plain.path()).expect("a good sweep folder");
    let svg = super::svg(plain.path(), "rates");
    let bars = strokes(&svg).into_iter().filter(|(colour, _)| *colour == BLUE);
    let bars: Vec<_> = bars.filter(|(_, [a, b])| a.0 == b.0).collect();
    assert_eq!(bars.len(), 3);
    assert!(bars.iter().flat_map(|(_, ends)| ends).all(|end| ROWS.contains(&end.1)), "{bars:?}");
    // A short legend has room beside the curve.
    let dots = circles(&svg);
    for share in (0..=40).map(|step| f64::from(step) / 40.0) {
        let along = |a: f64, b: f64| a + share * (b - a);
        let (x, y) = (along(dots[0].0, dots[2].0), along(dots[0].1, dots[2].1));
        assert!(!is_under_the_legend(&svg, x, y), "the legend lies on the curve at {x}, {y}");
    }
}

#[test]
fn fits_without_a_slope_are_left_out_and_many_are_counted() {
    let names: Vec<String> = (0..9).map(|k| format!("n{k}")).collect();
    let slopes: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), -0.5)).collect();
    let dir = rates_folder(&slopes, "");
    let path = dir.path().join("rates.csv");
    let rates = std::fs::read_to_string(&path).expect("rates.csv");
    std::fs::write(&path, rates + "coupling_error,tokens.count,,,,,,,no slope: 1 of 9,,n0\n").expect("rates.csv");
    draw(dir.path()).expect("a good sweep folder");
    let svg = svg(dir.path(), "rates");
    assert_eq!(circles(&svg).len(), 27);
    let said = words(&svg);
    assert!(said.contains(&"and 2 more, see rates.csv".into()), "{said:?}");
    assert_eq!(said.iter().filter(|text| text.starts_with("coupling_error")).count(), 7, "{said:?}");
}

#[test]
fn what_was_expected_starts_where_the_fit_does() {
    let dir = rates_folder(&[("softmax", -0.5)], "-0.25");
    draw(dir.path()).expect("a good sweep folder");
    let svg = svg(dir.path(), "rates");
    let dots = circles(&svg);
    let (first, last) = (dots[0], dots[2]);
    // Dashes of one fortieth of the width, and half as steep as the fit.
    let width = (last.0 - first.0) / 40.0;
    let lines = polylines(&svg);
    let is_dash = |line: &&Vec<(f64, f64)>| line.len() == 2 && (line[1].0 - line[0].0 - width).abs() < 3.0;
    let dashes: Vec<_> = lines.iter().filter(is_dash).collect();
    assert_eq!(dashes.len(), 20, "{lines:?}");
    for dash in dashes {
        let fall = (last.1 - first.1) / 2.0 * (dash[0].0 - first.0) / (last.0 - first.0);
        assert!((dash[0].1 - first.1 - fall).abs() < 3.0, "{dash:?} beside {first:?} and {last:?}");
    }
}

#[test]
fn intervals_are_those_of_the_mean() {
    let dir = rates_folder(&[("softmax", -0.5)], "");
    draw(dir.path()).expect("a good sweep folder");
    let svg = svg(dir.path(), "rates");
    assert!(!words(&svg).iter().any(|text| text.contains("expected")), "nothing was expected");
    let dots = circles(&svg);
    let bars: Vec<Vec<(f64, f64)>> =
        polylines(&svg).into_iter().filter(|line| line.len() == 2 && line[0].0 == line[1].0).collect();
    let there = bars.iter().filter(|bar| (bar[0].0 - dots[0].0).abs() < 2.0);
    let drawn = there.map(|bar| (bar[1].1 - bar[0].1).abs()).fold(0.0, f64::max);
    // Replicas at 0.8, 0.9, 1.1, 1.2: the standard error of the mean is sqrt(1/30) / 2, Student's quantile for three degrees of
    // freedom 3.182, and 16 to 1024 is a factor 8.
    let reach = 2.0 * 3.182 * (0.1_f64 / 3.0).sqrt() / 2.0;
    let expected = reach / 8.0_f64.ln() * (dots[2].1 - dots[0].1);
    assert!((drawn / expected - 1.0).abs() < 0.02, "{drawn} is not {expected}");
}

/// One replica has a slope, and neither an interval in the legend nor bars.
#[test]
fn one_replica_is_drawn_without_intervals() {
    let dir = cells_folder("tokens.count");
    let cells = "cell,replica,tokens.count,coupling_error\na16,0,16,0.8\nb,0,64,0.4\nc,0,256,0.2\n";
    std::fs::write(dir.path().join("cells.csv"), cells).expect("cells.csv");
    let rate = "coupling_error,tokens.count,-0.5,,,,,-0.5; -0.5,no interval: a cell has one replica,\n";
    std::fs::write(dir.path().join("rates.csv"), format!("{RATES},tokens.count\n{rate}")).expect("rates.csv");
    copy_experiment(&dir, "a16");
    draw(dir.path()).expect("a good sweep folder");
    let svg = svg(dir.path(), "rates");
    let said = words(&svg);
    assert!(said.contains(&"coupling_error: −0.500 (one replica: no interval)".into()), "{said:?}");
    assert_eq!(circles(&svg).len(), 3);
    let bars = strokes(&svg).into_iter().filter(|(colour, [a, b])| *colour == BLUE && a.0 == b.0);
    assert_eq!(bars.count(), 0, "a bar of an interval that nobody knows");
}

#[test]
fn two_keys_make_a_map_of_the_end() {
    let dir = cells_folder("attention.beta,tokens.count");
    let mut cells = String::from("cell,replica,attention.beta,tokens.count,mean_norm\n");
    for (index, (beta, count)) in [(1, 16), (1, 64), (2, 16), (2, 64), (3, 16), (3, 64)].into_iter().enumerate() {
        for replica in [0, 1] {
            // The mean over replicas is index / 5.
            let value = index as f64 / 5.0 + 2.0 * f64::from(replica) - 1.0;
            writeln!(cells, "c{index},{replica},{beta},{count},{value}").expect("grows");
        }
    }
    std::fs::write(dir.path().join("cells.csv"), cells).expect("cells.csv");
    copy_experiment(&dir, "c0");
    let paths = draw(dir.path()).expect("a good sweep folder");
    let names = ["phase-mean_norm", "final-mean_norm"];
    let expected: Vec<_> =
        names.iter().flat_map(|name| [".svg", ".png"].map(|end| dir.path().join(format!("{name}{end}")))).collect();
    assert_eq!(paths, expected);
    final_values_have_a_line_for_each_count(&svg(dir.path(), "final-mean_norm"));
    let svg = svg(dir.path(), "phase-mean_norm");
    let rectangles = elements(&svg, "rect");
    let place = |rectangle: &&str, name: &str| attribute(rectangle, name).parse::<f64>().expect("a number");
    let mut maps: Vec<(f64, f64, &str)> = rectangles
        .iter()
        .filter(|r| place(r, "width") > 400.0 && place(r, "height") > 300.0 && place(r, "height") < 1000.0)
        .map(|r| (place(r, "x"), -place(r, "y"), attribute(r, "fill")))
        .collect();
    maps.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).expect("numbers"));
    let fills: Vec<&str> = maps.iter().map(|map| map.2).collect();
    assert_eq!(fills.len(), 6, "one rectangle a cell: {rectangles:?}");
    assert_eq!((fills[0], fills[5]), ("#F7F4E3", "#1A1F5C"), "pale for the least, dark for the greatest");
    let lightness = |fill: &str| (0..3).map(|k| u32::from_str_radix(&fill[1 + 2 * k..][..2], 16).expect("hex")).sum();
    let shades: Vec<u32> = fills.iter().map(|fill| lightness(fill)).collect();
    assert!(shades.windows(2).all(|pair| pair[0] > pair[1]), "columns by beta, then rows by n upwards: {shades:?}");
    let mut ramp: Vec<(f64, u32)> = rectangles
        .iter()
        .filter(|r| (place(r, "height") - 60.0).abs() <= 1.0)
        .map(|r| (place(r, "x"), lightness(attribute(r, "fill"))))
        .collect();
    ramp.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(ramp.len() > 10 && ramp.windows(2).all(|pair| pair[0].1 >= pair[1].1), "pale at the left: {ramp:?}");
    assert!(ramp[0].1 > ramp[ramp.len() - 1].1, "one shade: {ramp:?}");
    let texts = elements(&svg, "text");
    let at = |word: &str| {
        let index = words(&svg).iter().position(|other| other == word).expect("an end of the ramp");
        attribute(texts[index], "x").parse::<f64>().expect("a number")
    };
    assert!(at("0") < ramp[0].0 && at("1.00") > ramp[ramp.len() - 1].0, "the least at the left: {texts:?}");
    let said = words(&svg);
    assert!(
        said.contains(&"attention.beta".into()) && said.contains(&"mean_norm, over tokens.count".into()),
        "{said:?}"
    );
}

#[test]
fn one_key_makes_a_map_over_time() {
    let dir = cells_folder("attention.beta");
    let mut cells = String::from("cell,replica,attention.beta,mean_norm\n");
    for beta in [4, 1] {
        writeln!(cells, "b{beta},0,{beta},0.5").expect("grows");
        copy_experiment(&dir, &format!("b{beta}"));
        let mut samples = String::from("replica,time,mean_norm\n");
        for time in 0..4 {
            for replica in [0, 1] {
                // The mean over replicas is beta * time.
                writeln!(samples, "{replica},{time},{}", beta * time + 2 * replica - 1).expect("grows");
            }
        }
        std::fs::write(dir.path().join("cells").join(format!("b{beta}/samples.csv")), samples).expect("samples");
    }
    std::fs::write(dir.path().join("cells.csv"), cells).expect("cells.csv");
    draw(dir.path()).expect("a good sweep folder");
    let png = Pixels::read(&dir.path().join("phase-mean_norm.png"));
    let said = words(&svg(dir.path(), "phase-mean_norm"));
    assert!(said.contains(&"layer-time t".into()) && said.contains(&"12.0".into()), "{said:?}");
    // The greatest is that of beta = 4, above, at the right; the least at the left.
    assert_eq!(png.at(3000.0, 600.0), [0x1a, 0x1f, 0x5c]);
    assert_eq!([png.at(600.0, 600.0), png.at(600.0, 1500.0)], [[0xf7, 0xf4, 0xe3]; 2]);
    // beta = 1 at time 3 has the value of beta = 4 at time 0.75: a quarter of the ramp.
    assert_eq!(png.at(3000.0, 1500.0), [0x82, 0xc7, 0xbd]);
}

/// Two cells with `mean_norm` = time at `times` of each; in the order of the values of beta, 1 and 2.
fn cells_over_time(column: [&str; 2], times: [usize; 2]) -> TempDir {
    let dir = cells_folder("attention.beta");
    let cells = "cell,replica,attention.beta,mean_norm\nb1,0,1,0.5\nb2,0,2,0.5\n";
    std::fs::write(dir.path().join("cells.csv"), cells).expect("cells.csv");
    for ((cell, column), times) in ["b1", "b2"].into_iter().zip(column).zip(times) {
        copy_experiment(&dir, cell);
        let rows = (0..times).map(|time| format!("0,{time},{time}\n")).collect::<String>();
        let samples = format!("replica,time,{column}\n{rows}");
        std::fs::write(dir.path().join("cells").join(cell).join("samples.csv"), samples).expect("samples");
    }
    dir
}

/// Means 0, 0.4 and 0.8 at beta = 1, 2 and 3 for one count, and 0.2 more for the other.
fn final_values_have_a_line_for_each_count(svg: &str) {
    let said = words(svg);
    for text in ["count = 16", "count = 64", "attention.beta", "mean norm: means over replicas, with 95 % intervals"]
    {
        assert!(said.contains(&text.into()), "no `{text}` in {said:?}");
    }
    let mut dots: Vec<(f64, f64)> = circles(svg).into_iter().map(|(x, y, _)| (x, y)).collect();
    dots.sort_by(|a, b| (a.0, -a.1).partial_cmp(&(b.0, -b.1)).expect("numbers"));
    assert_eq!(dots.len(), 6, "{dots:?}");
    let unit = (dots[0].1 - dots[5].1) / 1.0;
    for (index, dot) in dots.iter().enumerate() {
        let expected = dots[0].1 - unit * index as f64 / 5.0;
        assert!((dot.1 - expected).abs() < 2.0, "dot {index} at {}, not {expected}", dot.1);
    }
    assert!((dots[2].0 - dots[0].0 - (dots[4].0 - dots[2].0)).abs() < 2.0, "beta is not to scale: {dots:?}");
}

#[test]
fn a_map_over_time_has_no_more_columns_than_paper_shows() {
    let dir = cells_over_time(["mean_norm"; 2], [500; 2]);
    draw(dir.path()).expect("a good sweep folder");
    let svg = svg(dir.path(), "phase-mean_norm");
    let said = words(&svg);
    assert!(said.iter().any(|text| text.ends_with(" · 1 in 3 samples drawn")), "{said:?}");
    let number = |r: &str, name: &str| attribute(r, name).parse::<f64>().expect("a number");
    let is_tall = |r: &&str| (500.0..900.0).contains(&number(r, "height"));
    let tall: Vec<&str> = elements(&svg, "rect").into_iter().filter(is_tall).collect();
    assert_eq!(tall.len(), 2 * 167);
    let right = tall.iter().map(|r| number(r, "x") + number(r, "width")).fold(0.0, f64::max);
    assert!((right - 3080.0).abs() < 5.0, "the map ends at {right}");
    // The last column is that of sample 498, and the greatest number.
    assert!(said.contains(&"498".into()), "{said:?}");
}

#[test]
fn cells_that_were_not_measured_alike_have_no_map_over_time() {
    for dir in [cells_over_time(["mean_norm"; 2], [4, 5]), cells_over_time(["mean_norm", "log_energy"], [4; 2])] {
        let paths = draw(dir.path()).expect("a good sweep folder");
        assert!(paths.iter().all(|path| !path.to_string_lossy().contains("phase-")), "{paths:?}");
    }
}

#[test]
fn what_a_sweep_did_not_finish_is_not_drawn() {
    let dir = cells_folder("tokens.count");
    std::fs::remove_file(dir.path().join("rates.csv")).expect("rates.csv");
    let error = draw(dir.path()).expect_err("no tables").to_string();
    assert!(error.contains("rates.csv") && error.contains("until no cell is left"), "{error}");
    std::fs::write(dir.path().join("rates.csv"), format!("{RATES},tokens.count\n")).expect("rates.csv");
    std::fs::write(dir.path().join("cells.csv"), "cell,replica,tokens.dim,x\nc,0,3,1\n").expect("cells.csv");
    let error = draw(dir.path()).expect_err("tables of two sweeps").to_string();
    assert!(error.contains("cells.csv: its keys are not those of rates.csv, tokens.count"), "{error}");
}

#[test]
fn a_sweep_over_words_alone_has_no_picture() {
    let dir = cells_folder("attention.normalization");
    let cells = "cell,replica,attention.normalization,mean_norm\na,0,softmax,1\nb,0,hardmax,1\n";
    std::fs::write(dir.path().join("cells.csv"), cells).expect("cells.csv");
    copy_experiment(&dir, "a");
    assert_eq!(draw(dir.path()).expect("a good folder"), Vec::<std::path::PathBuf>::new());
}
