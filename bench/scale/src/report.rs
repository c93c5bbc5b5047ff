//! The results: as JSON, to compare policies by, and as tables.

use std::fmt::Write as _;

use crate::{
    costs,
    deployment::{Deployment, LARGE, MEDIUM, SCATTERED, SHARDED, SIZES, SMALL},
    scenarios::{Run, SEED, Scenario},
};

/// The runs of the report: a plain day at every size, and everything else at the medium one.
#[must_use]
pub fn all_runs() -> Vec<(Deployment, Scenario)> {
    let mut runs = Vec::new();
    for placement in [SCATTERED, SHARDED] {
        // The longest first, so that none is left for the end.
        runs.push((Deployment::new(LARGE, placement), Scenario::PlainDay));
        runs.extend(Scenario::ALL.map(|scenario| (Deployment::new(MEDIUM, placement), scenario)));
        runs.extend(
            SIZES
                .into_iter()
                .filter(|size| ![MEDIUM, LARGE].contains(size))
                .map(|size| (Deployment::new(size, placement), Scenario::PlainDay)),
        );
    }
    runs
}

/// Runs one of them.
#[must_use]
pub fn run(deployment: &Deployment, scenario: Scenario) -> Run {
    Run {
        size: deployment.size.name.to_owned(),
        placement: deployment.placement.name.to_owned(),
        scenario,
        figures: scenario.run(deployment, SEED),
    }
}

/// The tables: of these runs, each beside that of an earlier policy if there is one.
#[must_use]
pub fn tables(runs: &[Run], before: &[Run]) -> String {
    let mut text = String::from(
        "# At many locations\n\nWritten by `make scale`; [docs/scale.md](../../docs/scale.md) says what is simulated, and what follows from it.\n",
    );
    if !before.is_empty() {
        text.push_str(
            "Where a cell has two figures, the first is that of the policy before: [scale-before.json](scale-before.json).\n",
        );
    }
    text.push_str("\n## A plain day\n\n");
    text.push_str(&table(&PLAIN_DAY, &of_plain_day(runs), before));
    let paid = of_plain_day(runs);
    text.push_str("\n## What it costs on the paid plan, dollars a month\n\n");
    text.push_str(&costs::paid_plan(&paid));
    text.push_str("\n## What it uses of the free plan's daily limits, per cent\n\n");
    let free: Vec<_> = paid.into_iter().filter(|run| run.size == SMALL.name).collect();
    text.push_str(&costs::free_plan(&free));
    text.push_str("\n## What can happen, at the medium size\n\n");
    text.push_str(&table(&EVENTS, &of_events(runs), before));
    text
}

fn of_plain_day(runs: &[Run]) -> Vec<&Run> {
    let mut found = Vec::new();
    for size in SIZES {
        for placement in [SHARDED, SCATTERED] {
            found.extend(runs.iter().filter(|run| {
                run.scenario == Scenario::PlainDay && run.size == size.name && run.placement == placement.name
            }));
        }
    }
    found
}

fn of_events(runs: &[Run]) -> Vec<&Run> {
    let mut found = Vec::new();
    for scenario in Scenario::ALL.into_iter().filter(|scenario| *scenario != Scenario::PlainDay) {
        for placement in [SHARDED, SCATTERED] {
            found.extend(runs.iter().filter(|run| run.scenario == scenario && run.placement == placement.name));
        }
    }
    found
}

/// A column: its heading, and its cell.
type Column = (&'static str, fn(&Run) -> String);

const PLAIN_DAY: [Column; 12] = [
    ("size, isolates", |run| format!("{}, {}", run.size, run.placement)),
    ("isolates at a time", |run| number(run.figures.isolates)),
    ("isolates started a day", |run| number(run.figures.started_per_day)),
    ("requests to the provider an hour", |run| number(run.figures.discovery_per_hour + run.figures.keys_per_hour)),
    ("most in a minute", |run| run.figures.peak_of_a_minute.to_string()),
    ("KV reads a day", |run| number(run.figures.kv_reads_per_day)),
    ("KV writes a day (refused)", |run| {
        format!("{} ({})", number(run.figures.kv_writes_per_day), number(run.figures.kv_refused_per_day))
    }),
    ("Durable Object requests a day", |run| number(run.figures.objects_per_day)),
    ("access tokens issued for access keys an hour", |run| number(run.figures.refreshes_per_hour)),
    ("503, of a million", |run| number(run.figures.unavailable_ppm)),
    ("users who waited, of a million", |run| number(run.figures.waited_ppm)),
    ("oldest keys used, seconds", |run| run.figures.oldest_copy.to_string()),
];

const EVENTS: [Column; 7] = [
    ("what happens, isolates", |run| format!("{}, {}", name(run.scenario), run.placement)),
    ("until the last location followed, seconds", |run| {
        run.figures.followed_after.map_or_else(|| "–".to_owned(), number)
    }),
    ("503, of a million", |run| number(run.figures.unavailable_ppm)),
    ("users who waited, of a million", |run| number(run.figures.waited_ppm)),
    ("requests to the provider an hour", |run| number(run.figures.discovery_per_hour + run.figures.keys_per_hour)),
    ("most in a minute", |run| run.figures.peak_of_a_minute.to_string()),
    ("oldest keys used, seconds", |run| run.figures.oldest_copy.to_string()),
];

fn table(columns: &[Column], rows: &[&Run], before: &[Run]) -> String {
    let mut text = String::new();
    let headings: Vec<_> = columns.iter().map(|(heading, _)| *heading).collect();
    let _ = writeln!(text, "| {} |", headings.join(" | "));
    let _ = writeln!(text, "| --- |{}", " ---: |".repeat(columns.len() - 1));
    for run in rows {
        let earlier = before.iter().find(|earlier| {
            (&earlier.size, &earlier.placement, earlier.scenario) == (&run.size, &run.placement, run.scenario)
        });
        let cells = columns.iter().map(|(_, cell)| {
            let (now, then) = (cell(run), earlier.map(cell));
            // What the run of before did not count is 0 there.
            then.filter(|then| *then != now && then != "0")
                .map_or_else(|| now.clone(), |then| format!("{then} → {now}"))
        });
        let _ = writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    text
}

/// What happens, in words.
const fn name(scenario: Scenario) -> &'static str {
    match scenario {
        Scenario::PlainDay => "a plain day",
        Scenario::Rotation => "a key is withdrawn, its successor was announced",
        Scenario::AbruptRotation => "a key is withdrawn, its successor was not announced",
        Scenario::Outage => "the provider is down for 6 hours",
        Scenario::Emergency => "`DENIED_KEYS` is deployed",
        Scenario::RevokedAccessKey => "an access key is revoked",
        Scenario::Flood => "10 invented key ids a second",
        Scenario::Poison => "a foreign key is put into KV once",
    }
}

/// A number without decimals, and with a comma between thousands.
fn number(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures::Figures;

    #[test]
    fn a_figure_that_has_changed_stands_beside_that_of_before() {
        let run = |reads| Run {
            size: "small".to_owned(),
            placement: "sharded".to_owned(),
            scenario: Scenario::PlainDay,
            figures: Figures { kv_reads_per_day: reads, ..Figures::default() },
        };
        let text = tables(&[run(1_234_567.0)], &[run(999.4)]);
        assert!(text.contains("| small, sharded | 0 | 0 | 0 | 0 | 999 → 1,234,567 |"), "{text}");
    }
}
