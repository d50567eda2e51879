//! How often somebody may try to sign in: by address, and all together. Pure; `now` is told.
//!
//! A bucket fills up by one try every few seconds. The table of addresses is bounded: when it is full, those
//! with full buckets are forgotten, and if none is, newcomers share one bucket.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;

/// Addresses at a time.
const MOST: usize = 4096;

/// Tries of one address, and all together.
const EACH: Rate = Rate { most: 10.0, per_second: 0.2 };
const ALL: Rate = Rate { most: 100.0, per_second: 5.0 };

#[derive(Clone, Copy)]
struct Rate {
    most: f64,
    per_second: f64,
}

/// The buckets.
pub(super) struct Limiter {
    all: Bucket,
    others: Bucket,
    by_address: HashMap<IpAddr, Bucket>,
}

#[derive(Clone, Copy)]
struct Bucket {
    left: f64,
    at: Timestamp,
}

impl Limiter {
    pub(super) fn new(now: Timestamp) -> Self {
        let full = |rate: Rate| Bucket { left: rate.most, at: now };
        Self { all: full(ALL), others: full(EACH), by_address: HashMap::new() }
    }

    /// Takes a try. A refused one costs the address nothing more and leaves the others their share.
    pub(super) fn try_from(&mut self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let own = self.bucket(address.map(network), now);
        own.refill(EACH, now);
        if own.left < 1.0 {
            return false;
        }
        own.left -= 1.0;
        self.all.refill(ALL, now);
        let free = self.all.left >= 1.0;
        self.all.left -= if free { 1.0 } else { 0.0 };
        free
    }

    /// Gives a try back that was none: it succeeded.
    pub(super) fn give_back(&mut self, address: Option<IpAddr>, now: Timestamp) {
        let own = self.bucket(address.map(network), now);
        own.left = (own.left + 1.0).min(EACH.most);
        self.all.left = (self.all.left + 1.0).min(ALL.most);
    }

    fn bucket(&mut self, address: Option<IpAddr>, now: Timestamp) -> &mut Bucket {
        let Some(address) = address else { return &mut self.others };
        if self.by_address.len() >= MOST && !self.by_address.contains_key(&address) {
            self.by_address.retain(|_, bucket| {
                bucket.refill(EACH, now);
                bucket.left < EACH.most
            });
            if self.by_address.len() >= MOST {
                return &mut self.others;
            }
        }
        self.by_address.entry(address).or_insert(Bucket { left: EACH.most, at: now })
    }
}

impl Bucket {
    fn refill(&mut self, rate: Rate, now: Timestamp) {
        let passed = now.duration_since(self.at).as_secs_f64().max(0.0);
        self.left = passed.mul_add(rate.per_second, self.left).min(rate.most);
        self.at = now.max(self.at);
    }
}

/// Who has one IPv6 address has a whole network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(Ipv4Addr::from(u32::from(v4))),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number")
    }

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(n))
    }

    fn tries(limiter: &mut Limiter, from: Option<IpAddr>, second: i64) -> usize {
        (0..1000).take_while(|_| limiter.try_from(from, at(second))).count()
    }

    #[test]
    fn an_address_has_ten_tries_and_gets_new_ones_slowly() {
        let mut limiter = Limiter::new(at(0));
        assert_eq!(tries(&mut limiter, Some(address(1)), 0), 10);
        assert_eq!(tries(&mut limiter, Some(address(2)), 0), 10, "others are not touched");
        assert_eq!(tries(&mut limiter, Some(address(1)), 10), 2);
        assert_eq!(tries(&mut limiter, Some(address(1)), 9), 0, "a clock that goes back gives nothing");
    }

    #[test]
    fn one_ipv6_network_is_one_address() {
        let mut limiter = Limiter::new(at(0));
        let from = |text: &str| Some(text.parse::<IpAddr>().expect("an address"));
        assert_eq!(tries(&mut limiter, from("2001:db8::1"), 0), 10);
        assert_eq!(tries(&mut limiter, from("2001:db8::2"), 0), 0);
        assert_eq!(tries(&mut limiter, from("2001:db8:0:1::1"), 0), 10);
        assert_eq!(tries(&mut limiter, from("::ffff:10.0.0.1"), 0), 10);
        assert_eq!(tries(&mut limiter, from("10.0.0.1"), 0), 0);
    }

    #[test]
    fn all_together_have_a_limit_and_the_table_is_bounded() {
        let mut limiter = Limiter::new(at(0));
        let let_in = (0..20_000).filter(|n| limiter.try_from(Some(address(*n)), at(0))).count();
        assert_eq!(let_in, 100);
        assert!(limiter.by_address.len() <= MOST);
    }

    #[test]
    fn a_success_costs_nothing() {
        let mut limiter = Limiter::new(at(0));
        for _ in 0..100 {
            assert!(limiter.try_from(Some(address(1)), at(0)));
            limiter.give_back(Some(address(1)), at(0));
        }
    }
}
