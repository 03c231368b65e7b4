//! Dates as ISO 8601 and their neighbours write them. In: texts. Out: seconds since the start of 1970. The calendar is jiff's.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The seconds since the start of 1970 of a date, and whether it has a time of day: `2024-06-19`, `2024/06/19`, `2024-06`,
/// `2024-06-19 15:22`, `2024-06-19T15:22:45.5Z`. An offset from UTC is taken off. None for any other text.
pub(super) fn parse(text: &str) -> Option<(f64, bool)> {
    let bytes = text.as_bytes();
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
        time if time.starts_with(['T', 't', ' ']) && time.contains(':') => {
            let text = format!("{date}T{}", &time[1..]);
            let with_offset = || text.parse::<Timestamp>().ok().map(|time| time.as_nanosecond() as f64 / 1e9);
            // A text with an offset is no civil time.
            Some((with_offset().or_else(|| seconds(&text))?, true))
        }
        _ => None,
    }
}

/// The seconds of a date and time without an offset, as if it were UTC's.
fn seconds(text: &str) -> Option<f64> {
    let time = text.parse::<DateTime>().ok()?;
    let stamp = TimeZone::UTC.to_timestamp(time).ok()?;
    Some(stamp.as_nanosecond() as f64 / 1e9)
}
