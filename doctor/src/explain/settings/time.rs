//! Points in time: `2026-11-25T20:00:00Z` (RFC 3339, in UTC), or seconds since 1970.

/// The end of the year 9999. More seconds are milliseconds.
const LATEST: u64 = 253_402_300_799;

/// Reads a point in time, in seconds since 1970. `None` if it has neither form.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let digits =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    if let Some(seconds) = digits(text.strip_prefix('+').unwrap_or(text)) {
        return Some(seconds).filter(|seconds| *seconds <= LATEST);
    }
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let (date, time): (Vec<_>, Vec<_>) = (date.split('-').collect(), time.split(':').collect());
    let ([year, month, day], [hour, minute, second]) = (&date[..], &time[..]) else { return None };
    let number = |text: &str, length: usize, max: u64| {
        if text.len() == length { digits(text).filter(|number| *number <= max) } else { None }
    };
    let (year, month, day) = (number(year, 4, 9999)?, number(month, 2, 12)?, number(day, 2, 31)?);
    let (hour, minute, second) = (number(hour, 2, 23)?, number(minute, 2, 59)?, number(second, 2, 59)?);
    let is_leap = |year: u64| (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let days_of = |month: u64| match month {
        2 => 28 + u64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if year < 1970 || month == 0 || day == 0 || day > days_of(month) {
        return None;
    }
    let days_of_years: u64 = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum();
    let days = days_of_years + (1..month).map(days_of).sum::<u64>() + day - 1;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Writes a point in time for people: `2026-11-25 20:00:00 UTC`.
#[must_use]
pub fn format(seconds: u64) -> String {
    let (mut days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01, with leap days at the end of a year (Howard Hinnant, "chrono-compatible date algorithms").
    days += 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// Writes a duration for people: `35 seconds`, `12 minutes`, `3 hours`, `2 days`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, seconds) in [
            ("2026-11-25T20:00:00Z", 1_795_636_800),
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(parse(text), Some(seconds), "{text}");
            assert_eq!(parse(&seconds.to_string()), Some(seconds));
            assert_eq!(format(seconds), format!("{} UTC", text.trim_end_matches('Z').replace('T', " ")));
        }
        for wrong in [
            "",
            "yesterday",
            "2026-11-25",
            "2026-02-29T00:00:00Z",
            "2026-11-25T20:00:00",
            "2026-13-01T00:00:00Z",
            "-1",
            "1.5",
            "1795636800000",
        ] {
            assert_eq!(parse(wrong).filter(|_| !wrong.is_empty()), None, "{wrong}");
        }
    }

    #[test]
    fn durations_have_a_readable_unit() {
        let strings = [1, 90, 600, 7200, 200_000].map(duration);
        assert_eq!(strings, ["1 second", "90 seconds", "10 minutes", "2 hours", "2 days"]);
    }
}
