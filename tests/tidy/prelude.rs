//! The prelude stays what a newcomer can take in at once.

use std::collections::BTreeSet;

use syn::{Item, UseTree, Visibility};

/// The names that the public imports of a file pass on, each with how it is found.
fn passed_on(text: &str) -> Vec<String> {
    let file = syn::parse_file(text).expect("code");
    let mut names = Vec::new();
    for item in file.items {
        match item {
            Item::Use(import) if matches!(import.vis, Visibility::Public(_)) => leaves(&import.tree, "", &mut names),
            other => panic!("the prelude passes names on and does nothing else: {other:?}"),
        }
    }
    names
}

fn leaves(tree: &UseTree, before: &str, names: &mut Vec<String>) {
    match tree {
        UseTree::Path(path) => leaves(&path.tree, &format!("{before}{}::", path.ident), names),
        UseTree::Name(name) => names.push(format!("{before}{}", name.ident)),
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, names)),
        UseTree::Rename(rename) => panic!("{before}{} has another name in the prelude", rename.ident),
        UseTree::Glob(_) => panic!("{before}* is any number of names"),
    }
}

#[test]
fn the_prelude_has_at_most_fifteen_names() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/prelude.rs")).expect("the prelude");
    let names = passed_on(&text);
    assert!((5..=15).contains(&names.len()), "{} names: {names:?}", names.len());
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "one is there twice: {names:?}");
}

#[test]
fn names_are_counted_and_globs_are_not_allowed() {
    assert_eq!(passed_on("pub use crate::{a::{self, b}, c};"), ["crate::a::self", "crate::a::b", "crate::c"]);
    let glob = std::panic::catch_unwind(|| passed_on("pub use crate::a::*;"));
    assert!(glob.is_err(), "a glob is any number of names");
}
