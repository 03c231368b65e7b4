//! Dates as ISO 8601 and their neighbours write them. In: texts. Out: seconds since the start of 1970, and what a network is told
//! of a date. The calendar is jiff's.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};

const START: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// Seconds of a day.
const DAY: f64 = 86_400.0;

/// The seconds since the start of 1970 of a date, and whether it has a time of day: `2024-06-19`, `2024/06/19`, `2024-06`,
/// `2024-06-19 15:22`, `2024-06-19T15:22:45.5Z`, `20240619T152245`. An offset from UTC is taken off. None for any other text.
pub(super) fn parse(text: &str) -> Option<(f64, bool)> {
    let bytes = text.as_bytes();
    // ISO's basic form; without a time it is a number.
    if matches!(bytes.get(8), Some(b'T' | b't')) {
        return instant(text).or_else(|| seconds(text)).map(|seconds| (seconds, true));
    }
    let digits = |from: usize, to: usize| bytes.get(from..to).is_some_and(|part| part.iter().all(u8::is_ascii_digit));
    let mark = *bytes.get(4).filter(|mark| matches!(mark, b'-' | b'/'))?;
    if !(digits(0, 4) && digits(5, 7)) {
        return None;
    }
    if bytes.len() == 7 {
        return (mark == b'-').then(|| seconds(&format!("{text}-01"))).flatten().map(|seconds| (seconds, false));
    }
    if !(bytes.get(7) == Some(&mark) && digits(8, 10)) {
        return None;
    }
    let date = format!("{}-{}-{}", &text[..4], &text[5..7], &text[8..10]);
    match &text[10..] {
        "" => Some((seconds(&date)?, false)),
        time if time.starts_with(['T', 't', ' ']) => {
            // A space may stand in front of the offset, and UTC for it.
            let time = time[1..].trim_end_matches(" UTC").replace(" +", "+").replace(" -", "-");
            let offset = if text.ends_with(" UTC") { "Z" } else { "" };
            let text = format!("{date}T{time}{offset}");
            Some((instant(&text).or_else(|| seconds(&text))?, true))
        }
        _ => None,
    }
}

/// The seconds of a date and time with an offset from UTC.
fn instant(text: &str) -> Option<f64> {
    text.parse::<Timestamp>().ok().map(|time| time.as_nanosecond() as f64 / 1e9)
}

/// The seconds of a date and time without an offset, as if it were UTC's.
fn seconds(text: &str) -> Option<f64> {
    Some(text.parse::<DateTime>().ok()?.duration_since(START).as_secs_f64())
}

/// The date, and the time where it is asked for to the second, in ISO 8601's form.
pub(super) fn write(seconds: f64, with_time: bool) -> String {
    match civil(seconds) {
        Some(time) if with_time => time.to_string(),
        Some(time) => time.date().to_string(),
        None => String::new(),
    }
}

/// What a network is told of a date: whole days since 1970-01-01, the month from 1, the day of the week from 1 for Monday, and the
/// hour from 0.
pub(super) fn parts(seconds: f64) -> [f64; 4] {
    let time = civil(seconds).unwrap_or(START);
    let weekday = |date: Date| f64::from(date.weekday().to_monday_one_offset());
    [(seconds / DAY).floor(), time.month().into(), weekday(time.date()), time.hour().into()]
}

/// By UTC's clock.
fn civil(seconds: f64) -> Option<DateTime> {
    START.checked_add(SignedDuration::from_secs(seconds.floor() as i64)).ok()
}
