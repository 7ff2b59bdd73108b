//! How often, and how many at a time, one tenant may ask. One tenant at ten times its share must not
//! move another's waiting times; what a single request may cost is bounded elsewhere.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{error::Problem, settings::ServeSettings, store::TenantId};

type Bucket = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

/// The gates of all tenants. It grows by one entry per tenant that asks, and tenants are made by the
/// operator alone.
pub(crate) struct Gates {
    per_minute: NonZeroU32,
    max_open: usize,
    of: Mutex<HashMap<TenantId, Arc<Gate>>>,
}

/// The gate of one tenant.
struct Gate {
    bucket: Bucket,
    open: Arc<Semaphore>,
}

/// One request that was let in.
pub(crate) struct Pass {
    /// Held while the request is answered.
    _open: OwnedSemaphorePermit,
    allowance: Allowance,
}

/// What a tenant has left, for the headers of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    per_minute: u32,
    left: u32,
}

/// A request that was not let in.
pub(crate) struct Stopped {
    pub(crate) problem: Problem,
    pub(crate) allowance: Allowance,
}

impl Gates {
    pub(crate) fn new(settings: &ServeSettings) -> Self {
        Self {
            per_minute: settings.requests_per_minute,
            max_open: settings.max_open_requests,
            of: Mutex::default(),
        }
    }

    /// Counts one request of `tenant`.
    pub(crate) fn pass(&self, tenant: TenantId) -> Result<Pass, Box<Stopped>> {
        let gate = self.gate(tenant);
        let per_minute = self.per_minute.get();
        let allowance = match gate.bucket.check() {
            Ok(state) => Allowance {
                per_minute,
                left: state.remaining_burst_capacity(),
            },
            Err(not_until) => {
                let wait = not_until.wait_time_from(gate.bucket.clock().now());
                return Err(Box::new(Stopped {
                    problem: Problem::rate_limited(whole_seconds(wait)),
                    allowance: Allowance {
                        per_minute,
                        left: 0,
                    },
                }));
            }
        };
        match Arc::clone(&gate.open).try_acquire_owned() {
            Ok(open) => Ok(Pass {
                _open: open,
                allowance,
            }),
            Err(_) => Err(Box::new(Stopped {
                problem: Problem::too_many_open(),
                allowance,
            })),
        }
    }

    fn gate(&self, tenant: TenantId) -> Arc<Gate> {
        let mut gates = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let gate = gates.entry(tenant).or_insert_with(|| {
            let quota = Quota::per_minute(self.per_minute);
            Arc::new(Gate {
                bucket: RateLimiter::direct(quota).with_middleware(),
                open: Arc::new(Semaphore::new(self.max_open)),
            })
        });
        Arc::clone(gate)
    }
}

impl Pass {
    pub(crate) fn allowance(&self) -> Allowance {
        self.allowance
    }
}

impl Allowance {
    /// Writes the two header fields of draft-ietf-httpapi-ratelimit-headers-10.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let Self { per_minute, left } = self;
        let used = u64::from(per_minute.saturating_sub(left));
        let full_in = (used * WINDOW_S).div_ceil(u64::from(per_minute.max(1)));
        for (name, value) in [
            (
                "ratelimit-policy",
                format!("\"requests\";q={per_minute};w={WINDOW_S}"),
            ),
            ("ratelimit", format!("\"requests\";r={left};t={full_in}")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

/// Never 0: a caller that waits no time at all would come straight back.
fn whole_seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000))
        .unwrap_or(u64::MAX)
        .max(1)
}

/// Seconds in which the whole allowance comes back.
const WINDOW_S: u64 = 60;

#[cfg(test)]
mod tests {
    use provenance::Timestamp;

    use super::*;

    fn gates(per_minute: u32, open: usize) -> Gates {
        let listen = "127.0.0.1:0".parse().unwrap();
        let mut settings = ServeSettings::new(listen, 1, || Timestamp(0));
        settings.requests_per_minute = NonZeroU32::new(per_minute).unwrap();
        settings.max_open_requests = open;
        Gates::new(&settings)
    }

    fn refused(gates: &Gates, tenant: TenantId) -> Option<&'static str> {
        gates
            .pass(tenant)
            .err()
            .map(|stopped| stopped.problem.code())
    }

    #[test]
    fn a_tenant_that_asks_too_often_is_stopped_and_no_other() {
        let gates = gates(3, 9);
        let (loud, quiet) = (TenantId::new(), TenantId::new());
        for left in [2, 1, 0] {
            assert_eq!(gates.pass(loud).ok().unwrap().allowance().left, left);
        }
        assert_eq!(refused(&gates, loud), Some("rate_limited"));
        assert_eq!(refused(&gates, quiet), None);
    }

    #[test]
    fn open_requests_are_counted_until_they_end() {
        let gates = gates(9, 1);
        let tenant = TenantId::new();
        let first = gates.pass(tenant);
        assert_eq!(refused(&gates, tenant), Some("too_many_open"));
        drop(first);
        assert_eq!(refused(&gates, tenant), None);
    }

    #[test]
    fn the_headers_say_what_is_left_and_when_it_is_back() {
        let mut headers = HeaderMap::new();
        let allowance = Allowance {
            per_minute: 600,
            left: 580,
        };
        allowance.write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"requests\";q=600;w=60");
        assert_eq!(headers["ratelimit"], "\"requests\";r=580;t=2");
    }
}
