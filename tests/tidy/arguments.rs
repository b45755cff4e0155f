//! No function takes a tuple to hide its arguments: a pair of the same thing, as two coordinates are, is the only tuple allowed.

use quote::ToTokens;
use syn::{
    FnArg, ImplItemFn, ItemFn, ItemImpl, Pat, Signature, Type,
    visit::{Visit, visit_impl_item_fn, visit_item_fn, visit_item_impl},
};

use super::files;

#[derive(Default)]
struct Functions {
    /// Those of traits, which others have signed, are left out.
    in_trait: bool,
    found: Vec<String>,
}

impl Functions {
    fn check(&mut self, signature: &Signature) {
        for argument in &signature.inputs {
            if let FnArg::Typed(argument) = argument
                && hides_arguments(&argument.pat, &argument.ty)
            {
                self.found.push(format!("{}: {}", signature.ident, argument.to_token_stream()));
            }
        }
    }
}

fn hides_arguments(pattern: &Pat, mut kind: &Type) -> bool {
    while let Type::Reference(reference) = kind {
        kind = &reference.elem;
    }
    match kind {
        Type::Tuple(tuple) => tuple.elems.iter().any(|element| *element != tuple.elems[0]),
        _ => matches!(pattern, Pat::Tuple(_)),
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, function: &'a ItemFn) {
        self.check(&function.sig);
        visit_item_fn(self, function);
    }

    fn visit_item_impl(&mut self, item: &'a ItemImpl) {
        let before = std::mem::replace(&mut self.in_trait, item.trait_.is_some());
        visit_item_impl(self, item);
        self.in_trait = before;
    }

    fn visit_impl_item_fn(&mut self, function: &'a ImplItemFn) {
        if !self.in_trait {
            self.check(&function.sig);
        }
        visit_impl_item_fn(self, function);
    }
}

fn found(text: &str) -> Vec<String> {
    let mut functions = Functions::default();
    functions.visit_file(&syn::parse_file(text).expect("valid source"));
    functions.found
}

#[test]
fn functions_name_their_arguments() {
    for (path, text) in [files("src", "rs"), files("tests", "rs"), files("examples", "rs")].concat() {
        let found = found(&text);
        assert!(found.is_empty(), "{}: arguments in tuples: {found:?}", path.display());
    }
}

#[test]
fn tuples_that_hide_arguments_are_found() {
    assert_eq!(found("fn f((a, b): (f64, &[f64]), c: u32) {}").len(), 1);
    assert_eq!(found("struct S; impl S { fn f(&self, at: &(usize, f64)) {} }").len(), 1);
    assert_eq!(found("fn f((a, b): Pair) {}").len(), 1);
    assert_eq!(found("fn f((x, y): (i32, i32)) {} impl T for S { fn f(&self, (x, y): Coord) {} }").len(), 0);
}
