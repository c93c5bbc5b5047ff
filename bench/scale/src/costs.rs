//! What a deployment costs at Cloudflare's list prices, and which share of a free plan it uses.
//!
//! Prices of <https://developers.cloudflare.com/workers/platform/pricing/>, `/kv/platform/pricing/` and
//! `/durable-objects/platform/pricing/`, in US dollars, as read in November 2026.

use std::fmt::Write as _;

use crate::{measures::Figures, scenarios::Run};

const DAYS_OF_A_MONTH: f64 = 30.0;

/// The paid plan, a month.
const SUBSCRIPTION: f64 = 5.0;

/// CPU milliseconds of a request with a known token: `bench/results/latest.md`, ES384, 2,000 tokens.
const CPU_MILLISECONDS: f64 = 0.151;

/// What the paid plan includes a month, and what a further million costs.
struct Price {
    included: f64,
    of_a_million: f64,
}

const REQUESTS: Price = Price { included: 10e6, of_a_million: 0.30 };
const CPU: Price = Price { included: 30e6, of_a_million: 0.02 };
const KV_READS: Price = Price { included: 10e6, of_a_million: 0.50 };
const KV_WRITES: Price = Price { included: 1e6, of_a_million: 5.00 };
const OBJECTS: Price = Price { included: 1e6, of_a_million: 0.15 };
const ROWS_WRITTEN: Price = Price { included: 50e6, of_a_million: 1.00 };
const GB_SECONDS: Price = Price { included: 400_000.0, of_a_million: 12.50 };

/// What an object of the vault writes for each access token that it has the provider issue.
const ROWS_OF_A_REFRESH: f64 = 2.0;

/// How long an object waits for the provider's answer then, in seconds: an assumption. It is billed while a request is under way.
const SECONDS_OF_A_REFRESH: f64 = 0.3;

/// How long any other request takes, in seconds: an assumption.
const SECONDS_OF_A_REQUEST: f64 = 0.005;

/// The memory that an object is billed for, in GB, regardless of what it needs.
const OBJECT_GB: f64 = 0.128;

/// A kind of what is billed: its name, what a deployment uses a day, its price, and the daily limit of the free plan, if
/// there is one.
type Billed = (&'static str, fn(&Figures) -> f64, Price, Option<f64>);

const BILLED: [Billed; 7] = [
    ("requests", requests_per_day, REQUESTS, Some(100_000.0)),
    // The free plan limits the time of one request, 10 ms.
    ("CPU", |figures| requests_per_day(figures) * CPU_MILLISECONDS, CPU, None),
    ("KV reads", |figures| figures.kv_reads_per_day, KV_READS, Some(100_000.0)),
    // Writes that are refused are not billed.
    ("KV writes", |figures| figures.kv_writes_per_day - figures.kv_refused_per_day, KV_WRITES, Some(1000.0)),
    ("Durable Object requests", |figures| figures.objects_per_day, OBJECTS, Some(100_000.0)),
    (
        "Durable Object rows written",
        |figures| refreshes_per_day(figures) * ROWS_OF_A_REFRESH,
        ROWS_WRITTEN,
        Some(100_000.0),
    ),
    ("Durable Object duration", gb_seconds_per_day, GB_SECONDS, Some(13_000.0)),
];

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn requests_per_day(figures: &Figures) -> f64 {
    figures.requests as f64 * 24.0 / figures.hours
}

fn refreshes_per_day(figures: &Figures) -> f64 {
    figures.refreshes_per_hour * 24.0
}

fn gb_seconds_per_day(figures: &Figures) -> f64 {
    let seconds = refreshes_per_day(figures) * SECONDS_OF_A_REFRESH + figures.objects_per_day * SECONDS_OF_A_REQUEST;
    seconds * OBJECT_GB
}

impl Price {
    fn of_a_month(&self, used_a_day: f64) -> f64 {
        (used_a_day * DAYS_OF_A_MONTH - self.included).max(0.0) * self.of_a_million / 1e6
    }
}

/// The table of the paid plan: dollars a month.
#[must_use]
pub fn paid_plan(runs: &[&Run]) -> String {
    let names = BILLED.map(|(name, ..)| name);
    let mut text = format!("| size, isolates | {} | with the subscription |\n| --- |", names.join(" | "));
    let _ = writeln!(text, "{}", " ---: |".repeat(BILLED.len() + 1));
    for run in runs {
        let costs = BILLED.map(|(_, used, price, _)| price.of_a_month(used(&run.figures)));
        let cells = costs.map(|cost| format!("{cost:.2}"));
        let sum: f64 = costs.iter().sum::<f64>() + SUBSCRIPTION;
        let _ = writeln!(text, "| {}, {} | {} | {sum:.2} |", run.size, run.placement, cells.join(" | "));
    }
    text
}

/// The table of the free plan: what a deployment uses of each daily limit, in per cent.
#[must_use]
pub fn free_plan(runs: &[&Run]) -> String {
    let limited: Vec<_> = BILLED.iter().filter_map(|(name, used, _, limit)| Some((name, used, (*limit)?))).collect();
    let names: Vec<_> = limited.iter().map(|(name, ..)| **name).collect();
    let mut text = format!("| size, isolates | {} |\n| --- |", names.join(" | "));
    let _ = writeln!(text, "{}", " ---: |".repeat(limited.len()));
    for run in runs {
        let cells = limited.iter().map(|(_, used, limit)| format!("{:.0}", 100.0 * used(&run.figures) / limit));
        let _ = writeln!(text, "| {}, {} | {} |", run.size, run.placement, cells.collect::<Vec<_>>().join(" | "));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenarios::Scenario;

    fn run(requests: u64, figures: &Figures) -> Run {
        let (size, placement) = ("medium".to_owned(), "sharded".to_owned());
        Run {
            size,
            placement,
            scenario: Scenario::PlainDay,
            figures: Figures { hours: 24.0, requests, ..figures.clone() },
        }
    }

    #[test]
    fn what_the_plan_includes_costs_nothing_and_the_rest_its_price() {
        let figures = Figures {
            kv_reads_per_day: 1e6,
            kv_writes_per_day: 2.0,
            kv_refused_per_day: 2.0,
            refreshes_per_hour: 50_000.0,
            ..Figures::default()
        };
        // 30 million requests, of which 10 are included; 30 million reads, likewise. 36 million refreshes write 72 million rows,
        // and take 1,382,400 GB-s.
        let text = paid_plan(&[&run(1_000_000, &figures)]);
        assert!(
            text.contains("| medium, sharded | 6.00 | 0.00 | 10.00 | 0.00 | 0.00 | 22.00 | 12.28 | 55.28 |"),
            "{text}"
        );
        let text = free_plan(&[&run(50_000, &figures)]);
        assert!(text.contains("| medium, sharded | 50 | 1000 | 0 | 0 | 2400 | 354 |"), "{text}");
    }
}
