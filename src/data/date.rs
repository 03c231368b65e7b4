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

/// The first two numbers of a date in another order than ISO 8601's, and the mark between them: `02.06.2024`, `6/24/2024 15:22`. None for
/// any other text.
pub(super) fn other(text: &str) -> Option<([u8; 2], char)> {
    let date = text.split([' ', 'T']).next()?;
    let mark = date.chars().find(|mark| ['.', '/', '-'].contains(mark))?;
    let parts: Vec<&str> = date.split(mark).collect();
    let [first, second, year] = parts[..] else { return None };
    let number = |part: &str| part.parse().ok().filter(|number| (1..=31).contains(number) && part.len() <= 2);
    let both = [number(first)?, number(second)?];
    let sound =
        year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) && both.iter().any(|&part| part <= 12);
    sound.then_some((both, mark))
}

/// The order of day and month in such dates, as far as they tell it.
pub(super) fn form_of_others<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let found: Vec<([u8; 2], char)> = texts.filter_map(other).collect();
    let (_, mark) = found.first()?;
    let is_day = |at: usize| found.iter().any(|(both, _)| both[at] > 12);
    let [day_first, month_first] =
        ["DD MM", "MM DD"].map(|form| format!("{form} YYYY").replace(' ', &mark.to_string()));
    Some(match (is_day(0), is_day(1)) {
        (true, false) => day_first,
        (false, true) => month_first,
        (false, false) if *mark == '.' => day_first,
        _ => format!("{day_first} or {month_first}"),
    })
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
