//! The loop that makes the deliveries which the store owes: a few at a time, on threads of their own, because
//! the client blocks. It decides nothing but what to do after an attempt.
//!
//! A delivery is made at least once: a service that ends in the middle of an attempt makes it again under the
//! same `webhook-id`, which is how a receiver tells.

use std::{io, sync::Arc, time::Duration};

use provenance::Timestamp;
use serde::Serialize;
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};

use super::{
    client::{Client, Outcome, Post, TIMEOUT},
    keys::signing_keys,
    schedule::next_attempt,
    sign::Message,
    target::{Reach, Target},
};
use crate::{
    analyses::frame::Analysis,
    metrics::Metrics,
    pool::Pool,
    store::{Delivery, DeliveryEvent, Store, StoreError},
};

/// Everything a delivery needs.
pub(crate) struct Deliveries {
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    client: Arc<Client>,
    reach: Reach,
    clock: fn() -> Timestamp,
    pool: Pool,
    places: Arc<Semaphore>,
    /// Told when a place is free or a delivery may be owed.
    bell: Notify,
}

/// What a receiver gets: the analysis as the API gives it, and the two fields that Standard Webhooks asks for.
#[derive(Serialize)]
struct Event<'a> {
    r#type: &'static str,
    timestamp: String,
    #[serde(flatten)]
    analysis: Option<Analysis<'a>>,
}

/// Why no attempt was made.
enum Stuck {
    /// Nothing is left to tell, or the address is not taken any more.
    ForGood(&'static str),
    /// On our side; the lease runs out and it is tried again.
    ForNow(StoreError),
}

impl Deliveries {
    /// Starts the threads that will wait for receivers.
    ///
    /// # Errors
    ///
    /// What the system says when it gives no threads.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        metrics: Arc<Metrics>,
        reach: Reach,
        clock: fn() -> Timestamp,
    ) -> io::Result<Self> {
        Ok(Self {
            store,
            metrics,
            client: Arc::new(Client::new(reach)),
            reach,
            clock,
            pool: Pool::start("webhook", PLACES, PLACES)?,
            places: Arc::new(Semaphore::new(PLACES)),
            bell: Notify::new(),
        })
    }

    /// Delivers until `stop` says so; attempts under way get a moment to be settled.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.round().await {
                tracing::error!(%error, "webhooks cannot be looked up, trying again");
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.bell.notified() => (),
                () = sleep(ROUND) => (),
            }
        }
        let all = u32::try_from(PLACES).unwrap_or(u32::MAX);
        // What is not settled by then is made again after the next start.
        let _ = timeout(PARTING, self.places.acquire_many(all)).await;
    }

    /// Starts as many attempts as there are places.
    async fn round(self: &Arc<Self>) -> Result<(), StoreError> {
        let free = u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX);
        if free == 0 {
            return Ok(());
        }
        for delivery in self
            .store
            .lease_deliveries((self.clock)(), LEASE_S, free)
            .await?
        {
            // Places are only taken here, so those that were counted are still free.
            if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
                tokio::spawn(Arc::clone(self).attempt(delivery, place));
            }
        }
        Ok(())
    }

    async fn attempt(self: Arc<Self>, delivery: Delivery, place: OwnedSemaphorePermit) {
        let settled = match self.send(&delivery).await {
            Ok(outcome) => self.settle(&delivery, outcome).await,
            Err(Stuck::ForGood(why)) => self.store.bury(delivery.attempt, why).await,
            Err(Stuck::ForNow(error)) => Err(error),
        };
        if let Err(error) = settled {
            tracing::error!(%error, webhook.id = %delivery.attempt.delivery, "a webhook is left for later");
        }
        drop(place);
        self.bell.notify_one();
    }

    async fn send(&self, delivery: &Delivery) -> Result<Outcome, Stuck> {
        let target = Target::parse(&delivery.url, self.reach)
            .map_err(|_| Stuck::ForGood("address_not_taken"))?;
        let now = (self.clock)();
        let body = self.body(delivery).await?;
        let keys = signing_keys(&*self.store, delivery.tenant, now)
            .await
            .map_err(Stuck::ForNow)?;
        let message = Message {
            id: delivery.attempt.delivery,
            at: now,
            body: &body,
        };
        let (id, signature) = (message.id(), message.signatures(&keys));
        let client = Arc::clone(&self.client);
        let answer = self.pool.run(move || {
            let timestamp = now.0.to_string();
            let post = Post {
                id,
                timestamp,
                signature,
                body: &body,
            };
            client.post(&target, &post)
        });
        let unavailable = |what: &str| Stuck::ForNow(StoreError::Unexpected(what.to_owned()));
        match answer {
            Ok(answer) => answer
                .await
                .map_err(|_| unavailable("an attempt broke off")),
            // There are as many threads as places.
            Err(_) => Err(unavailable("no thread is free for a webhook")),
        }
    }

    async fn body(&self, delivery: &Delivery) -> Result<String, Stuck> {
        let kept = match delivery.analysis {
            Some(id) => {
                let kept = self
                    .store
                    .find(delivery.tenant, id)
                    .await
                    .map_err(Stuck::ForNow)?;
                let kept = kept.filter(|kept| kept.erased_at.is_none());
                Some(kept.ok_or(Stuck::ForGood("erased"))?)
            }
            None => None,
        };
        let analysis = kept.as_ref().map(Analysis::of).transpose();
        let event = Event {
            r#type: delivery.event.as_str(),
            timestamp: delivery.created_at.to_rfc3339(),
            analysis: analysis.map_err(|_| Stuck::ForGood("unreadable"))?,
        };
        serde_json::to_string(&event).map_err(|_| Stuck::ForGood("unreadable"))
    }

    async fn settle(&self, delivery: &Delivery, outcome: Outcome) -> Result<(), StoreError> {
        self.metrics.webhook(outcome.as_str());
        tracing::info!(
            webhook.id = %delivery.attempt.delivery,
            webhook.attempt = delivery.number,
            outcome = outcome.as_str(),
            "tried a webhook"
        );
        let last = match outcome {
            Outcome::Delivered(status) | Outcome::Refused(status, _) => {
                format!("{} {}", outcome.as_str(), status.as_u16())
            }
            Outcome::Gone | Outcome::Unreached(_) => outcome.as_str().to_owned(),
        };
        let wait = match outcome {
            Outcome::Delivered(_) => return self.store.delivered(delivery.attempt, &last).await,
            Outcome::Gone => return self.store.bury(delivery.attempt, &last).await,
            Outcome::Refused(_, wait) => wait,
            Outcome::Unreached(_) => None,
        };
        match self.next(delivery, wait) {
            Some(due) => self.store.try_again(delivery.attempt, due, &last).await,
            None => self.store.bury(delivery.attempt, &last).await,
        }
    }

    /// A test is tried once: whoever waits for it wants to see how it went.
    fn next(&self, delivery: &Delivery, wait: Option<Duration>) -> Option<Timestamp> {
        if delivery.event == DeliveryEvent::Test {
            return None;
        }
        let (created, id) = (delivery.created_at, delivery.attempt.delivery);
        next_attempt(created, (self.clock)(), delivery.number, id, wait)
    }
}

/// Attempts at a time. They wait for strangers, not for a processor.
const PLACES: usize = 8;

/// Seconds of a lease: longer than an attempt can take, with what goes before and after it.
const LEASE_S: u32 = 60;

/// Pause between two looks at what is due, when nothing rings.
const ROUND: Duration = Duration::from_secs(1);

/// For attempts under way when the service stops. Shorter than [`TIMEOUT`]: a receiver that hangs must not hold
/// up a restart.
const PARTING: Duration = Duration::from_secs(3);

const _: () = assert!(PARTING.as_secs() < TIMEOUT.as_secs());

#[cfg(test)]
#[path = "deliver_tests.rs"]
mod tests;
