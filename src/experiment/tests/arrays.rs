//! Arrays from memory and from files of named arrays, against the same numbers in `.npy` files.

use ndarray::Array2;
use ndarray_npy::write_npy;

use super::super::{Arrays, Experiment};

const TOKENS: [f64; 6] = [1.0, 0.0, 0.0, -1.0, 0.6, 0.8];
const MATRIX: [f64; 4] = [1.0, 0.25, -0.5, 2.0];

fn text(tokens: &str, matrix: &str) -> String {
    format!(
        "name = \"arrays\"\n[tokens]\ninitial = {{ law = \"file\", path = \"{tokens}\" }}\n\
         [attention]\nbeta = 1.0\nnormalization = \"softmax\"\nhead = [{{ query-key = {{ path = \"{matrix}\" }} }}]\n\
         [time]\nscheme = \"euler\"\nstep = 0.1\nend = 0.1\n"
    )
}

fn arrays() -> Arrays {
    let mut arrays = Arrays::default();
    arrays.insert("x0", &[3, 2], TOKENS.to_vec()).expect("an array");
    arrays.insert("A", &[2, 2], MATRIX.to_vec()).expect("an array");
    arrays
}

#[test]
fn a_name_stands_for_an_array_in_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let array = |rows, numbers: &[f64]| Array2::from_shape_vec((rows, 2), numbers.to_vec()).expect("a shape");
    write_npy(path("x0.npy"), &array(3, &TOKENS)).expect("a file");
    write_npy(path("A.npy"), &array(2, &MATRIX)).expect("a file");
    std::fs::write(path("files.toml"), text("x0.npy", "A.npy")).expect("a file");
    let files = Experiment::read(&path("files.toml"), &[]).and_then(|files| files.resolve()).expect("a problem");
    let memory = Experiment::parse_with(&text("x0", "A"), arrays(), &[]).expect("an experiment");
    assert_eq!(memory.resolve().expect("a problem"), files);
    std::fs::write(path("written.toml"), memory.to_toml().expect("a text")).expect("a file");
    std::fs::write(path("arrays.safetensors"), memory.arrays().expect("arrays").expect("some")).expect("a file");
    let written = Experiment::read(&path("written.toml"), &[]).expect("an experiment");
    assert_eq!(written.resolve().expect("a problem"), files);
    assert_eq!(written.arrays(), Ok(None), "they are of a file now");
}

/// What was written down is written down once more, the same elsewhere, with another array in place of one or not.
#[test]
fn written_arrays_are_in_memory_again() {
    let memory = Experiment::parse_with(&text("x0", "A"), arrays(), &[]).expect("an experiment");
    let written = memory.to_toml().expect("a text");
    let bytes = memory.arrays().expect("arrays").expect("some");
    let again = Experiment::of_record(&written, Some(&bytes), Arrays::default(), &[]).expect("an experiment");
    assert_eq!(again.resolve().expect("a problem"), memory.resolve().expect("a problem"));
    assert_eq!(again.to_toml().expect("a text"), written);
    assert_eq!(again.arrays().expect("arrays"), Some(bytes.clone()));
    let mut more = Arrays::default();
    more.insert("B", &[2, 2], vec![1.0, 0.0, 0.0, -1.0]).expect("an array");
    let changed = ["attention.head.0.query-key={ path = \"B\" }".parse().expect("an override")];
    let other = Experiment::of_record(&written, Some(&bytes), more.clone(), &changed).expect("an experiment");
    more.insert("x0", &[3, 2], TOKENS.to_vec()).expect("an array");
    let typed = Experiment::parse_with(&text("x0", "B"), more, &[]).expect("an experiment");
    assert_eq!(other.resolve().expect("a problem"), typed.resolve().expect("a problem"));
    let error =
        Experiment::of_record(&written, Some(&bytes[..9]), Arrays::default(), &[]).expect_err("it is damaged");
    assert!(error.to_string().contains("arrays.safetensors"), "{error}");
}

#[test]
fn arrays_that_cannot_be_used_are_refused() {
    let refused = |name: &str, shape: &[usize], values: &[f64]| {
        arrays().insert(name, shape, values.to_vec()).expect_err("it is refused").to_string()
    };
    assert_eq!(refused("x0", &[1], &[1.0]), "array \"x0\": is there already; take another name");
    assert_eq!(refused("a/b", &[1], &[1.0]), "array \"a/b\": is no name; take letters, digits, - and _");
    assert_eq!(
        refused("b", &[2, 2], &[1.0]),
        "array \"b\": 1 numbers do not fill the shape (2, 2); give as many numbers as the shape has"
    );
    assert_eq!(
        refused("b", &[2], &[1.0, f64::NAN]),
        "array \"b\": has NaN at [1], counted from 0; write finite numbers"
    );
    let unused = Experiment::parse_with(&text("x0", "other.npy"), arrays(), &[]).expect_err("A is named nowhere");
    assert!(unused.to_string().contains("names no array A; write path = NAME"), "{unused}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("arrays.safetensors");
    let memory = Experiment::parse_with(&text("x0", "A"), arrays(), &[]).expect("an experiment");
    std::fs::write(&path, memory.arrays().expect("arrays").expect("some")).expect("a file");
    std::fs::write(folder.path().join("e.toml"), text("arrays.safetensors:x0", "arrays.safetensors:B"))
        .expect("a file");
    let absent = Experiment::read(&folder.path().join("e.toml"), &[]).and_then(|file| file.resolve());
    let absent = absent.expect_err("there is no B").to_string();
    assert!(
        absent.contains("attention.head.0.query-key.path") && absent.contains("has no array B; write one"),
        "{absent}"
    );
}
