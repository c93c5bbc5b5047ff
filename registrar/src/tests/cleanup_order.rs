//! Whom a run looks at first, and when it looks again.

use super::{developer, metadata};
use crate::{
    cleanup::MAX_CLIENTS_PER_RUN,
    policy::Mode,
    testing::{DAY, NOW, World},
};

const HOUR: u64 = 3_600;

fn looked_at(world: &World, now: u64) -> usize {
    world.now.set(now);
    world.with(async |registry| registry.clean_up(true).await).looked_at
}

fn world_of(clients: usize) -> World {
    let mut world = World::new(Mode::Developers);
    world.policy.limits.clients = 100;
    world.policy.limits.per_developer = 100;
    for number in 0..clients {
        world.now.set(NOW + number as u64);
        world.register(metadata(&format!("Agent {number}")), developer("alice")).unwrap();
    }
    world
}

#[test]
fn those_that_were_looked_at_longest_ago_come_first() {
    let world = world_of(MAX_CLIENTS_PER_RUN + 5);
    let first = NOW + 2 * DAY;
    assert_eq!(looked_at(&world, first), MAX_CLIENTS_PER_RUN);
    // The oldest ten: the log was read from when they were made, less its lag.
    let begins = || world.provider.periods.borrow().iter().map(|period| period.from + 300 - NOW).collect::<Vec<_>>();
    let mut read = begins();
    read.sort_unstable();
    assert_eq!(read, (0..MAX_CLIENTS_PER_RUN as u64).collect::<Vec<_>>());
    assert_eq!(looked_at(&world, first + 1), 5, "then the rest");
    assert_eq!(looked_at(&world, first + 2), 0, "then nobody");
}

#[test]
fn each_is_looked_at_once_a_day() {
    let world = world_of(1);
    assert_eq!(looked_at(&world, NOW + DAY - 1), 0);
    assert_eq!(looked_at(&world, NOW + DAY), 1);
    assert_eq!(looked_at(&world, NOW + 2 * DAY - 1), 0);
    assert_eq!(looked_at(&world, NOW + 2 * DAY), 1);
}

#[test]
fn one_that_would_end_is_looked_at_once_a_day_too() {
    let world = world_of(1);
    world.provider.applications.borrow_mut().clear();
    assert_eq!(looked_at(&world, NOW + DAY), 1);
    assert!(world.audit.borrow().iter().any(|line| line.contains("removed at the provider")));
    assert_eq!(looked_at(&world, NOW + 2 * DAY - 1), 0);
    assert_eq!(looked_at(&world, NOW + 2 * DAY), 1);
}

#[test]
fn one_that_cannot_be_looked_at_waits_two_hours() {
    let world = world_of(1);
    world.provider.broken.set("usage");
    let began = NOW + DAY;
    assert_eq!(looked_at(&world, began), 1);
    assert_eq!(looked_at(&world, began + 2 * HOUR - 1), 0);
    assert_eq!(looked_at(&world, began + 2 * HOUR), 1);
    world.provider.broken.set("");
    assert_eq!(looked_at(&world, began + 4 * HOUR), 1);
    // What was known before is known still: the log is read on from there.
    let periods = world.provider.periods.borrow();
    assert_eq!(periods.iter().map(|period| period.from).collect::<Vec<_>>(), [NOW - 300]);
}
