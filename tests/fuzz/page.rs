//! What the reference page shows: an experiment, and the forms that its keys may take.

use std::collections::BTreeSet;

use tokenfield::random::Stream;
use toml::{Table, Value};

use super::keys::{Edit, below};

const PAGE: &str = include_str!("../../assets/reference.toml");

/// The reference page: an experiment, and the forms that its lines `# or:` show.
pub struct Page {
    pub table: Table,
    forms: Vec<Vec<Edit>>,
}

impl Page {
    pub fn read() -> Self {
        let table: Table = toml::from_str(PAGE).expect("an experiment");
        let (mut forms, mut section) = (vec![Vec::new()], String::new());
        for line in PAGE.lines() {
            if line.starts_with('[') {
                section = line.trim_matches(['[', ']']).to_owned();
            }
            let absolute = |text: &str| {
                let key = text.split(" = ").next().unwrap_or_default();
                let is_whole = key.contains('.') || matches!(table.get(key), Some(Value::Table(_)));
                let is_root = is_whole
                    || section.is_empty()
                    || matches!(key, "perceptron" | "noise" | "reference" | "layer-norm");
                Edit::parse(&if is_root { text.to_owned() } else { format!("{section}.{text}") })
            };
            if let Some(text) = line.strip_prefix("# or: ") {
                forms.push(vec![absolute(text)]);
            } else if let (Some(text), Some(form)) = (line.strip_prefix("# and: "), forms.last_mut()) {
                form.push(absolute(text));
            }
        }
        Self { table, forms }
    }

    /// One of the forms.
    pub fn form(&self, random: &mut Stream) -> Vec<Edit> {
        self.forms[below(random, self.forms.len())].clone()
    }

    /// All dotted keys that the page shows, without the indices of lists.
    pub fn keys(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for form in &self.forms {
            let mut table = self.table.clone();
            form.iter().for_each(|edit| edit.apply(&mut table));
            add_keys("", &Value::Table(table), &mut found);
        }
        found
    }
}

fn add_keys(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                add_keys(&inner, value, found);
                found.insert(inner);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| add_keys(path, value, found)),
        _ => {}
    }
}
