//! Dates and times of formats that have types for them, as text of ISO 8601. In: a count of units since the beginning of
//! 1970. Out: `2024-06-19`, or `2024-06-19T12:34:56` of units shorter than a day; fractions of seconds are cut.

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) enum Unit {
    Years,
    Months,
    Days(u8),
    /// Seconds, one at least.
    Seconds(u16),
    /// So many of them are a second.
    OfSecond(u64),
}

impl Unit {
    /// The unit of this name of numpy's.
    pub fn of_numpy(name: &str) -> Option<Self> {
        Some(match name {
            "Y" => Self::Years,
            "M" => Self::Months,
            "W" => Self::Days(7),
            "D" => Self::Days(1),
            "h" => Self::Seconds(3600),
            "m" => Self::Seconds(60),
            "s" => Self::Seconds(1),
            "ms" => Self::OfSecond(1_000),
            "us" => Self::OfSecond(1_000_000),
            "ns" => Self::OfSecond(1_000_000_000),
            "ps" => Self::OfSecond(1_000_000_000_000),
            "fs" => Self::OfSecond(1_000_000_000_000_000),
            "as" => Self::OfSecond(1_000_000_000_000_000_000),
            _ => return None,
        })
    }

    /// The moment so many units after 1970 began, or before where negative.
    pub fn text(self, count: i128) -> String {
        match self {
            Self::Years => format!("{:04}-01-01", 1970 + count),
            Self::Months => format!("{:04}-{:02}-01", 1970 + count.div_euclid(12), 1 + count.rem_euclid(12)),
            Self::Days(days) => date(count * i128::from(days)),
            Self::Seconds(seconds) => moment(count * i128::from(seconds)),
            Self::OfSecond(parts) => moment(count.div_euclid(parts.into())),
        }
    }
}

fn moment(seconds: i128) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    format!("{}T{:02}:{:02}:{:02}", date(days), second / 3600, second / 60 % 60, second % 60)
}

/// The date so many days after 1970 began, in the Gregorian calendar. Source: howardhinnant.github.io/date_algorithms.html,
/// whose years begin in March, so that a leap day is the last one of a year.
fn date(days: i128) -> String {
    const ERA: i128 = 146_097; // days of 400 years
    let days = days + 719_468; // from the first of March of the year 0
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (era * 400 + year + month / 10, (month + 2) % 12 + 1);
    format!("{year:04}-{month:02}-{day:02}")
}
