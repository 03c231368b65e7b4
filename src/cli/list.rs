//! Flags that take a list: `--ignore a,b`. An argument is a record of CSV, so that a text that has a comma can be quoted, and
//! the flag may be repeated.

use std::collections::HashSet;
use std::str::FromStr;

use csv::ReaderBuilder;

use crate::error::{Error, Result, shorten};

/// The texts of one argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List(Vec<String>);

impl FromStr for List {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut records = reader.records().map(|record| Ok(record?.iter().map(String::from).collect()));
        let all: csv::Result<Vec<Vec<String>>> = records.by_ref().take(2).collect();
        let found = || format!("`{}`", shorten(text));
        let unfit =
            |found| Error::Setting { what: "a list", found, expected: "texts separated by commas, on one line".into() };
        match all.map_err(|_| unfit(found()))?.as_slice() {
            [] => Ok(Self(Vec::new())),
            [texts] => Ok(Self(texts.clone())),
            _ => Err(unfit(found())),
        }
    }
}

impl List {
    /// All texts of a flag that may have been repeated.
    pub fn texts(lists: &[Self]) -> Vec<&str> {
        lists.iter().flat_map(|list| &list.0).map(String::as_str).collect()
    }

    /// The same as names of columns. A name that has commas may stand there without quotes: texts that together are a known
    /// name, where the first one alone is none, are one name.
    pub fn columns(lists: &[Self], known: &[String]) -> Vec<String> {
        let texts = Self::texts(lists);
        let pieces = known.iter().map(|name| 1 + name.matches(',').count()).max().unwrap_or(1);
        let known: HashSet<&str> = known.iter().map(String::as_str).collect();
        let (mut names, mut at) = (Vec::new(), 0);
        while at < texts.len() {
            let mut longer = at + 2..=texts.len().min(at + pieces);
            let whole = |end: &usize| known.contains(texts[at..*end].join(",").as_str());
            let end = if known.contains(texts[at]) { None } else { longer.find(whole) }.unwrap_or(at + 1);
            names.push(texts[at..end].join(","));
            at = end;
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(argument: &str) -> Vec<String> {
        argument.parse::<List>().unwrap().0
    }

    #[test]
    fn an_argument_is_a_record() {
        for (argument, expected) in [
            ("a,b", vec!["a", "b"]),
            ("\"Weight, kg\",b", vec!["Weight, kg", "b"]),
            ("\"5\"\" pipe\"", vec!["5\" pipe"]),
            (" a, b ", vec![" a", " b "]),
            ("", vec![]),
            ("\"\"", vec![""]),
            ("a,", vec!["a", ""]),
            ("\"a\nb\"", vec!["a\nb"]),
        ] {
            assert_eq!(texts(argument), expected, "{argument}");
            assert_eq!(texts(&crate::error::record(&expected)), expected, "{argument}");
        }
        assert!("a\nb".parse::<List>().is_err());
    }

    #[test]
    fn a_known_name_may_have_commas() {
        let known = ["a", "Weight, kg", "x,y", "x", "p,q,r"].map(String::from);
        let names = |arguments: &[&str]| {
            let lists: Vec<List> = arguments.iter().map(|text| text.parse().unwrap()).collect();
            List::columns(&lists, &known)
        };
        assert_eq!(names(&["Weight, kg"]), ["Weight, kg"]);
        assert_eq!(names(&["\"Weight, kg\"", "a"]), ["Weight, kg", "a"]);
        assert_eq!(names(&["a,Weight, kg,x"]), ["a", "Weight, kg", "x"]);
        assert_eq!(names(&["p,q,r,z"]), ["p,q,r", "z"]);
        // A name of its own is one, and quotes decide.
        assert_eq!(names(&["x,y"]), ["x", "y"]);
        assert_eq!(names(&["\"x,y\""]), ["x,y"]);
        assert_eq!(names(&["b,c"]), ["b", "c"]);
    }
}
