//! Who may use what of an upstream: tables of patterns, read by both, and names that both look up.

use mcp_edge_doctor::gateway::access_table::{AccessTable, Found, Names};
use mcp_edge_gateway::access;
use mcp_edge_runtime::settings::Reader;

/// What decides about a name: the scopes of the entry, `user` or `allow`; nothing if nobody may use it.
type Needs = Option<String>;

/// What the library makes of a table; for each name, what is needed. `None` if the table is wrong.
fn of_library(table: &str, kind: Names, names: &[String]) -> Option<Vec<Needs>> {
    let get = |name: &str| (name == "TOOL_SCOPES").then(|| table.to_owned());
    let mut reader = Reader::new(&get);
    let kind = match kind {
        Names::Plain => access::Names::Tools,
        Names::Uris => access::Names::Resources,
    };
    let table = access::AccessTable::read(&mut reader, "TOOL_SCOPES", kind);
    let table = reader.finish(table).ok()?;
    let needs = |name: &String| {
        let needs = table.needs(name)?;
        let mut words: Vec<_> = needs.scopes.iter().map(str::to_owned).collect();
        words.extend(needs.user.then(|| "user".to_owned()));
        words.extend(needs.first_party.then(|| "first_party".to_owned()));
        words.extend(needs.refuses_keys.then(|| "no_keys".to_owned()));
        Some(if words.is_empty() { "allow".to_owned() } else { words.join(",") })
    };
    Some(names.iter().map(needs).collect())
}

fn of_doctor(table: &str, kind: Names, names: &[String]) -> Option<Vec<Needs>> {
    // Settings have no white space around them.
    let table = AccessTable::parse(table.trim(), kind).ok()?;
    let needs = |name: &String| match table.find(name) {
        Found::Rule(rule) if rule.is_denial() => None,
        Found::Rule(rule) => Some(rule.needs.join(",")),
        Found::Nobody(_) => None,
    };
    Some(names.iter().map(needs).collect())
}

/// Pseudo-random numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or_default() % bound
    }

    /// A text of up to `max` parts.
    fn text(&mut self, parts: &[&str], max: usize) -> String {
        (0..=self.below(max)).map(|_| parts[self.below(parts.len())]).collect()
    }
}

/// Compares tables of patterns from `parts` with names from `parts`. Returns how many tables were valid, and how many names
/// somebody may use.
fn compare(kind: Names, beginnings: &[&str], parts: &[&str], tables: usize) -> (usize, usize) {
    let mut numbers = Numbers(7);
    let patterns: Vec<&str> = parts.iter().copied().chain(["*"; 3]).collect();
    let (mut valid, mut usable) = (0, 0);
    for _ in 0..tables {
        let mut entry = |index: usize| {
            let beginning = beginnings[numbers.below(beginnings.len())];
            let pattern = format!("{beginning}{}", numbers.text(&patterns, 3));
            let need = ["deny", "allow", "user", "a,user", "b"][numbers.below(5)];
            if numbers.below(3) == 0 { format!("{pattern}={need}") } else { format!("{pattern}=s{index}") }
        };
        let table: Vec<_> = (0..4).map(&mut entry).collect();
        let table = table[..=numbers.below(4)].join(" ");
        // Names from the same parts, and names that a pattern matches, or nearly.
        let mut names: Vec<_> = (0..12)
            .map(|_| format!("{}{}", beginnings[numbers.below(beginnings.len())], numbers.text(parts, 4)))
            .collect();
        for entry in table.split(' ') {
            let pattern = entry.rsplit_once('=').map_or("", |(pattern, _)| pattern);
            names.extend((0..4).map(|_| pattern.replace('*', &numbers.text(parts, 2))));
        }
        let (library, doctor) = (of_library(&table, kind, &names), of_doctor(&table, kind, &names));
        assert_eq!(library.is_some(), doctor.is_some(), "{table}: {:?}", AccessTable::parse(&table, kind).err());
        let (Some(library), Some(doctor)) = (library, doctor) else { continue };
        valid += 1;
        for ((name, library), doctor) in names.iter().zip(library).zip(doctor) {
            assert_eq!(library, doctor, "{name:?} in {table}");
            usable += usize::from(library.is_some());
        }
    }
    (valid, usable)
}

#[test]
fn tools_are_decided_alike() {
    let parts =
        ["a", "b", "A", "_", "s", "S", "\u{17f}", "\u{212a}", "k", "\u{df}", "\u{fb01}", "\u{e4}", "=", " ", "\t"];
    let (valid, usable) = compare(Names::Plain, &[""], &parts, 5_000);
    assert!(valid > 1_000 && usable > 5_000, "{valid} {usable}");
    // Fewer characters, so that more patterns overlap.
    let (valid, usable) = compare(Names::Plain, &["", "a"], &["a", "b", "A"], 5_000);
    assert!(valid > 1_000 && usable > 5_000, "{valid} {usable}");
}

#[test]
fn resources_are_decided_alike() {
    let beginnings = [
        "docs://",
        "docs:",
        "note://A/",
        "file:///",
        "file://",
        "https://a.example/",
        "https://a",
        "http://a.example:80",
        "*",
        "",
        "Docs://",
        "ws://a.example",
        "https://127.0.0.1/",
        "https://a.example:8443",
    ];
    let parts = [
        "a",
        "A",
        "b",
        "/",
        "//",
        "..",
        ".",
        "/../",
        "%2F",
        "%2f",
        "%5C",
        "%2e",
        "%61",
        "%C3%BC",
        "%c3%bc",
        "\u{fc}",
        "%C3",
        "%0A",
        "%7B",
        "%",
        "{a}",
        "{",
        "?",
        "#",
        "@",
        ":",
        ":443",
        ":8080",
        ":080",
        "localhost",
        "127.1",
        "|",
        "\\",
        " ",
        "\u{a0}",
        "\"",
        "^",
        "\u{17f}",
        "%C5%BF",
        "1",
    ];
    let (valid, usable) = compare(Names::Uris, &beginnings, &parts, 15_000);
    assert!(valid > 1_000 && usable > 1_000, "{valid} {usable}");
    let few = ["a", "?", "#", "/", "%3F", "%23"];
    let (valid, usable) = compare(Names::Uris, &["docs://", "docs:a"], &few, 10_000);
    assert!(valid > 500 && usable > 1_000, "{valid} {usable}");
    let few = ["a", ":", "[", "]", ":0", ":08", ":8", "/", "?"];
    let (valid, usable) = compare(Names::Uris, &["docs://", "https://a.example", "ws://a"], &few, 5_000);
    assert!(valid > 500 && usable > 1_000, "{valid} {usable}");
    let few = ["a", "/", "%2F", "%C3%BC", "\u{fc}", "A"];
    let (valid, usable) = compare(Names::Uris, &["docs://", "docs:"], &few, 5_000);
    assert!(valid > 1_000 && usable > 5_000, "{valid} {usable}");
}

#[test]
fn needs_and_names_are_read_alike() {
    let tables = [
        "",
        "a",
        "=a",
        "a=",
        "a=,",
        "a=b,",
        "a=,b",
        "a=allow,b",
        "a=b,deny",
        "a=Allow",
        "a=USER",
        "a=First_Party,b",
        "a=user,user",
        "a=b\"",
        "a=\u{e4}",
        "a**=b",
        "a=b a=b",
        "a=b\u{a0}c=d",
        "a=b=c",
        "a=first_party,user,c",
        "a=no_keys",
        "a=no_keys,c,user",
        "a=No_Keys",
        "a=no_keys,allow",
        "a=deny,no_keys",
    ];
    let names = ["", "a", " a", "a ", "a\u{a0}", "a\u{7f}", "a\u{85}", "a=b", "b\u{a0}c"].map(str::to_owned);
    for table in tables {
        for kind in [Names::Plain, Names::Uris] {
            let sorted = |needs: Option<Vec<Needs>>| {
                needs.map(|needs| {
                    let sort = |needs: String| {
                        let mut words: Vec<_> = needs.split(',').map(str::to_owned).collect();
                        words.sort();
                        words.dedup();
                        words
                    };
                    needs.into_iter().map(|it| it.map(sort)).collect::<Vec<_>>()
                })
            };
            let (library, doctor) = (of_library(table, kind, &names), of_doctor(table, kind, &names));
            assert_eq!(sorted(library), sorted(doctor), "{table:?} {kind:?}");
        }
    }
    let many = |count: usize| (0..count).map(|it| format!("n{it}=a")).collect::<Vec<_>>().join(" ");
    for count in [200, 201] {
        let valid = |table: Option<Vec<Needs>>| table.is_some();
        let table = many(count);
        assert_eq!(
            valid(of_library(&table, Names::Plain, &[])),
            valid(of_doctor(&table, Names::Plain, &[])),
            "{count}"
        );
    }
}
