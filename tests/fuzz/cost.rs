//! What is left out: experiments that are valid and merely long. A run that takes hours is what its user wished for, and no fault;
//! here such wishes are cut short, so that whatever still takes long is a fault.

use toml::{Table, Value};

/// Steps of a case, unless there are more than can be counted: those the program refuses.
const STEPS: f64 = 16.0;
const COUNTED: f64 = (1u64 << 53) as f64;
/// Kernels between these take many nodes of a limit; sharper ones are refused.
const SHARP: std::ops::Range<f64> = 50.0..3e5;

fn number(table: &Table, path: &[&str]) -> Option<f64> {
    let mut value = table.get(path[0])?;
    for segment in &path[1..] {
        value = value.get(segment)?;
    }
    value.as_float().or(value.as_integer().map(|whole| whole as f64))
}

fn text<'a>(table: &'a Table, path: [&str; 2]) -> Option<&'a str> {
    table.get(path[0])?.get(path[1])?.as_str()
}

pub fn bound(table: &mut Table) {
    let sharp = |path: &[&str]| number(table, path).is_some_and(|beta| SHARP.contains(&beta));
    let has_sharp_kernel = sharp(&["attention", "beta"]) || sharp(&["observe", "kernel-beta"]);
    let is_huge = |path: &[&str]| number(table, path).is_some_and(|huge| huge > 1e4);
    // Nodes are doubled until nothing changes, and where nothing resolves a kernel that takes all there are.
    let is_unresolved = text(table, ["reference", "kind"]) == Some("quadrature") && is_huge(&["attention", "beta"]);
    let is_wide =
        is_huge(&["observe", "projections"]) || is_huge(&["noise", "width"]) || is_huge(&["observe", "pairs"]);
    let steps = if is_wide { 1.0 } else { STEPS };
    if has_sharp_kernel || is_unresolved {
        table.remove("reference");
    }
    // Distances from the 65536 particles that are the default are sums over many pairs.
    if text(table, ["reference", "kind"]) == Some("particles")
        && let Some(Value::Table(reference)) = table.get_mut("reference")
    {
        reference.entry("count").or_insert(Value::Integer(20));
    }
    if let (Some(step), Some(end)) = (number(table, &["time", "step"]), number(table, &["time", "end"]))
        && end / step > steps
        && end / step <= COUNTED
        && let Some(Value::Table(time)) = table.get_mut("time")
    {
        time.insert("end".into(), Value::Float(steps * step));
        if let Some(Value::Table(observe)) = table.get_mut("observe") {
            observe.remove("every");
        }
    }
}
