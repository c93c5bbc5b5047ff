//! The pages of a server's lists: that they end, and that clients which read the first one see everything.

use std::cmp::Reverse;

use super::mcp_result::{describe_no_list, require_authorized};
use crate::{
    check::{Check, Section},
    clients::Client,
    mcp::{Era, List},
    outcome::{CheckResult, Outcome, Skip},
    pages::{self, End, MAX_CURSOR_BYTES, MAX_PAGES, Pages},
    probe::Probe,
    record::Record,
};

pub(super) const CHECKS: &[Check] = &[PAGES];

const PAGES: Check = Check {
    slug: "pages",
    section: Section::Protocol,
    title: "Every list ends, and is read by clients that request one page only",
    why: "A nextCursor of null fails in the TypeScript SDK and in Claude Code, and costs them the list. A cursor that repeats \
          makes clients request pages without end. Some clients read the first page only.",
    fix: "Leave nextCursor out of the last page.",
    affects: &[Client::ClaudeCode, Client::Inspector, Client::SdkApp, Client::WebPage],
    run: pages,
};

fn pages(record: &Record) -> CheckResult {
    require_authorized(record, Probe::LegacyInitialize)?;
    let all: Vec<_> = Era::ALL
        .into_iter()
        .flat_map(|era| List::ALL.map(|list| (era, list)))
        .filter_map(|(era, list)| Some((era, list, record.pages(era, list)?)))
        .collect();
    // The first one of the most severe.
    let problems = all.iter().filter_map(|(era, list, pages)| problem(record, *era, *list, pages));
    if let Some(problem) = problems.min_by_key(|it| Reverse(it.verdict)) {
        return Ok(problem);
    }
    let mut methods: Vec<_> = all.iter().map(|(_, list, _)| list.method()).collect();
    methods.sort_unstable_by_key(|method| List::ALL.map(List::method).iter().position(|it| it == method));
    methods.dedup();
    if methods.is_empty() {
        return Err(Skip::new("there is no list (see legacy and modern)"));
    }
    Ok(Outcome::ok(format!("one page: {}", methods.join(", "))))
}

fn problem(record: &Record, era: Era, list: List, pages: &Pages) -> Option<Outcome> {
    let (method, page) = (list.method(), pages.count);
    Some(match &pages.end {
        End::Complete | End::Cursor(_) if page > 1 => {
            let (all, hidden) = (pages.entries.len(), pages.entries.len() - pages.on_first);
            Outcome::warning(format!(
                "{method} has {page} pages: clients that read the first one only miss {hidden} of {all}"
            ))
            .fix("Put the whole list onto one page if it fits.")
            .affects([Client::SdkApp])
        }
        End::Complete | End::Cursor(_) => return None,
        End::Null => Outcome::failure(format!("{method}: nextCursor is null on page {page}")),
        End::NotAString(kind) => Outcome::failure(format!("{method}: nextCursor is {kind} instead of a string")),
        End::Loop => Outcome::failure(format!("{method}: page {page} has the nextCursor of an earlier page"))
            .fix("Let each cursor lead to the entries after it, and leave nextCursor out of the last page."),
        End::Unreadable(number) => unreadable(record, era, list, *number)?,
        End::TooLong => Outcome::warning(format!("{method}: a nextCursor is longer than {MAX_CURSOR_BYTES} bytes"))
            .fix("Shorten the cursor: it must fit into a request."),
        End::TooMany => {
            Outcome::warning(format!("{method}: there are more than {MAX_PAGES} pages, and the rest was not read"))
                .fix("Put more entries onto each page, and check that the last page has no nextCursor.")
        }
    })
}

/// A page without a list. An outage says nothing about the server's cursors, so it is a warning.
fn unreadable(record: &Record, era: Era, list: List, number: usize) -> Option<Outcome> {
    let result = record.result(pages::probe(era, list, number))?;
    let observed = format!("{}: page {number} cannot be read ({})", list.method(), describe_no_list(result, list));
    Some(match result {
        Ok(response) if response.status != 429 && response.status < 500 => Outcome::failure(observed)
            .fix("Answer a request with the cursor of the page before. Look into the server's log."),
        _ => Outcome::warning(observed)
            .fix("Run the doctor again. If it happens again, look into the server's log at the time of this run."),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        http::{TransportError, TransportErrorKind},
        outcome::Verdict::{Failure, Ok as Fine, Skipped, Warning},
        testing::{Change, announce, expect, http_response, second_exchange, second_page, tool_list},
    };

    #[test]
    fn an_outage_after_the_first_page_is_a_warning_with_its_cause() {
        let answered = |status| second_exchange(move |it| *it = Ok(http_response(status, &[], "")));
        expect(&PAGES, Warning, "page 2 cannot be read (503)", answered(503));
        expect(&PAGES, Warning, "page 2 cannot be read (429)", answered(429));
        expect(&PAGES, Failure, "page 2 cannot be read (400)", answered(400));
        let error = TransportError { kind: TransportErrorKind::Timeout, detail: String::new() };
        expect(&PAGES, Warning, "page 2 cannot be read (no response in time)", second_exchange(|it| *it = Err(error)));
    }

    #[test]
    fn a_failure_is_named_before_a_warning() {
        expect(&PAGES, Failure, "nextCursor is null", |record| {
            second_exchange(|it| *it = Ok(http_response(503, &[], "")))(record);
            record.edit(Probe::ModernTools, |it| it["result"]["nextCursor"] = Value::Null);
        });
    }

    #[test]
    fn without_a_list_nothing_is_said_about_pages() {
        let down = |record: &mut Record| {
            record.put(Probe::LegacyTools, 500, "text/plain", "");
            record.put(Probe::ModernTools, 500, "text/plain", "");
        };
        expect(&PAGES, Skipped, "see legacy and modern", down);
        expect(&PAGES, Fine, "one page: tools/list, prompts/list", announce(List::Prompts, json!([])));
        expect(&PAGES, Fine, "one page: prompts/list", |record| {
            announce(List::Prompts, json!([]))(record);
            down(record);
        });
    }

    #[test]
    fn lists_end() {
        expect(
            &PAGES,
            Failure,
            "tools/list: nextCursor is null",
            tool_list(json!({ "tools": [], "nextCursor": null })),
        );
        expect(&PAGES, Failure, "nextCursor is a number", tool_list(json!({ "tools": [], "nextCursor": 7 })));
        let long = json!({ "tools": [], "nextCursor": "x".repeat(5000) });
        expect(&PAGES, Warning, "longer than 4096 bytes", tool_list(long));
        expect(&PAGES, Failure, "page 2 has the nextCursor of an earlier page", {
            second_page(json!({ "tools": [], "nextCursor": "2" }))
        });
        expect(&PAGES, Failure, "page 2 cannot be read (a result without tools)", second_page(json!({})));
        expect(&PAGES, Warning, "2 pages: clients that read the first one only miss 1 of 2", {
            second_page(json!({ "tools": [{ "name": "b" }] }))
        });
    }
}
