//! Numbers for people. One function for each kind: scores, figures in a unit, values of a table, marks of an axis.

use std::ops::Range;

use super::count;

/// Digits of a loss or an error.
const FIGURE: usize = 5;
/// Digits of a value of a column.
const VALUE: usize = 6;
/// Whole numbers below it are printed whole: f64 holds each of them.
const WHOLE: f64 = 1e15;

/// A score, 1 at best, as accuracies and R² are: four decimals, and none of them a minus in front of zeros.
pub fn score(number: f64) -> String {
    if number.abs() >= 1e7 {
        return significant(number, FIGURE);
    }
    let text = format!("{number:.4}");
    if text == "-0.0000" { "0.0000".into() } else { text }
}

/// So many things, one of which is named: 1 epoch, 10,000 epochs.
pub fn count_of(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A loss, or an error in the target's unit: five digits that count.
pub fn figure(number: f64) -> String {
    significant(number, FIGURE)
}

/// A value of a column, or what was computed from some: six digits that count, without zeros at the end; whole numbers
/// whole.
pub fn value(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < WHOLE { format!("{}", number + 0.0) } else { brief(number, VALUE) }
}

/// At most so many digits that count, without zeros at the end.
pub fn brief(number: f64, digits: usize) -> String {
    let text = significant(number, digits);
    let (mantissa, exponent) = text.find('e').map_or((text.as_str(), ""), |at| text.split_at(at));
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    format!("{mantissa}{exponent}")
}

/// So many digits that count, from 1e-4 to 1e7 without an exponent, where digits in front of the point are never
/// rounded.
pub fn significant(number: f64, digits: usize) -> String {
    if number == 0.0 || !number.is_finite() {
        return format!("{}", number + 0.0);
    }
    // As it is rounded: 0.99999999 is 1.
    let text = format!("{number:.*e}", digits.saturating_sub(1));
    let exponent: i32 = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    if !(-4..7).contains(&exponent) {
        return text;
    }
    let decimals = (digits as i32 - 1 - exponent).max(0) as usize;
    format!("{number:.decimals$}")
}

/// Names for the marks of an axis: as many digits as tell a mark from the next one.
pub fn marks(axis: &Range<f64>) -> impl Fn(f64) -> String + use<> {
    /// More marks than any axis has.
    const MARKS: f64 = 10.0;
    let power = |number: f64| number.abs().max(f64::MIN_POSITIVE).log10().floor();
    let step = (axis.end - axis.start) / MARKS;
    let digits = power(axis.start).max(power(axis.end)) - power(step) + 1.0;
    let digits = digits.clamp(3.0, 12.0) as usize;
    // What is left of 0 where marks are summed up.
    let nothing = step.abs() * 1e-6;
    move |number| if number.abs() < nothing { "0".into() } else { brief(number, digits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_digits_at_every_magnitude() {
        for (number, text) in [
            (4.612_345e-7, "4.6123e-7"),
            (4.6e-7, "4.6000e-7"),
            (-1.234_56e-300, "-1.2346e-300"),
            (9.999_99e-5, "0.00010000"),
            (9.9e-5, "9.9000e-5"),
            (0.000_123_456, "0.00012346"),
            (0.247_79, "0.24779"),
            (0.999_999_9, "1.0000"),
            (12.345_678, "12.346"),
            (36_480.49, "36480"),
            (-1_234_567.8, "-1234568"),
            (9_999_999.9, "1.0000e7"),
            (12_345_678.0, "1.2346e7"),
            (1.5e300, "1.5000e300"),
            (5e-324, "4.9407e-324"),
            (0.0, "0"),
            (-0.0, "0"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(figure(number), text, "{number}");
        }
    }

    #[test]
    fn scores_have_four_decimals_and_no_minus_before_zeros() {
        for (number, text) in [
            (0.906_66, "0.9067"),
            (1.0, "1.0000"),
            (0.0, "0.0000"),
            (-1e-9, "0.0000"),
            (-0.000_049, "0.0000"),
            (-0.000_051, "-0.0001"),
            (-3.25, "-3.2500"),
            (-1.5e9, "-1.5000e9"),
        ] {
            assert_eq!(score(number), text, "{number}");
        }
    }

    #[test]
    fn values_are_whole_or_short() {
        for (number, text) in [
            (2026.0, "2026"),
            (12_345_678_901.0, "12345678901"),
            (-0.0, "0"),
            (1e15, "1e15"),
            (5.843_333_333, "5.84333"),
            (0.1 + 0.2, "0.3"),
            (1e-9, "1e-9"),
            (-2.5e-300, "-2.5e-300"),
        ] {
            assert_eq!(value(number), text, "{number}");
        }
        for (number, text) in [(0.1 + 0.2, "0.3"), (-12.5, "-12.5"), (2e-5, "2e-5"), (1.25e9, "1.25e9"), (0.0, "0")] {
            assert_eq!(brief(number, 4), text);
        }
    }

    #[test]
    fn marks_of_an_axis_differ() {
        for (range, number, text) in [
            (100.01..100.02, 100.012, "100.012"),
            (-1e-13..1e-13, 5e-14, "5e-14"),
            (-1e-13..1e-13, 1e-28, "0"),
            (0.0..1.0, 0.30000000000000004, "0.3"),
            (0.0..2e6, 1.5e6, "1500000"),
            (1e9..1.000_01e9, 1.000_005e9, "1.000005e9"),
        ] {
            assert_eq!(marks(&range)(number), text);
        }
    }
}
