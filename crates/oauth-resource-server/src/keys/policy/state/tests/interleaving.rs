//! The key policy in random histories of interleaved requests.

use proptest::prelude::*;

use super::*;

/// What may happen among four interleaved requests. Any of them may stop for good after any action.
#[derive(Debug, Clone)]
enum Event {
    Wait(u64),
    Begin { slot: usize, kid: &'static str, age: u64, forged: bool },
    Continue { slot: usize, answers: bool },
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let kid = prop::sample::select(vec!["k", "k", "next", "x", "y", "z"]);
    let event = prop_oneof![
        2 => (0_u64..4).prop_map(Event::Wait),
        2 => prop_oneof![4_u64..60, 60_u64..700, CEILING_SECONDS - 700..CEILING_SECONDS + 10].prop_map(Event::Wait),
        6 => (0_usize..4, kid, 0_u64..90, prop::bool::weighted(0.2))
            .prop_map(|(slot, kid, age, forged)| Event::Begin { slot, kid, age, forged }),
        10 => (0_usize..4, any::<bool>()).prop_map(|(slot, answers)| Event::Continue { slot, answers }),
    ];
    prop::collection::vec(event, 1..120)
}

struct Request {
    query: KeyQuery<'static>,
    attempted: Attempted,
    action: Action,
}

proptest! {
    #[test]
    fn however_requests_interleave_and_die_the_budget_holds_and_no_old_key_is_used(events in events()) {
        let (mut state, mut now) = (JwksState::default(), NOW);
        let mut slots: [Option<Request>; 4] = [None, None, None, None];
        let (mut asked, mut extra) = (Vec::new(), Vec::new());
        for event in events {
            let (slot, request) = match event {
                Event::Wait(seconds) => { now += seconds; continue }
                Event::Begin { slot, kid, age, forged } => {
                    let disproved = forged.then(|| record(&["k"], now).keys.iter().next().unwrap().thumbprint);
                    let query = KeyQuery { disproved, ..query(kid, now - age) };
                    (slot, Some(Request { query, attempted: Attempted::default(), action: Action::Wait }))
                }
                Event::Continue { slot, answers } => {
                    let request = slots[slot].take();
                    let keys: &[&str] = if now % 3 == 0 { &["k", "next"] } else { &["k"] };
                    match request.as_ref().map(|request| &request.action) {
                        Some(Action::ReadStore) => state.store_answered(now, answers.then(|| record(keys, now - 7))),
                        Some(Action::AskProvider | Action::Renew) => state.provider_answered(answers.then(|| record(keys, now))),
                        _ => {}
                    }
                    (slot, request)
                }
            };
            let Some(Request { query, mut attempted, .. }) = request else { continue };
            let (was_warm, had_attempted) = (state.copy(now).is_some(), attempted);
            let action = state.step(now, query, &mut attempted);
            match &action {
                Action::Use(key) => {
                    prop_assert!(was_warm && key.kid.as_deref() == query.kid && query.disproved != Some(key.thumbprint));
                    if match state.take_refresh() {
                        Some(Refresh::Provider) => true,
                        Some(Refresh::Store) => { state.store_answered(now, None); state.goes_on_to_provider(now) }
                        None => false,
                    } { asked.push(now); }
                }
                Action::ReadStore => prop_assert!(!had_attempted.store),
                Action::AskProvider | Action::Renew => {
                    prop_assert!(!had_attempted.provider && (was_warm || action == Action::AskProvider));
                    let pause = asked.last().map_or(u64::MAX, |last| now - last);
                    let is_regular = pause >= COOL_DOWN_SECONDS || (!was_warm && pause >= COLD_RETRY_SECONDS);
                    if !is_regular {
                        prop_assert!(was_warm, "cold, and asked {pause} seconds ago");
                        extra.retain(|at| now - at < BURST_WINDOW_SECONDS);
                        extra.push(now);
                        // Two windows may touch.
                        prop_assert!(extra.len() <= 2 * BURST as usize);
                    }
                    asked.push(now);
                }
                Action::Unavailable(seconds) => prop_assert!((1..=COOL_DOWN_SECONDS).contains(seconds)),
                Action::Refuse(reason) => {
                    let forged = query.disproved.is_some();
                    prop_assert!(*reason == KeyRefusal::UNKNOWN_KEY || (forged && *reason == KeyRefusal::BadSignature));
                    prop_assert!(was_warm, "nobody is called bad without a copy of the keys");
                }
                Action::Wait => {}
            }
            prop_assert!(state.unknown_kids.len() <= MAX_UNKNOWN_KIDS);
            slots[slot] = match action {
                Action::Use(_) | Action::Refuse(_) | Action::Unavailable(_) => None,
                action => Some(Request { query, attempted, action }),
            };
        }
    }
}
