//! Experiments as they were written down, with their arrays in memory once more.

use toml::{Table, Value};

use super::{
    Experiment,
    arrays::{Arrays, FILE},
    error::ExperimentError,
    overrides::Override,
    source::Source,
};

impl Experiment {
    /// The experiment that [`to_toml`](Experiment::to_toml) and [`arrays`](Experiment::arrays) have written, with its arrays in memory, so that
    /// it can be written down elsewhere; with keys replaced, where paths may be names of `more` arrays as well.
    pub fn of_record(
        text: &str,
        arrays: Option<&[u8]>,
        mut more: Arrays,
        overrides: &[Override],
    ) -> Result<Experiment, ExperimentError> {
        let source = Source::of_memory(more.clone(), overrides);
        if let Some(arrays) = arrays {
            let refused = |problem| source.error("", "", format!("{FILE} {problem}"), "restore the file");
            more.add_bytes(arrays).map_err(refused)?;
        }
        let mut table: Table = super::table(text, &source)?;
        let prefix = format!("{FILE}:");
        table.iter_mut().for_each(|(_, value)| into_memory(value, &prefix));
        Experiment::of_table(table, more, overrides)
    }
}

/// Names arrays as an experiment does that has them in memory.
fn into_memory(value: &mut Value, prefix: &str) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix(prefix) {
                *text = name.to_owned();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| into_memory(value, prefix)),
        Value::Table(table) => table.iter_mut().for_each(|(_, value)| into_memory(value, prefix)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}
