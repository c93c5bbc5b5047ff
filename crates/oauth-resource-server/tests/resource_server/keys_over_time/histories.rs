//! Random histories of provider, store, clock and senders, held against what the key policy promises.

use proptest::prelude::*;

use super::{Event, History, ISSUER, ProviderUrls, events, jwks_url};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_of_the_key_policy_hold_in_every_history(events in events()) {
        let mut history = History::new(false);
        for event in &events {
            history.happen(event);
            if matches!(event, Event::ColdStart) {
                continue;
            }
            history.check_budget();
        }
        history.check_silence();
    }

    /// Also where the operator says where the keys are: then the discovery document does not matter.
    #[test]
    fn they_hold_where_the_operator_says_where_the_keys_are(events in events()) {
        let urls = ProviderUrls { jwks: Some(jwks_url(ISSUER)), ..ProviderUrls::default() };
        let mut history = History::with_urls(urls, false);
        for event in &events {
            history.happen(event);
            if matches!(event, Event::ColdStart) {
                continue;
            }
            history.check_budget();
        }
        history.check_silence();
    }

    /// The same history twice: once with a memory of verified tokens, once with tokens that are never the same bytes.
    /// No answer differs.
    #[test]
    fn a_remembered_verdict_is_the_verdict_of_full_verification(events in events()) {
        let (mut with_memory, mut without) = (History::new(false), History::new(true));
        for event in &events {
            let (one, other) = (with_memory.happen(event), without.happen(event));
            prop_assert_eq!(one, other, "{:?}", event);
            prop_assert_eq!(with_memory.world.now(), without.world.now());
        }
        with_memory.check_silence();
        without.check_silence();
    }
}
