//! What the audit log says of sign-ins.

use super::*;

fn entry(result: &str, ms: u64) -> Value {
    json!({"id": "x", "key": "ExchangeTokenBy.AuthorizationCode", "payload": {"result": result}, "createdAt": ms})
}

fn usage(world: &World, period: Period) -> Result<LogReading, ProviderError> {
    run(logto().at(world, TOKEN_ENDPOINT, NOW).usage("app-1", period))
}

#[test]
fn the_last_sign_in_is_the_newest_success_in_the_log() {
    let (world, logto) = (World::default(), logto());
    create(&world, &logto).unwrap();
    let last = || usage(&world, ALWAYS).map(|reading| reading.last_success);
    let entry = |result: &str, seconds: u64| entry(result, seconds * 1000 + 7);
    *world.logs.borrow_mut() = json!([]);
    assert_eq!(last(), Ok(None));
    *world.logs.borrow_mut() = json!([entry("Error", NOW - 1), entry("Success", NOW - 5), entry("Success", NOW - 50)]);
    assert_eq!(last(), Ok(Some(NOW - 5)));
    world.apps.borrow_mut().clear();
    assert_eq!(last(), Err(ProviderError::Gone));
}

#[test]
fn the_last_sign_in_is_found_among_failures_or_is_not_known() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let end = NOW * 1000;
    let recent = Period { from: NOW - 86_400, until_ms: None };
    let log = |failures: u64, then: &str| {
        let mut entries: Vec<Value> = (0..failures).map(|n| entry("Error", end - n)).collect();
        entries.push(entry(then, end - failures));
        *world.logs.borrow_mut() = Value::Array(entries);
    };
    for failures in [0, 20, 99, 100, 199] {
        log(failures, "Success");
        let reading = LogReading { last_success: Some((end - failures) / 1000), ..LogReading::default() };
        assert_eq!(usage(&world, recent), Ok(reading), "{failures}");
    }
    for (failures, then) in [(200, "Success"), (5000, "Success"), (200, "Error"), (199, "Error")] {
        log(failures, then);
        let reading = LogReading { unread_until_ms: Some(end - 199), ..LogReading::default() };
        assert_eq!(usage(&world, recent), Ok(reading), "{failures} {then}");
    }
    // The next look goes on where this one ended, also if all came in the same millisecond.
    log(200, "Success");
    let rest = Period { until_ms: Some(end - 199), ..recent };
    assert_eq!(usage(&world, rest).unwrap().last_success, Some((end - 200) / 1000));
    let same = |result: &str| entry(result, end - 500_000);
    *world.logs.borrow_mut() = json!([same("Error"), same("Success")]);
    let rest = Period { until_ms: Some(end - 500_000), ..recent };
    assert_eq!(usage(&world, rest).unwrap().last_success, Some(NOW - 500));
    log(3, "Error");
    assert_eq!(usage(&world, recent), Ok(LogReading::default()), "there was certainly none");
}

#[test]
fn of_both_kinds_of_entries_the_newer_one_counts() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let end = NOW * 1000;
    let period = Period { from: NOW - 86_400, until_ms: None };
    let refreshed =
        |ms: u64| json!({"key": "ExchangeTokenBy.RefreshToken", "payload": {"result": "Success"}, "createdAt": ms});
    let failures = |newest: u64| (0..300).map(move |n| entry("Error", newest - n));
    // The failures that hide a code are older than a refresh: then it does not matter what they hide.
    *world.logs.borrow_mut() = failures(end - 5_000).chain([refreshed(end - 1_000)]).collect();
    assert_eq!(usage(&world, period), Ok(LogReading { last_success: Some(NOW - 1), ..LogReading::default() }));
    // They are newer: then the last success is at least that, and what they hide is to be read.
    *world.logs.borrow_mut() = failures(end).chain([refreshed(end - 5_000)]).collect();
    let reading = LogReading { last_success: Some(NOW - 5), unread_until_ms: Some(end - 199), forgotten_until: None };
    assert_eq!(usage(&world, period), Ok(reading));
}

#[test]
fn what_is_too_long_to_be_read_is_not_known() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let end = NOW * 1000;
    let period = Period { from: NOW - 86_400, until_ms: None };
    world.longest_answer.set(Some(50_000));
    let mut long = entry("Error", end - 1_000);
    long["payload"]["params"] = "x".repeat(60_000).into();
    *world.logs.borrow_mut() = json!([entry("Error", end), long, entry("Success", end - 2_000)]);
    let calls = world.calls.borrow().len();
    assert_eq!(usage(&world, period), Ok(LogReading { unread_until_ms: Some(end), ..LogReading::default() }));
    assert!(world.calls.borrow().len() - calls <= 6, "a short page is tried once: {:?}", world.calls.borrow());
}

#[test]
fn long_entries_are_read_in_short_pages_until_all_are_read() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    world.longest_answer.set(Some(60_000));
    let long = |n: u64| {
        let mut entry = entry("Error", NOW * 1000 - n);
        entry["payload"]["params"] = "x".repeat(4_000).into();
        entry
    };
    *world.logs.borrow_mut() = (0..25).map(long).collect();
    let (mut until_ms, mut looks) = (None, 0);
    loop {
        let reading = usage(&world, Period { from: NOW - 86_400, until_ms }).unwrap();
        looks += 1;
        assert!(looks < 5, "no look gets further than {until_ms:?}");
        match reading.unread_until_ms {
            Some(unread) => until_ms = Some(unread),
            None => break,
        }
    }
    assert!(looks > 1, "not in one");
}

#[test]
fn what_the_provider_has_forgotten_may_have_been_used() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let days = |days: u64| NOW - days * 86_400;
    let period = |from: u64| Period { from, until_ms: None };
    *world.logs.borrow_mut() = json!([entry("Error", days(5) * 1000)]);
    assert_eq!(usage(&world, period(days(4))), Ok(LogReading::default()), "the log reaches back further");
    let forgotten = LogReading { forgotten_until: Some(days(2)), ..LogReading::default() };
    assert_eq!(usage(&world, period(days(6))), Ok(forgotten));
    assert_eq!(usage(&world, period(days(1))), Ok(LogReading::default()), "nobody forgets so fast");
}

#[test]
fn a_log_that_does_not_find_what_it_holds_proves_nothing() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let (_, app) = world.answer("GET", "/applications/app-1", &Value::Null);
    *world.scripted.borrow_mut() = vec![(200, app), (200, json!([entry("Error", NOW * 1000)])), (200, json!([]))];
    let error = usage(&world, ALWAYS).unwrap_err();
    assert!(matches!(&error, ProviderError::Unavailable(detail) if detail.contains("start_time")), "{error}");
}

#[test]
fn a_period_that_begins_where_the_log_does_is_read_as_a_whole() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    *world.logs.borrow_mut() = json!([]);
    let two_days = 2 * 24 * 3_600;
    let forgotten = |from| usage(&world, Period { from, until_ms: None }).map(|reading| reading.forgotten_until);
    assert_eq!(forgotten(NOW - two_days), Ok(None));
    assert_eq!(forgotten(NOW - two_days - 1), Ok(Some(NOW - two_days)));
}

#[test]
fn what_was_not_read_matters_only_if_it_is_newer_than_the_last_success() {
    let of_key = |key: &str, result: &str, ms: u64| json!({"id": "x", "key": key, "payload": {"result": result}, "createdAt": ms});
    let [code, refresh] = ["ExchangeTokenBy.AuthorizationCode", "ExchangeTokenBy.RefreshToken"];
    let end = NOW * 1000;
    // Of one kind two pages of failures, of the other one success at, before or after their oldest one.
    for (success, unread) in [(end - 5, None), (end - 4, None), (end - 6, Some(end - 5))] {
        let world = World::default();
        create(&world, &logto()).unwrap();
        let mut entries = vec![of_key(code, "Error", end - 5); 300];
        entries.push(of_key(refresh, "Success", success));
        *world.logs.borrow_mut() = Value::Array(entries);
        let reading = usage(&world, Period { from: NOW - 86_400, until_ms: None }).unwrap();
        assert_eq!((reading.unread_until_ms, reading.last_success), (unread, Some(success / 1000)), "{success}");
    }
}

#[test]
fn a_second_page_that_is_too_long_is_left_to_the_next_look() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    world.longest_answer.set(Some(50_000));
    let end = NOW * 1000;
    let mut entries: Vec<Value> = (0..100).map(|n| entry("Error", end - n)).collect();
    let mut long = entry("Error", end - 100);
    long["payload"]["params"] = "x".repeat(60_000).into();
    entries.push(long);
    *world.logs.borrow_mut() = Value::Array(entries);
    let reading = usage(&world, Period { from: NOW - 86_400, until_ms: None }).unwrap();
    assert_eq!(reading.unread_until_ms, Some(end - 99));
}

#[test]
fn whether_periods_work_is_tried_with_the_second_around_the_newest_entry() {
    let world = World::default();
    create(&world, &logto()).unwrap();
    let at = NOW * 1000 - 7;
    *world.logs.borrow_mut() = json!([entry("Success", at)]);
    usage(&world, ALWAYS).unwrap();
    let tried = format!("GET /logs?start_time={}&end_time={}&page=1&page_size=1", at - 1000, at + 1000);
    assert!(world.calls.borrow().contains(&tried), "{:?}", world.calls.borrow());
}
