//! Tokens over time in chunks: the same numbers as in one file, and nothing that happens to a chunk goes unseen.

use std::fs;

use ndarray::{Array4, ArrayD, IxDyn};
use ndarray_npy::read_npy;
use serde_json::Value;

use super::{
    claim::{self, Claim},
    form::Form,
    group::{self, GROUP},
    npy::NpyFile,
    standing::Standing,
    trajectory::{Tokens, Trajectory},
    zarr::{Largest, ZarrGroup},
};
use crate::{backend::Precision, simulate::Ending, tokens::Shape};

const SMALL: Largest = Largest { tokens: 4, numbers: 14 };

fn form(samples: usize, each: [usize; 3], precision: Precision) -> Form {
    Form { samples, each: each.to_vec(), precision }
}

/// Numbers that tell where they are, and that single precision has.
fn numbers(form: &Form, sample: usize) -> Vec<f64> {
    let count = form.each.iter().product::<usize>();
    (0..count).map(|k| (sample * count + k) as f64 + 0.5).collect()
}

/// What the metadata say of an array, and what lies in its chunks, read as the specification of Zarr has it.
fn read(group: &std::path::Path, name: &str) -> (Vec<Value>, ArrayD<f64>) {
    let text = fs::read(group.join(name).join("zarr.json")).expect("metadata");
    let about: Value = serde_json::from_slice(&text).expect("JSON");
    let sizes = |value: &Value| -> Vec<usize> {
        value.as_array().expect("a list").iter().map(|n| n.as_u64().expect("a number") as usize).collect()
    };
    let (shape, chunk) = (sizes(&about["shape"]), sizes(&about["chunk_grid"]["configuration"]["chunk_shape"]));
    assert_eq!(about["codecs"], serde_json::json!([{ "name": "bytes", "configuration": { "endian": "little" } }]));
    let width = if about["data_type"] == "float32" { 4 } else { 8 };
    let array = ArrayD::from_shape_fn(IxDyn(&shape), |index| {
        let (mut file, mut at) = (group.join(name).join("c"), 0);
        for axis in 0..shape.len() {
            file.push((index[axis] / chunk[axis]).to_string());
            at = at * chunk[axis] + index[axis] % chunk[axis];
        }
        let bytes = fs::read(file).expect("a chunk");
        assert_eq!(bytes.len(), width * chunk.iter().product::<usize>(), "chunks are whole");
        let own = &bytes[width * at..][..width];
        match about["data_type"].as_str() {
            Some("float32") => f64::from(f32::from_le_bytes(own.try_into().expect("four bytes"))),
            Some("float64") => f64::from_le_bytes(own.try_into().expect("eight bytes")),
            Some("uint64") => u64::from_le_bytes(own.try_into().expect("eight bytes")) as f64,
            other => panic!("{other:?}"),
        }
    });
    (about["dimension_names"].as_array().expect("names").clone(), array)
}

#[test]
fn a_group_has_the_numbers_of_a_file() {
    let shapes = [[1, 7, 3], [5, 2, 2], [2, 10, 3], [1, 1, 1], [3, 4, 3], [2, 3, 100], [7, 1, 2]];
    for each in shapes {
        for precision in [Precision::Single, Precision::Double] {
            let folder = tempfile::tempdir().expect("a folder");
            let form = form(3, each, precision);
            let mut file = NpyFile::create(&folder.path().join("trajectory.npy"), form.clone()).expect("a file");
            let numbered = Some((0..each[1] as u64).map(|k| 2 * k + 1).collect());
            let mut group =
                ZarrGroup::create(&folder.path().join(GROUP), form.clone(), numbered, SMALL).expect("a group");
            for sample in 0..3 {
                for piece in numbers(&form, sample).chunks(5) {
                    file.add(&form.encoded(piece)).expect("room");
                    group.add(&form.encoded(piece)).expect("room");
                }
            }
            file.finish(Ending::Scheduled).expect("a file");
            group.finish(&[0.0, 0.5, 0.7]).expect("a group");
            let path = folder.path().join("trajectory.npy");
            let expected: Array4<f64> = match precision {
                Precision::Double => read_npy(path).expect("an array"),
                Precision::Half | Precision::Single => {
                    read_npy::<_, Array4<f32>>(path).expect("an array").mapv(f64::from)
                }
            };
            let (names, found) = read(&folder.path().join(GROUP), "tokens");
            assert_eq!(found, expected.into_dyn(), "{each:?}");
            assert_eq!(names, ["sample", "replica", "token", "component"]);
            let (names, times) = read(&folder.path().join(GROUP), "time");
            assert_eq!((names, times.into_raw_vec_and_offset().0), (vec!["sample".into()], vec![0.0, 0.5, 0.7]));
            let (names, tokens) = read(&folder.path().join(GROUP), "token");
            assert_eq!(
                (names, tokens.len(), tokens[[each[1] - 1]]),
                (vec!["token".into()], each[1], 2.0 * each[1] as f64 - 1.0)
            );
            assert_eq!(group::flaw(folder.path()), None);
        }
    }
}

#[test]
fn a_run_that_ends_early_has_fewer_samples() {
    let folder = tempfile::tempdir().expect("a folder");
    let form = form(9, [2, 5, 3], Precision::Single);
    for name in [GROUP, "trajectory.npy"] {
        let kept = Tokens::all(9, Shape { replicas: 2, count: 5, dim: 3, passive: 0 });
        let begin = || Trajectory::create(folder.path(), name, form.clone(), kept.clone()).expect("an array");
        let two = |mut array: Trajectory| {
            for sample in 0..2 {
                array.sample(sample as f64);
                array.add(&numbers(&form, sample)).expect("room");
            }
            array
        };
        let error =
            two(begin()).finish(Ending::Scheduled).map(|_| ()).expect_err("seven samples are missing").to_string();
        assert!(error.contains("some of its samples are missing"), "{error}");
        let partial = folder.path().join(format!("{name}.partial"));
        if partial.is_dir() { fs::remove_dir_all(partial) } else { fs::remove_file(partial) }.expect("it goes");
        two(begin()).finish(Ending::Stopped).expect("an array");
    }
    let (_, found) = read(&folder.path().join(GROUP), "tokens");
    let expected: Array4<f32> = read_npy(folder.path().join("trajectory.npy")).expect("an array");
    assert_eq!(expected.dim(), (2, 2, 5, 3));
    assert_eq!(found, expected.mapv(f64::from).into_dyn());
}

/// Whatever is done to the files of a group, it says which one, and what.
#[test]
fn whatever_happens_to_a_group_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let form = form(2, [2, 9, 3], Precision::Single);
    let group = folder.path().join(GROUP);
    let chunk = group.join("tokens/c/1/1/2/0");
    let write = || {
        claim::remove(folder.path(), &["trajectory.sha256"]).expect("it goes");
        let mut group = ZarrGroup::create(&group, form.clone(), None, SMALL).expect("a group");
        (0..2).for_each(|sample| group.add(&form.encoded(&numbers(&form, sample))).expect("room"));
        group.finish(&[0.0, 1.0]).expect("a group");
        assert_eq!(group::flaw(folder.path()), None);
    };
    let says = |name: &str, what: &str| {
        let (path, problem) = group::flaw(folder.path()).expect("a flaw");
        assert!(path.ends_with(name) && problem.contains(what), "{}: {problem}", path.display());
    };
    write();
    let mut bytes = fs::read(&chunk).expect("a chunk");
    // The padding too.
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&chunk, bytes).expect("a file");
    says("tokens/c/1/1/2/0", "SHA-256");
    write();
    fs::remove_file(&chunk).expect("it goes");
    says("tokens/c/1/1/2/0", "missing");
    write();
    fs::copy(&chunk, group.join("tokens/c/1/0/2/0")).expect("a copy");
    says("tokens/c/1/0/2/0", "SHA-256");
    write();
    fs::create_dir_all(group.join("tokens/c/2/0/0")).expect("a folder");
    fs::write(group.join("tokens/c/2/0/0/0"), "").expect("a file");
    says("tokens/c/2/0/0/0", "did not write it");
    write();
    fs::write(group.join("notes.txt"), "mine").expect("a file");
    says(GROUP, "notes.txt is no part of it");
    let refused = claim::remove(folder.path(), &[]).expect_err("there are notes in it");
    assert!(refused.to_string().contains("notes.txt"), "{refused}");
    assert_eq!(fs::read_to_string(group.join("notes.txt")).expect("a file"), "mine");
    assert!(chunk.is_file(), "nothing was removed");
}

/// An array that is taken up again after some of its samples is the one that was never left.
#[test]
fn an_array_goes_on_where_it_was_left() {
    let each = [2, 9, 3];
    let form = form(4, each, Precision::Double);
    let kept = Tokens::all(4, Shape { replicas: 2, count: 9, dim: 3, passive: 0 });
    for name in [GROUP, "trajectory.npy"] {
        let [whole, left] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let add = |array: &mut Trajectory, sample: usize| {
            array.sample(0.5 * sample as f64);
            array.add(&numbers(&form, sample)).expect("room");
        };
        let mut array = Trajectory::create(whole.path(), name, form.clone(), kept.clone()).expect("an array");
        (0..4).for_each(|sample| add(&mut array, sample));
        let expected = array.finish(Ending::Scheduled).expect("an array");
        let mut array = Trajectory::create(left.path(), name, form.clone(), kept.clone()).expect("an array");
        (0..2).for_each(|sample| add(&mut array, sample));
        let synced = array.sync().expect("room");
        // Of a sample that nobody waited for there is a part, or all of another one.
        add(&mut array, 3);
        array.add(&numbers(&form, 1)[..7]).expect("room");
        drop(array);
        let resume = |times: &[f64]| {
            let kept = Tokens { before: times.to_vec(), ..kept.clone() };
            Trajectory::resume(left.path(), name, form.clone(), kept, &synced)
        };
        let error = resume(&[0.0]).err().expect("they are not one sample").to_string();
        assert!(error.contains("SHA-256"), "{error}");
        let mut array = resume(&[0.0, 0.5]).expect("two samples are there");
        (2..4).for_each(|sample| add(&mut array, sample));
        assert_eq!(array.finish(Ending::Scheduled).expect("an array"), expected, "{name}");
        // A process that ended after it had its name, and before its run was complete.
        let mut array = resume(&[0.0, 0.5]).expect("it takes its name away");
        (2..4).for_each(|sample| add(&mut array, sample));
        assert_eq!(array.finish(Ending::Scheduled).expect("an array"), expected, "{name}");
    }
}

#[test]
fn a_disk_that_fails_meanwhile_stops_what_comes_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let shape = Shape { replicas: 1, count: 5, dim: 3, passive: 0 };
    let form = form(1000, [1, 5, 3], Precision::Single);
    let mut array =
        Trajectory::create(folder.path(), GROUP, form.clone(), Tokens::all(1000, shape)).expect("a group");
    array.add(&numbers(&form, 0)).expect("room");
    array.sync().expect("room");
    let partial = folder.path().join("trajectory.zarr.partial");
    fs::remove_dir_all(&partial).expect("it goes");
    fs::write(&partial, "in the way").expect("a file");
    let error = (1..1000).find_map(|sample| array.add(&numbers(&form, sample)).err()).expect("an error comes back");
    assert!(error.to_string().contains("trajectory.zarr: cannot be written"), "{error}");
    assert!(array.add(&[0.0; 15]).is_err() && array.sync().is_err(), "there is nobody to write it");
}

#[test]
fn a_claim_knows_what_a_group_may_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let chunk = folder.path().join("trajectory.zarr.partial/tokens/c/0/0/0");
    fs::create_dir_all(&chunk).expect("a folder");
    fs::write(chunk.join("0"), "part").expect("a file");
    fs::write(folder.path().join("experiment.toml"), "x").expect("a file");
    fs::write(folder.path().join("manifest.json"), "").expect("a file");
    let claim = || Claim::for_run(folder.path(), "x", Precision::Single);
    let claimed = claim().expect("what is left of a run");
    claimed.clear().expect("it goes");
    assert!(!folder.path().join("trajectory.zarr.partial").exists());
    drop(claimed);
    let own = folder.path().join("trajectory.zarr/tokens");
    fs::create_dir_all(&own).expect("a folder");
    fs::write(own.join("mine.txt"), "mine").expect("a file");
    fs::write(folder.path().join("experiment.toml"), "x").expect("a file");
    fs::write(folder.path().join("manifest.json"), "").expect("a file");
    assert!(claim().is_err(), "it holds what no run wrote");
    assert!(matches!(super::standing(folder.path()), Standing::Broken { .. }));
}
