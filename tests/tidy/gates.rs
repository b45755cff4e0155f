//! Who decides by the terms of a model, decides on all of them: a new field does not compile, and a new variant does not match, before
//! every such function has said what it means there.

use std::collections::BTreeMap;

use syn::{
    Arm, Expr, ExprField, ExprMatch, File, ImplItemFn, Item, ItemFn, Member, Pat, PatStruct,
    visit::{Visit, visit_expr_field, visit_expr_match, visit_impl_item_fn, visit_item_fn, visit_pat_struct},
};

use super::files;

/// Functions that decide whether a way of computing serves a problem.
const GATES: &[(&str, &[&str])] = &[
    (
        "src/model/terms.rs",
        &[
            "is_divided",
            "takes_one_reduction",
            "is_pointwise",
            "is_in_operands",
            "is_in_values",
            "has_biases",
            "is_multiple_of_identity",
            "has_products",
            "sees_all",
            "treats_all_alike",
            "is_plain",
            "is_attention_alone",
        ],
    ),
    ("src/backend/algorithm.rs", &["serves"]),
    ("src/backend/ranks/terms.rs", &["check", "check_attention"]),
    ("src/backend/stepper.rs", &["repeats_one_step"]),
    ("src/backend/cpu/ensemble/replicas.rs", &["serves", "suits"]),
    ("src/backend/cpu/series/mod.rs", &["is_bare"]),
    ("src/backend/cpu/shift.rs", &["shift"]),
    ("src/backend/gpu/layout/terms.rs", &["check", "places_of", "simple", "fits_advance", "is_plain"]),
    ("src/backend/gpu/layout/half.rs", &["check", "longest"]),
    ("src/backend/gpu/field/heads.rs", &["peak"]),
    ("src/limit/mod.rs", &["serves", "on_sphere", "is_isotropic"]),
    ("src/limit/gaussian.rs", &["keeps_normal_laws"]),
    ("src/limit/equiangular.rs", &["keeps_overlaps", "geometry_of", "are_alike"]),
    ("src/limit/zonal/mod.rs", &["keeps_laws_zonal"]),
    (
        "src/observables/dissipation.rs",
        &["flow_slope", "moves_by_attention", "is_in_place", "has_rate", "slope", "value_over_query_key"],
    ),
    ("src/observables/potential_energy.rs", &["is_gradient"]),
    ("src/observables/lyapunov.rs", &["has_noises"]),
    ("src/problem/check/mod.rs", &["check", "check_tokens"]),
    ("src/problem/check/model.rs", &["check", "check_geometry", "check_attention", "check_head", "check_perceptron"]),
    ("src/problem/check/schedule.rs", &["needs_even_steps", "needs_whole_steps"]),
    ("src/sweep/batch.rs", &["serves"]),
    ("src/simulate/ascent.rs", &["of"]),
];

/// Names of functions that are gates wherever they stand.
const NAMES: &[&str] = &["serves", "suits", "is_plain", "check"];

/// What gates take apart.
const STRUCTS: &[&str] = &["Problem", "Tokens", "Model", "Attention", "Head", "Biases", "Perceptron", "Noise"];

/// Kinds of terms.
const ENUMS: &[&str] = &[
    "Normalization",
    "Mask",
    "Position",
    "Geometry",
    "Matrix",
    "NoiseField",
    "Calculus",
    "Activation",
    "ModelSchedule",
    "Part",
    "MatrixSchedule",
    "Law",
    "Form",
    "LawKind",
];

fn parsed() -> Vec<(String, File)> {
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("/tests.rs");
    let sources = files("src", "rs").into_iter().map(|(path, text)| (path.display().to_string(), text));
    let sources = sources.filter(|(path, _)| !is_test(path));
    sources.map(|(path, text)| (path, syn::parse_file(&text).expect("Rust"))).collect()
}

/// The names of the fields of [`STRUCTS`].
#[derive(Default)]
struct Fields(Vec<String>);

impl<'ast> Visit<'ast> for Fields {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if STRUCTS.contains(&item.ident.to_string().as_str()) {
            self.0.extend(item.fields.iter().filter_map(|field| Some(field.ident.as_ref()?.to_string())));
        }
    }
}

/// The functions of a file by name, outside its tests, and what is wrong with each if it is a gate.
struct Gates<'a> {
    fields: &'a [String],
    functions: Vec<String>,
    found: BTreeMap<String, Vec<String>>,
}

impl Gates<'_> {
    fn of<'a>(fields: &'a [String], file: &File) -> Gates<'a> {
        let mut gates = Gates { fields, functions: Vec::new(), found: BTreeMap::new() };
        gates.visit_file(file);
        gates
    }

    fn report(&mut self, what: String) {
        if let Some(function) = self.functions.last() {
            self.found.entry(function.clone()).or_default().push(what);
        }
    }

    fn enter(&mut self, name: &syn::Ident) {
        self.functions.push(name.to_string());
        self.found.entry(name.to_string()).or_default();
    }
}

impl<'ast> Visit<'ast> for Gates<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !matches!(item, Item::Mod(inner) if inner.content.is_some()) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.enter(&item.sig.ident);
        visit_item_fn(self, item);
        self.functions.pop();
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.enter(&item.sig.ident);
        visit_impl_item_fn(self, item);
        self.functions.pop();
    }

    fn visit_pat_struct(&mut self, pattern: &'ast PatStruct) {
        let name = pattern.path.segments.last().expect("a path").ident.to_string();
        if pattern.rest.is_some() && STRUCTS.contains(&name.as_str()) {
            self.report(format!(
                "{name} {{ .. }} passes over fields: name each of them, with `_` where it does not matter"
            ));
        }
        visit_pat_struct(self, pattern);
    }

    fn visit_expr_field(&mut self, access: &'ast ExprField) {
        if let Member::Named(name) = &access.member
            && self.fields.contains(&name.to_string())
            && !matches!(&*access.base, Expr::Path(path) if path.path.is_ident("self"))
        {
            self.report(format!(".{name} is read beside all other fields: take the whole apart"));
        }
        visit_expr_field(self, access);
    }
}

/// Matches over kinds of terms that pass over some of them.
#[derive(Default)]
struct Matches(Vec<String>);

/// The kind of term that a pattern names, if any.
fn kind(pattern: &Pat) -> Option<String> {
    let of_path = |path: &syn::Path| {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        names.iter().rev().nth(1).filter(|name| ENUMS.contains(&name.as_str())).cloned()
    };
    match pattern {
        Pat::Path(path) => of_path(&path.path),
        Pat::Struct(pattern) => of_path(&pattern.path),
        Pat::TupleStruct(pattern) => of_path(&pattern.path),
        Pat::Or(either) => either.cases.iter().find_map(kind),
        Pat::Tuple(tuple) => tuple.elems.iter().find_map(kind),
        Pat::Ident(named) => named.subpat.as_ref().and_then(|(_, pattern)| kind(pattern)),
        Pat::Paren(inner) => kind(&inner.pat),
        Pat::Reference(inner) => kind(&inner.pat),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Matches {
    fn visit_item(&mut self, item: &'ast Item) {
        if !matches!(item, Item::Mod(inner) if inner.content.is_some()) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        let takes_all = |arm: &Arm| {
            let is_whole = match &arm.pat {
                Pat::Wild(_) => true,
                Pat::Ident(name) => name.subpat.is_none(),
                _ => false,
            };
            is_whole && arm.guard.is_none()
        };
        if let Some(kind) = expression.arms.iter().find_map(|arm| kind(&arm.pat))
            && expression.arms.iter().any(takes_all)
        {
            self.0.push(format!("a match over {kind} has an arm for all others: name the variants"));
        }
        visit_expr_match(self, expression);
    }
}

fn passed_over(file: &File) -> Vec<String> {
    let mut matches = Matches::default();
    matches.visit_file(file);
    matches.0
}

fn fields(files: &[(String, File)]) -> Vec<String> {
    // Others have structs of the same names.
    let defines =
        |path: &str| ["src/model/", "src/problem.rs", "src/tokens.rs"].iter().any(|room| path.starts_with(room));
    let mut fields = Fields::default();
    files.iter().filter(|(path, _)| defines(path)).for_each(|(_, file)| fields.visit_file(file));
    fields.0
}

#[test]
fn gates_decide_on_every_field() {
    let files = parsed();
    let fields = fields(&files);
    assert!(["beta_factors", "perceptron", "is_shared"].iter().all(|field| fields.iter().any(|name| name == field)));
    let mut found = Vec::new();
    for (path, file) in &files {
        let gates = Gates::of(&fields, file).found;
        let listed = GATES.iter().find(|(gate, _)| gate == path).map_or(&[][..], |(_, functions)| *functions);
        for function in listed {
            let wrong =
                gates.get(*function).unwrap_or_else(|| panic!("{path} has no function {function}: correct GATES"));
            found.extend(wrong.iter().map(|wrong| format!("{path}: {function}: {wrong}")));
        }
        for name in NAMES.iter().filter(|name| gates.contains_key(**name) && !listed.contains(name)) {
            if !gates[*name].is_empty() {
                found.push(format!("{path}: {name} decides by terms of a model and is not in GATES"));
            }
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
    let listed = GATES.iter().filter(|(path, _)| !files.iter().any(|(file, _)| file == path));
    assert_eq!(listed.count(), 0, "GATES names files that are not there");
}

#[test]
fn matches_over_terms_name_their_variants() {
    let found = parsed().into_iter().flat_map(|(path, file)| {
        passed_over(&file).into_iter().map(move |wrong| format!("{path}: {wrong}")).collect::<Vec<_>>()
    });
    let found: Vec<String> = found.collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Fields and variants that are passed over are seen, however they are written.
#[test]
fn gates_that_pass_over_terms_are_seen() {
    let fields = ["noise".to_owned()];
    for code in [
        "fn serves(m: &Model) -> bool { let Model { geometry, .. } = m; true }",
        "fn serves(m: &Model) -> bool { if let crate::model::Model { .. } = m { true } else { false } }",
        "fn serves(m: &Model) -> bool { m.heads.iter().all(|Head { beta, .. }| beta.is_none()) }",
        "fn serves(p: &Problem) -> bool { p.model.noise.is_none() }",
    ] {
        let file = syn::parse_file(code).expect("code");
        assert!(!Gates::of(&fields, &file).found["serves"].is_empty(), "{code}");
    }
    let good = "fn serves(m: &Model) -> bool { let Model { geometry: _, noise } = m; noise.is_none() }";
    assert!(Gates::of(&fields, &syn::parse_file(good).expect("code")).found["serves"].is_empty());
    for code in [
        "fn f(m: Mask) { match m { Mask::None => {} _ => {} } }",
        "fn f(m: Mask) { match (m, 1) { (Mask::None | Mask::Others, _) => {} other => {} } }",
        "fn f(m: &Matrix) { match m { Matrix::Product { left, .. } => {} matrix => {} } }",
    ] {
        assert_eq!(passed_over(&syn::parse_file(code).expect("code")).len(), 1, "{code}");
    }
    let good = "fn f(m: Mask) { match m { Mask::None => {} other @ (Mask::Causal | Mask::Others) => {} } }";
    assert!(passed_over(&syn::parse_file(good).expect("code")).is_empty());
}
