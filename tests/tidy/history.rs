//! What is kept of speeds can be read by a program.

#[test]
fn the_history_of_speeds_has_its_columns_and_its_ratios() {
    let mut reader =
        csv::Reader::from_path(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/history.csv")).expect("a table");
    let header = reader.headers().expect("a header").iter().collect::<Vec<_>>().join(",");
    assert_eq!(header, "commit,date,machine,work,ours_seconds,peer,peer_seconds,ratio");
    let mut count = 0;
    for row in reader.records() {
        let row = row.expect("as many fields as columns");
        assert!(row.iter().all(|field| !field.is_empty()), "{row:?}");
        let [ours, theirs, ratio] = [4, 6, 7].map(|column| row[column].parse::<f64>().expect("a number"));
        assert!((theirs / ours / ratio - 1.0).abs() < 2e-3, "{row:?}");
        count += 1;
    }
    assert!(count > 0, "nothing is kept");
}
