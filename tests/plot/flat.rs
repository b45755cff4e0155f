//! Quantities of a sweep that are the same everywhere, which no picture is drawn of.

use std::fmt::Write as _;

use super::{
    draw, svg,
    sweep::{cells_folder, copy_experiment},
    words,
};

#[test]
fn what_is_the_same_in_all_cells_has_no_picture() {
    for value in ["1", "NaN"] {
        let dir = cells_folder("attention.beta,tokens.count");
        let mut cells = String::from("cell,replica,attention.beta,tokens.count,mean_norm,w2_dirac\n");
        for (index, (beta, count)) in [(1, 16), (1, 64), (2, 16), (2, 64)].into_iter().enumerate() {
            writeln!(cells, "c{index},0,{beta},{count},{value},{index}").expect("grows");
        }
        std::fs::write(dir.path().join("cells.csv"), cells).expect("cells.csv");
        copy_experiment(&dir, "c0");
        let paths = draw(dir.path()).expect("a good sweep folder");
        let names: Vec<_> = paths.iter().filter_map(|path| path.file_stem()?.to_str()).collect();
        assert_eq!(names, ["phase-w2_dirac"; 2].into_iter().chain(["final-w2_dirac"; 2]).collect::<Vec<_>>());
        let said = words(&svg(dir.path(), "final-w2_dirac"));
        assert!(said.contains(&"w2 dirac".into()), "one replica has neither means nor intervals: {said:?}");
        let said = words(&svg(dir.path(), "phase-w2_dirac"));
        assert!(!said.iter().any(|text| text.contains("mean over")), "{said:?}");
    }
}
