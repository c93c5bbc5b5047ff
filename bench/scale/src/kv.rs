//! Workers KV as it is documented (<https://developers.cloudflare.com/kv/concepts/how-kv-works/>, `/kv/platform/limits/`).
//!
//! A read is answered by the cache of the location for 60 seconds, misses included; behind it stands a cache of the region,
//! for as long, and behind that the central store. A write goes to the central store, and is visible at once where it was
//! made; elsewhere "changes may take up to 60 seconds or more", here up to 120 with both caches. One write per second and
//! key; the free plan has a number of reads and writes a day.

use std::{collections::HashMap, rc::Rc};

/// How long a location or a region may answer by itself, in milliseconds.
const CACHED: u64 = 60_000;

/// The least time between two writes of a key.
const WRITE_PAUSE: u64 = 1000;

const DAY: u64 = 24 * 3600 * 1000;

/// Operations a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyLimits {
    /// Reads, misses and answers of caches included.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
}

/// Those of the free plan, for the whole account.
pub const FREE_PLAN: DailyLimits = DailyLimits { reads: 100_000, writes: 1000 };

/// What was done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Operations {
    /// Reads, as they are billed.
    pub reads: u64,
    /// Those of them that no cache answered.
    pub central_reads: u64,
    /// Writes.
    pub writes: u64,
    /// Reads and writes that were refused: more than one write a second, or more than the plan has.
    pub refused: u64,
}

/// Where a read was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheTier {
    /// By the cache of the location.
    Location,
    /// By that of the region.
    Region,
    /// By the central store.
    Central,
}

type Value = Option<Rc<str>>;

/// One namespace.
#[derive(Debug)]
pub struct Kv {
    regions: usize,
    limits: Option<DailyLimits>,
    operations: Operations,
    today: (u64, DailyLimits),
    central: HashMap<String, (Rc<str>, u64)>,
    /// By location or region: the value, and until when it may be answered.
    of_locations: HashMap<(usize, String), (Value, u64)>,
    of_regions: HashMap<(usize, String), (Value, u64)>,
    written: HashMap<String, u64>,
}

impl Kv {
    /// Creates an empty namespace whose locations belong to so many regions.
    #[must_use]
    pub fn new(regions: usize, limits: Option<DailyLimits>) -> Self {
        Self {
            regions,
            limits,
            operations: Operations::default(),
            today: (0, DailyLimits { reads: 0, writes: 0 }),
            central: HashMap::new(),
            of_locations: HashMap::new(),
            of_regions: HashMap::new(),
            written: HashMap::new(),
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn operations(&self) -> Operations {
        self.operations
    }

    /// Reads a key at `location`; times are milliseconds.
    ///
    /// # Errors
    /// The message of the platform.
    pub fn get(&mut self, location: usize, key: &str, now: u64) -> Result<(Value, CacheTier), String> {
        self.operations.reads += 1;
        let today = self.today(now);
        today.reads += 1;
        let reads = today.reads;
        self.check(self.limits.is_some_and(|limits| reads > limits.reads), "KV GET failed: 429 Too Many Requests")?;
        let place = (location, key.to_owned());
        if let Some((value, until)) = self.of_locations.get(&place)
            && now < *until
        {
            return Ok((value.clone(), CacheTier::Location));
        }
        let region = (location % self.regions, place.1.clone());
        let (value, tier) = match self.of_regions.get(&region) {
            Some((value, until)) if now < *until => (value.clone(), CacheTier::Region),
            _ => {
                self.operations.central_reads += 1;
                let value = self.central.get(key).filter(|(_, until)| now < *until).map(|(value, _)| Rc::clone(value));
                self.of_regions.insert(region, (value.clone(), now + CACHED));
                (value, CacheTier::Central)
            }
        };
        self.of_locations.insert(place, (value.clone(), now + CACHED));
        Ok((value, tier))
    }

    /// Writes a key at `location`, for `ttl` milliseconds.
    ///
    /// # Errors
    /// The message of the platform.
    pub fn put(&mut self, location: usize, key: &str, value: &str, ttl: u64, now: u64) -> Result<(), String> {
        self.operations.writes += 1;
        let today = self.today(now);
        today.writes += 1;
        let writes = today.writes;
        self.check(self.limits.is_some_and(|limits| writes > limits.writes), "KV PUT failed: daily limit exceeded")?;
        let is_too_soon = self.written.get(key).is_some_and(|at| now < at + WRITE_PAUSE);
        self.check(is_too_soon, "KV PUT failed: 429 Too Many Requests")?;
        self.written.insert(key.to_owned(), now);
        let value: Rc<str> = value.into();
        self.central.insert(key.to_owned(), (Rc::clone(&value), now + ttl));
        self.of_locations.insert((location, key.to_owned()), (Some(value), now + CACHED));
        Ok(())
    }

    /// Replaces what every tier has, as somebody does who may write into the namespace and waits.
    pub fn poison(&mut self, key: &str, change: impl Fn(&str) -> String, now: u64) {
        if let Some((value, _)) = self.central.get_mut(key) {
            *value = change(value).into();
        }
        self.of_locations.clear();
        self.of_regions.clear();
        self.written.insert(key.to_owned(), now);
    }

    /// What the central store has.
    #[must_use]
    pub fn stored(&self, key: &str) -> Option<&str> {
        self.central.get(key).map(|(value, _)| &**value)
    }

    /// What was done today; days begin at midnight UTC.
    fn today(&mut self, now: u64) -> &mut DailyLimits {
        let day = now / DAY;
        if self.today.0 != day {
            self.today = (day, DailyLimits { reads: 0, writes: 0 });
        }
        &mut self.today.1
    }

    fn check(&mut self, is_refused: bool, message: &str) -> Result<(), String> {
        if is_refused {
            self.operations.refused += 1;
            return Err(message.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kv: &mut Kv, location: usize, now: u64) -> Option<String> {
        kv.get(location, "k", now).unwrap().0.map(|value| value.to_string())
    }

    #[test]
    fn a_write_is_seen_at_once_where_it_was_made_and_elsewhere_when_the_caches_have_ended() {
        let mut kv = Kv::new(2, None);
        assert_eq!(value(&mut kv, 0, 0), None);
        assert_eq!(value(&mut kv, 1, 0), None);
        kv.put(0, "k", "new", DAY, 1).unwrap();
        assert_eq!(value(&mut kv, 0, 2), Some("new".to_owned()));
        assert_eq!(value(&mut kv, 1, CACHED - 1), None, "a miss is cached like a value");
        assert_eq!(value(&mut kv, 1, CACHED), Some("new".to_owned()));
        // Location 3 is in the region of 1, which answers for it.
        kv.put(0, "k", "newer", DAY, CACHED + 1).unwrap();
        assert_eq!(value(&mut kv, 3, 2 * CACHED - 1), Some("new".to_owned()));
        assert_eq!(value(&mut kv, 3, 3 * CACHED - 1), Some("newer".to_owned()));
        assert_eq!(kv.operations().reads, 7);
    }

    #[test]
    fn writes_are_limited_by_the_second_and_by_the_day() {
        let mut kv = Kv::new(1, Some(DailyLimits { reads: 1, writes: 3 }));
        kv.put(0, "k", "1", DAY, 0).unwrap();
        assert!(kv.put(0, "k", "2", DAY, WRITE_PAUSE - 1).is_err());
        kv.put(0, "k", "3", DAY, WRITE_PAUSE).unwrap();
        assert!(kv.put(0, "k", "4", DAY, 10 * WRITE_PAUSE).is_err(), "the fourth of the day");
        assert!(kv.get(0, "k", 0).is_ok() && kv.get(0, "k", 1).is_err());
        kv.put(0, "k", "5", DAY, DAY).unwrap();
        assert_eq!(kv.operations().refused, 3);
    }

    #[test]
    fn what_has_expired_is_gone() {
        let mut kv = Kv::new(1, None);
        kv.put(0, "k", "v", 100_000, 0).unwrap();
        assert_eq!(value(&mut kv, 1, 99_999), Some("v".to_owned()));
        assert_eq!(value(&mut kv, 2, 100_000 + CACHED), None);
    }
}
