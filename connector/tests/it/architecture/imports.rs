//! Which source file uses which, read from the `use` declarations and paths of their code. Tests are
//! left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::Visit;
use syn::{Attribute, ImplItemFn, Item, ItemUse, Meta, UseTree};

/// A module by its path from the crate's root; the root itself is empty.
type Module = Vec<String>;

/// The files of one crate and what they use of each other.
pub(super) struct Crate {
    /// The file of each module, as a path from `src`.
    files: BTreeMap<Module, String>,
    /// The files that each file uses, without itself.
    pub(super) uses: BTreeMap<String, BTreeSet<String>>,
    syntax: BTreeMap<String, syn::File>,
}

impl Crate {
    /// Reads all files below `src`.
    pub(super) fn read(src: &Path) -> Self {
        let mut paths = Vec::new();
        super::sources(src, &mut paths);
        let mut files = BTreeMap::new();
        let mut syntax = BTreeMap::new();
        for path in paths {
            let name = path.strip_prefix(src).unwrap().display().to_string();
            let text = std::fs::read_to_string(&path).unwrap();
            files.insert(module_of(&name), name.clone());
            syntax.insert(name, syn::parse_file(&text).unwrap());
        }
        let tests: BTreeSet<Module> =
            files.iter().flat_map(|(module, file)| test_modules(module, &syntax[file])).collect();
        files.retain(|module, _| !tests.contains(module));
        let mut found = Self { files, uses: BTreeMap::new(), syntax };
        for (module, file) in &found.files {
            let mut paths = Paths { found: BTreeSet::new() };
            for item in &found.syntax[file].items {
                paths.visit_item(item);
            }
            let used = paths.found.iter().filter_map(|path| found.resolve(module, path));
            let others = used.filter(|other| other != file).collect();
            found.uses.insert(file.clone(), others);
        }
        found
    }

    /// The file that `path`, written in `module`, leads to; none outside the crate.
    fn resolve(&self, module: &Module, path: &[String]) -> Option<String> {
        let mut at = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = rest.get(1..)?;
            }
            "self" => rest = rest.get(1..)?,
            "super" => {
                while rest.first().is_some_and(|part| part == "super") {
                    at.pop();
                    rest = rest.get(1..)?;
                }
            }
            _ => return None,
        }
        for part in rest {
            let mut next = at.clone();
            next.push(part.clone());
            if !self.files.contains_key(&next) {
                break;
            }
            at = next;
        }
        self.files.get(&at).cloned()
    }

    /// Sets of files that use each other, directly or through others.
    pub(super) fn circles(&self) -> Vec<BTreeSet<String>> {
        let reach: BTreeMap<&String, BTreeSet<&String>> =
            self.uses.keys().map(|file| (file, self.reachable(file))).collect();
        let mut circles: Vec<BTreeSet<String>> = Vec::new();
        for (file, reached) in &reach {
            if !reached.contains(*file) || circles.iter().any(|circle| circle.contains(*file)) {
                continue;
            }
            let circle = reached.iter().filter(|other| reach[**other].contains(*file));
            circles.push(circle.map(|other| (*other).clone()).collect());
        }
        circles
    }

    fn reachable<'c>(&'c self, file: &'c String) -> BTreeSet<&'c String> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![file];
        while let Some(file) = waiting.pop() {
            for other in &self.uses[file] {
                if reached.insert(other) {
                    waiting.push(other);
                }
            }
        }
        reached
    }

    /// The methods that each file defines of `type_name`, and those of `self` that it calls in them.
    pub(super) fn methods(&self, type_name: &str) -> BTreeMap<String, Methods> {
        let of_file = |file: &syn::File| {
            let mut methods = Methods::default();
            for item in &file.items {
                let Item::Impl(item) = item else { continue };
                let syn::Type::Path(path) = &*item.self_ty else { continue };
                let is_it = path.path.segments.last().is_some_and(|last| last.ident == type_name);
                if is_it && item.trait_.is_none() {
                    methods.visit_item_impl(item);
                }
            }
            methods
        };
        self.syntax.iter().map(|(name, file)| (name.clone(), of_file(file))).collect()
    }
}

/// What one file defines and calls of a type.
#[derive(Default)]
pub(super) struct Methods {
    pub(super) defined: BTreeSet<String>,
    pub(super) called: BTreeSet<String>,
}

impl<'ast> Visit<'ast> for Methods {
    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.defined.insert(item.sig.ident.to_string());
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if matches!(&*call.receiver, syn::Expr::Path(path) if path.path.is_ident("self")) {
            self.called.insert(call.method.to_string());
        }
        syn::visit::visit_expr_method_call(self, call);
    }
}

/// All paths of a file's code that may lead to another one.
struct Paths {
    found: BTreeSet<Vec<String>>,
}

impl Paths {
    fn add_tree(&mut self, prefix: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            UseTree::Name(name) => _ = self.found.insert(with(&name.ident)),
            UseTree::Rename(name) => _ = self.found.insert(with(&name.ident)),
            UseTree::Glob(_) => _ = self.found.insert(prefix.to_vec()),
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(prefix, tree));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(it) => &it.attrs,
            Item::Fn(it) => &it.attrs,
            Item::Use(it) => &it.attrs,
            Item::Impl(it) => &it.attrs,
            _ => &[],
        };
        if !attributes.iter().any(is_test) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&[], &item.tree);
    }

    /// Who may use an item is no use of it.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.found.insert(path.segments.iter().map(|part| part.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }
}

/// The files that `module` declares for tests alone.
fn test_modules(module: &Module, file: &syn::File) -> Vec<Module> {
    let declared = file.items.iter().filter_map(|item| match item {
        Item::Mod(it) if it.content.is_none() && it.attrs.iter().any(is_test) => Some(it),
        _ => None,
    });
    declared.map(|it| [module.as_slice(), &[it.ident.to_string()]].concat()).collect()
}

/// Whether an attribute is `#[cfg(test)]`, or `#[cfg(all(test, …))]`.
fn is_test(attribute: &Attribute) -> bool {
    let Meta::List(list) = &attribute.meta else { return false };
    let condition = list.tokens.to_string().replace(' ', "");
    list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all(test,"))
}

/// The module that a file of `src` is.
fn module_of(file: &str) -> Module {
    let bare = file.strip_suffix(".rs").unwrap();
    let mut parts: Module = bare.split('/').map(str::to_owned).collect();
    match parts.last().map(String::as_str) {
        Some("mod") => _ = parts.pop(),
        Some("lib" | "main") if parts.len() == 1 => parts.clear(),
        _ => {}
    }
    parts
}
