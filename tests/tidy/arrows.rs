//! Who may use whom: rooms use rooms below them, and no file uses a file that uses it, however far around.
//!
//! Imports and paths are read off the syntax trees. A name that a module imports, and others take from there, is one of the file
//! that it comes from. Unit tests may use what they like.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use proc_macro2::{TokenStream, TokenTree};
use syn::{
    Attribute, File, Item, ItemMod, ItemUse, Macro, UseTree, Visibility,
    visit::{Visit, visit_item, visit_item_mod},
};

use super::files;

/// From the ground up, as the table in `ARCHITECTURE.md` has them.
fn rooms() -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let page = std::fs::read_to_string(page).expect("a page");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split(','));
    let names = names.map(|name| name.trim().trim_matches('`').to_owned());
    let rooms: Vec<String> = names.filter(|name| !name.contains('/') && name != "lib").collect();
    assert!(rooms.len() > 20, "no table of rooms: {rooms:?}");
    rooms
}

type Module = Vec<String>;

/// The code under `src`, by module.
struct Sources {
    files: BTreeMap<Module, File>,
    /// For each module the names that it passes on, and what they are.
    passed_on: BTreeMap<Module, BTreeMap<String, Module>>,
}

impl Sources {
    fn read() -> Self {
        let mut sources = Self { files: BTreeMap::new(), passed_on: BTreeMap::new() };
        for (path, text) in files("src", "rs") {
            let module = module_of(&path);
            if module.iter().any(|name| name == "tests") || module == ["lib"] {
                continue;
            }
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            sources.files.insert(module, file);
        }
        let modules: Vec<Module> = sources.files.keys().cloned().collect();
        for module in modules {
            let mut paths = Vec::new();
            for item in &sources.files[&module].items {
                if let Item::Use(import) = item {
                    flatten(&import.tree, &mut Vec::new(), &mut paths);
                }
            }
            let own = paths.into_iter().filter_map(|path| {
                let target = sources.absolute(&module, &path)?;
                Some((path.last()?.clone(), target))
            });
            let own = own.collect();
            sources.passed_on.insert(module, own);
        }
        sources
    }

    /// A path as seen from `module`, from the root of the crate; none if it leads out of it.
    fn absolute(&self, module: &[String], path: &[String]) -> Option<Module> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" | "tokenfield" => Vec::new(),
            "self" => module.to_vec(),
            "super" => module[..module.len().saturating_sub(1)].to_vec(),
            _ => {
                let child = [module, &path[..1]].concat();
                return self.files.contains_key(&child).then(|| [module, path].concat());
            }
        };
        let mut rest = rest;
        while let Some((first, others)) = rest.split_first().filter(|(first, _)| *first == "super") {
            debug_assert_eq!(first, "super");
            base.pop();
            rest = others;
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The file that a path from the root leads to.
    fn file_of(&self, path: &[String]) -> Option<Module> {
        let mut path = path.to_vec();
        // A name may be passed on by several modules in turn.
        for _ in 0..8 {
            let length = (1..=path.len()).rev().find(|length| self.files.contains_key(&path[..*length]))?;
            let (module, rest) = path.split_at(length);
            let next = rest.first().and_then(|name| self.passed_on[module].get(name));
            match next {
                Some(target) => path = [target, &rest[1..]].concat(),
                None => return Some(module.to_vec()),
            }
        }
        None
    }

    /// The files that each file uses.
    fn arrows(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let arrows = self.files.iter().map(|(module, file)| {
            let mut paths = Paths { module: module.clone(), found: Vec::new() };
            paths.visit_file(file);
            let targets = paths.found.iter().filter_map(|(from, path)| self.file_of(&self.absolute(from, path)?));
            (module.clone(), targets.filter(|target| target != module).collect())
        });
        arrows.collect()
    }
}

/// src/a/b.rs and src/a/b/mod.rs are both a::b.
fn module_of(path: &Path) -> Module {
    let inside = path.strip_prefix("src").expect("a source").with_extension("");
    let mut module: Module = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

fn flatten(tree: &UseTree, before: &mut Module, paths: &mut Vec<Module>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, paths);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => paths.push(before.clone()),
        UseTree::Name(name) => paths.push([&before[..], &[name.ident.to_string()]].concat()),
        UseTree::Rename(rename) => paths.push([&before[..], &[rename.ident.to_string()]].concat()),
        UseTree::Glob(_) => paths.push(before.clone()),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, paths)),
    }
}

/// Collects the paths of a file, each with the module that it is seen from.
struct Paths {
    module: Module,
    found: Vec<(Module, Module)>,
}

fn is_of_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !is_of_tests(attributes) {
            visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if item.content.is_some() {
            self.module.push(item.ident.to_string());
            visit_item_mod(self, item);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        if matches!(import.vis, Visibility::Inherited) {
            let mut paths = Vec::new();
            flatten(&import.tree, &mut Vec::new(), &mut paths);
            self.found.extend(paths.into_iter().map(|path| (self.module.clone(), path)));
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.found.push((self.module.clone(), names));
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        self.of_tokens(invocation.tokens.clone());
    }
}

impl Paths {
    /// Paths from the root or from here, in the arguments of a macro.
    fn of_tokens(&mut self, tokens: TokenStream) {
        let mut path: Module = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => path.push(ident.to_string()),
                TokenTree::Ident(ident) => {
                    self.keep(&mut path);
                    path.push(ident.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => {
                    self.keep(&mut path);
                    self.of_tokens(group.stream());
                }
                _ => self.keep(&mut path),
            }
            colons = 0;
        }
        self.keep(&mut path);
    }

    fn keep(&mut self, path: &mut Module) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.found.push((self.module.clone(), path));
        }
    }
}

/// Arrows from one room to another that is not below it.
fn upward(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let rooms = rooms();
    let height = |module: &Module| {
        let height = rooms.iter().position(|room| *room == module[0]);
        height.unwrap_or_else(|| panic!("{} has no row in the table of ARCHITECTURE.md: give it one", module[0]))
    };
    let mut found = Vec::new();
    for (from, targets) in arrows {
        for to in targets.iter().filter(|to| to[0] != from[0] && height(to) >= height(from)) {
            found.push(format!("{} uses {}", from.join("::"), to.join("::")));
        }
    }
    found
}

/// Files that lead back to themselves, each with those of its arrows that do.
fn cyclic(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<String> {
    let reach = |from: &Module| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(file) = next.pop() {
            for target in arrows.get(file).into_iter().flatten() {
                if seen.insert(target) {
                    next.push(target);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<&Module>> = arrows.keys().map(|file| (file, reach(file))).collect();
    let leads_to = |from: &Module, to: &Module| reached.get(from).is_some_and(|seen| seen.contains(to));
    let cyclic = arrows.iter().filter(|(file, _)| leads_to(file, file));
    let named = cyclic.map(|(file, targets)| {
        let back = targets.iter().filter(|target| leads_to(target, file)).map(|target| target.join("::"));
        format!("{} uses {}", file.join("::"), back.collect::<Vec<_>>().join(", "))
    });
    named.collect()
}

#[test]
fn rooms_use_rooms_below_them() {
    let found = upward(&Sources::read().arrows());
    assert!(found.is_empty(), "upward:\n{}", found.join("\n"));
}

#[test]
fn no_files_use_each_other() {
    let found = cyclic(&Sources::read().arrows());
    assert!(found.is_empty(), "in a cycle:\n{}", found.join("\n"));
}

/// An arrow that is turned round is seen, whether it stands in an import, in code or in a macro, and through names that are passed on.
#[test]
fn upward_arrows_and_cycles_are_seen() {
    let below: Module = vec!["tokens".into()];
    for code in [
        "use crate::simulate::Event;",
        "use crate::{model::Model, simulate::{self, Event}};",
        "fn f() -> crate::simulate::Event { todo!() }",
        "fn f() { println!(\"{}\", crate::simulate::step()); }",
        "mod inner { use super::super::simulate::Event; }",
        "use crate::run::Event;",
    ] {
        let mut sources = Sources::read();
        sources.files.insert(below.clone(), syn::parse_file(code).expect("code"));
        let arrows = sources.arrows();
        assert!(!upward(&arrows).is_empty(), "{code}");
    }
    let allowed = "#[cfg(test)] mod inner { use crate::simulate::Event; } use crate::random::Stream;";
    let mut sources = Sources::read();
    sources.files.insert(below.clone(), syn::parse_file(allowed).expect("code"));
    assert_eq!(sources.arrows()[&below], BTreeSet::from([vec!["random".to_owned()]]));
    let (a, b): (Module, Module) = (vec!["tokens".into(), "a".into()], vec!["tokens".into(), "b".into()]);
    let mut sources = Sources::read();
    sources.files = BTreeMap::new();
    for (module, code) in [(&a, "use super::b::B;"), (&b, "use super::a::A;")] {
        sources.files.insert(module.clone(), syn::parse_file(code).expect("code"));
        sources.passed_on.insert(module.clone(), BTreeMap::new());
    }
    assert_eq!(cyclic(&sources.arrows()), ["tokens::a uses tokens::b", "tokens::b uses tokens::a"]);
}
