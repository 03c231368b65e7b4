//! The README is read in a minute, and what it and the docs point to is there.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines and characters of a line that the README may have.
const LINES: std::ops::RangeInclusive<usize> = 110..=130;
const WIDTH: usize = 100;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn it_is_short() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(LINES.contains(&text.lines().count()), "{} lines, expected {LINES:?}", text.lines().count());
    for (index, line) in text.lines().enumerate() {
        let width = line.chars().count();
        assert!(width <= WIDTH, "README.md:{}: {width} characters, at most {WIDTH}", index + 1);
    }
}

/// Targets of the links of a Markdown text, without those to the web and to places of the same text.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.starts_with("http"))
}

#[test]
fn links_lead_to_files() {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let texts = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let mut found = 0;
    for path in texts.chain([root().join("README.md")]) {
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&text) {
            let target = path.parent().unwrap_or(Path::new("")).join(link);
            assert!(target.exists(), "{}: no file {link}", path.display());
            found += 1;
        }
    }
    assert!(found > 40, "{found} links");
}
