//! Moments for people: the day and the minute, of UTC.

use mcp_edge_sign_in::html::Html;

use super::date::{DAY, date, iso};

/// A moment in seconds since 1970, for people and for programs: `26 November 2026, 18:25 UTC`.
pub(super) fn moment(html: &mut Html, seconds: u64) {
    let minutes = seconds % DAY / 60;
    let (hour, minute) = (two_digits(minutes / 60), two_digits(minutes % 60));
    let clock = [hour.as_str(), ":", &minute].concat();
    html.raw("<time datetime=\"")
        .text(&iso(seconds))
        .raw("T")
        .text(&clock)
        .raw("Z\">")
        .text(&date(seconds))
        .raw(", ")
        .text(&clock)
        .raw(" UTC</time>");
}

fn two_digits(number: u64) -> String {
    let text = number.to_string();
    if text.len() < 2 { ["0", &text].concat() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_day_and_a_minute_of_utc() {
        let mut html = Html::default();
        moment(&mut html, 1_795_651_200 + 18 * 3_600 + 5 * 60 + 59);
        let expected = "<time datetime=\"2026-11-26T18:05Z\">26 November 2026, 18:05 UTC</time>";
        assert_eq!(html.into_string(), expected);
    }
}
