//! Numbers and the texts that they are written as.

use std::collections::HashSet;

/// Whole numbers up to this one are different as f64 where they are different: 2⁵³.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The finite number that a text stands for. Decimal and exponent notation, with a point.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A number as a text at its shortest; −0 is 0.
pub(super) fn of_number(number: f64) -> String {
    (number + 0.0).to_string()
}

/// Whether a number is whole and no other whole number is the same as f64.
pub(super) fn is_exact(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() < EXACT
}

/// Whether a text looks like a code: digits alone, three or more of them, the first a zero.
pub(super) fn is_code(label: &str) -> bool {
    label.len() > 2 && label.starts_with('0') && label.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a number has a zero in front that it does not need.
pub(super) fn is_padded(label: &str) -> bool {
    let first = label.find(|char: char| char.is_ascii_digit()).unwrap_or(label.len());
    let (front, digits) = (&label[..first], &label.as_bytes()[first..]);
    !front.ends_with(['.', ',']) && digits.first() == Some(&b'0') && digits.get(1).is_some_and(u8::is_ascii_digit)
}

/// Whether a whole number is another one as f64. Numbers with a fraction or an exponent are rounded anyway.
pub(super) fn loses_digits(label: &str, value: f64) -> bool {
    if value.is_nan() || value.abs() < EXACT {
        return false;
    }
    // A fraction of nothing but zeros makes no other number.
    let label = match label.split_once('.') {
        Some((whole, fraction)) if !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0') => whole,
        _ => label,
    };
    let digits: String = label.chars().filter(char::is_ascii_digit).collect();
    let whole = !label.contains(['.', 'e', 'E']) || label.matches('.').count() > 1;
    whole && digits.parse::<u128>().ok() != Some(value.abs() as u128)
}

/// The distinct numbers, ascending; −0 is 0. The search ends where more than `most` are found.
pub(super) fn distinct(values: &[f64], most: usize) -> Vec<f64> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for &value in values {
        if seen.insert(key(value)) {
            found.push(value + 0.0);
            if found.len() > most {
                break;
            }
        }
    }
    found.sort_by(f64::total_cmp);
    found
}

/// Bits that are equal where finite numbers are: −0 has those of 0.
fn key(value: f64) -> u64 {
    (value + 0.0).to_bits()
}
