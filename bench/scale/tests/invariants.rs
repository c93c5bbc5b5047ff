//! What must hold at every size, on a small deployment: 8 locations, some hours.

use mcp_edge_oauth::keys::policy::{CEILING_SECONDS, REVALIDATE_SECONDS};
use scale_simulation::{
    deployment::{Deployment, SCATTERED, SHARDED, SMALL, Size},
    run::Simulation,
    scenarios::{self, ROLLOUT, Scenario},
};

const SIZE: Size = Size { requests_per_day: 10_000.0, users: 30, access_keys: 8, ..SMALL };

fn deployments() -> [Deployment; 2] {
    [SHARDED, SCATTERED].map(|placement| Deployment { size: SIZE, placement, locations: 8 })
}

#[test]
fn a_run_is_repeated_by_its_seed() {
    let deployment = deployments()[1];
    let run = |seed| scenarios::plain_day(&mut Simulation::new(&deployment, seed), 1);
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn on_a_plain_day_nobody_is_refused_or_sent_away_and_the_free_plan_is_enough() {
    for deployment in deployments() {
        let figures = scenarios::plain_day(&mut Simulation::new(&deployment, 1), 6);
        assert_eq!((figures.unavailable, figures.refused), (0, 0), "{figures:?}");
        assert!(figures.oldest_copy < REVALIDATE_SECONDS, "{figures:?}");
        assert!(figures.kv_writes_per_day < 1000.0 && figures.kv_reads_per_day < 100_000.0, "{figures:?}");
        // If each isolate renewed both documents by itself, every ten minutes, these were twelve.
        let asked = (figures.discovery_per_hour + figures.keys_per_hour) / figures.isolates;
        assert!(asked < 6.0, "{asked}: {figures:?}");
    }
}

#[test]
fn a_withdrawn_key_is_refused_everywhere_within_the_hour() {
    for deployment in deployments() {
        for is_announced in [true, false] {
            let figures = scenarios::withdrawal(&mut Simulation::new(&deployment, 1), is_announced);
            let after = figures.followed_after.expect("a time");
            assert!(after > 0.0, "nobody accepted the key");
            #[allow(clippy::cast_precision_loss, reason = "an hour")]
            let bound = REVALIDATE_SECONDS as f64;
            assert!(after < bound, "{deployment:?}: {after}");
            assert_eq!(figures.unavailable, 0, "{figures:?}");
        }
    }
}

#[test]
fn while_kv_has_keys_an_outage_sends_nobody_away() {
    for deployment in deployments() {
        let figures = scenarios::outage(&mut Simulation::new(&deployment, 1), 4);
        assert_eq!((figures.unavailable, figures.refused), (0, 0), "{figures:?}");
        assert!(figures.oldest_copy > 4 * 3600 - 60 && figures.oldest_copy < CEILING_SECONDS, "{figures:?}");
        // The first failures are less than five minutes apart, and the following ones five: twelve an hour. Of scattered isolates
        // nearly each request starts one, which asks once.
        let bound = 12.0 * figures.isolates + figures.started_per_day * 1.5 / 24.0;
        assert!(figures.keys_per_hour < bound, "{bound}: {figures:?}");
    }
}

#[test]
fn an_emergency_switch_waits_for_no_cache() {
    for deployment in deployments() {
        let figures = scenarios::emergency(&mut Simulation::new(&deployment, 1));
        let after = figures.followed_after.expect("a time");
        #[allow(clippy::cast_precision_loss, reason = "seconds")]
        let rollout = ROLLOUT as f64 / 1000.0;
        assert!(after <= rollout, "{after}");
    }
}

#[test]
fn a_revoked_access_key_is_refused_everywhere_within_a_minute() {
    for deployment in deployments() {
        let figures = scenarios::revoked_access_key(&mut Simulation::new(&deployment, 1));
        let after = figures.followed_after.expect("a time");
        assert!(after > 0.0 && after <= 60.0, "{after}");
    }
}

#[test]
fn what_was_put_into_kv_once_does_not_stay() {
    for deployment in deployments() {
        let figures = scenarios::poison(&mut Simulation::new(&deployment, 1));
        let after = figures.followed_after.expect("a time");
        assert!(after > 0.0, "the attacker got in nowhere: the entry was not read");
        assert!(after < 900.0, "{after}");
        assert_eq!(figures.unavailable, 0, "{figures:?}");
    }
}

#[test]
fn strangers_cannot_have_the_provider_asked_for_each_token() {
    for deployment in deployments() {
        let deployment = Deployment { locations: 3, ..deployment };
        let figures = scenarios::flood(&mut Simulation::new(&deployment, 1), 20.0, 5);
        assert!(figures.strangers > 5000, "{figures:?}");
        // Each isolate may ask when it starts, twice a minute, and twice a minute more for tokens that may be newer than its
        // keys.
        let isolates = figures.isolates + figures.started_per_day * figures.hours / 24.0;
        let (asked, bound) = (figures.keys_per_hour * figures.hours, isolates * (5.0 * 4.0 + 1.0));
        assert!(asked <= bound && bound < 5000.0, "{asked} {bound}");
    }
}

#[test]
fn every_scenario_runs() {
    let deployment = Deployment { locations: 3, ..deployments()[0] };
    for scenario in [Scenario::Rotation, Scenario::Poison] {
        assert!(scenario.run(&deployment, 1).requests > 0);
    }
}
