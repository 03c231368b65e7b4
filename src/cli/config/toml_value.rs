//! A word of the command line as a value of TOML.

use std::path::PathBuf;

use clap::Arg;
use toml::Value;

use super::has_type;
use crate::cli::list::List;
use crate::pipeline::ClassWeight;

/// The texts of a flag's records, which have been parsed before.
pub fn texts(words: &[&str]) -> Vec<String> {
    let lists: Vec<List> = words.iter().filter_map(|word| word.parse().ok()).collect();
    List::texts(&lists).into_iter().map(String::from).collect()
}

/// A word as TOML that [`word`](super::word) makes the same word of.
pub fn toml(arg: &Arg, word: &str) -> String {
    let parser = arg.get_value_parser();
    let text = || Value::String(word.into()).to_string();
    let array = || Value::Array(texts(&[word]).into_iter().map(Value::String).collect()).to_string();
    if has_type::<List>(parser) || (has_type::<ClassWeight>(parser) && word.contains('=')) {
        return array();
    }
    if has_type::<String>(parser) || has_type::<PathBuf>(parser) {
        return text();
    }
    if has_type::<bool>(parser) {
        return word.into();
    }
    let numbers: Option<Vec<String>> = word.split(',').map(|word| number(word.trim())).collect();
    match numbers {
        Some(numbers) if numbers.len() == 1 => numbers.concat(),
        Some(numbers) => format!("[{}]", numbers.join(", ")),
        None => text(),
    }
}

/// A number as TOML writes it; none for an integer that TOML cannot hold.
fn number(word: &str) -> Option<String> {
    let integer = word.parse().ok().map(|value: i64| value.to_string());
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    let float = || word.parse().ok().filter(|value: &f64| !digits && value.is_finite());
    integer.or_else(|| float().map(|value| format!("{value:?}")))
}
