//! The papers: every relative link of a Markdown file leads to a file, every anchor to a heading of
//! it, and every path in inline code exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::root;

/// The folders whose paths papers write in inline code.
const FOLDERS: &[&str] = &["connector/", "docs/", "host-sdk/", "schemas/", "test-host/"];

/// A Markdown file without its fenced code.
struct Paper {
    prose: String,
}

impl Paper {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut in_code = false;
        let prose = text.lines().filter(|line| {
            let is_fence = line.trim_start().starts_with("```");
            in_code ^= is_fence;
            !in_code && !is_fence
        });
        Self { prose: prose.collect::<Vec<_>>().join("\n") }
    }

    /// The targets of `[text](target)`.
    fn links(&self) -> impl Iterator<Item = &str> {
        self.prose.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link)
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> BTreeSet<String> {
        let mut seen = BTreeMap::<String, usize>::new();
        let headings = self.prose.lines().filter(|line| line.starts_with('#'));
        headings
            .map(|line| {
                let anchor = anchor(line.trim_start_matches('#').trim());
                let count = seen.entry(anchor.clone()).or_default();
                *count += 1;
                if *count == 1 { anchor } else { format!("{anchor}-{}", *count - 1) }
            })
            .collect()
    }

    /// The paths in inline code; what holds a placeholder or a blank is none.
    fn paths(&self) -> impl Iterator<Item = &str> {
        self.prose.split('`').skip(1).step_by(2).filter(|code| {
            FOLDERS.iter().any(|folder| code.starts_with(folder))
                && !code.contains(|c: char| c.is_whitespace() || "*{}<>…".contains(c))
                && !code.split(['/', '.']).any(|part| part.len() > 1 && part == part.to_uppercase())
        })
    }
}

fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
}

/// Every Markdown file below `folder`; build output and hidden folders are left out.
fn markdown(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                markdown(&path, found);
            }
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// `path` without `..`.
fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut whole, part| {
        match part {
            Component::ParentDir => drop(whole.pop()),
            Component::CurDir => {}
            part => whole.push(part),
        }
        whole
    })
}

/// Why the link leads nowhere, if it does not.
fn flaw(papers: &BTreeMap<PathBuf, Paper>, from: &Path, link: &str) -> Option<&'static str> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => from.to_owned(),
        _ => normal(&from.parent().unwrap().join(file)),
    };
    if !target.starts_with(root()) || !target.exists() {
        return Some("there is no such file");
    }
    let is_known = || papers.get(&target).is_some_and(|paper| paper.anchors().contains(anchor));
    (!anchor.is_empty() && !is_known()).then_some("there is no such heading")
}

#[test]
fn links_of_papers_lead_somewhere() {
    let mut paths = Vec::new();
    markdown(&root(), &mut paths);
    let papers: BTreeMap<PathBuf, Paper> =
        paths.into_iter().map(|path| (path.clone(), Paper::read(&path))).collect();
    let links: usize = papers.values().map(|paper| paper.links().count()).sum();
    assert!(links > 20, "only {links} links were found");
    let mut flaws = Vec::new();
    for (path, paper) in &papers {
        let name = path.strip_prefix(root()).unwrap().display();
        let links = paper.links().filter_map(|link| Some((link, flaw(&papers, path, link)?)));
        flaws.extend(links.map(|(link, why)| format!("{name}: ({link}): {why}")));
        let missing = paper.paths().filter(|written| !root().join(written).exists());
        flaws.extend(missing.map(|written| format!("{name}: `{written}` does not exist")));
    }
    assert_eq!(flaws, Vec::<String>::new());
}

#[test]
fn anchors_are_those_of_github() {
    assert_eq!(anchor("Two commands"), "two-commands");
    assert_eq!(anchor("What can't be `promised`, ever?"), "what-cant-be-promised-ever");
    let text = "# A b\n```sh\n# no heading\n```\n## A b\n";
    let prose = text.replace("```sh\n# no heading\n```\n", "");
    let paper = Paper { prose };
    assert_eq!(paper.anchors(), BTreeSet::from(["a-b".to_owned(), "a-b-1".to_owned()]));
}
