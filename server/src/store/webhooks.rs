//! Deliveries that are owed, and the keys they are signed with. It knows nothing of HTTP or of what a
//! delivery's body looks like: a delivery names its analysis, and the sender writes the body from that,
//! which no longer changes once the delivery is there.

use async_trait::async_trait;
use provenance::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{AnalysisId, StoreError, TenantId};

/// What a delivery tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryEvent {
    /// An analysis is done.
    Completed,
    /// An analysis could not be made.
    Failed,
    /// Somebody tries their receiver; there is no analysis.
    Test,
}

impl DeliveryEvent {
    /// The word, as receivers see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "analysis.completed",
            Self::Failed => "analysis.failed",
            Self::Test => "webhook.test",
        }
    }
}

/// A delivery to queue that no verdict caused; those are queued by `Queue::finish` and
/// `Analyses::admit` themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id, which the receiver sees and which stays the same over all attempts.
    pub id: Uuid,
    /// Whose it is.
    pub tenant: TenantId,
    /// Where to.
    pub url: String,
    /// What it tells.
    pub event: DeliveryEvent,
    /// Now; it is due at once.
    pub created_at: Timestamp,
}

/// The right to settle one delivery, until it runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The delivery.
    pub delivery: Uuid,
    /// Random; a newer lease has another.
    pub token: Uuid,
}

/// One delivery to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The right to settle it.
    pub attempt: Attempt,
    /// Whose it is.
    pub tenant: TenantId,
    /// What it is about; `None` for a test.
    pub analysis: Option<AnalysisId>,
    /// Where to.
    pub url: String,
    /// What it tells.
    pub event: DeliveryEvent,
    /// When it was queued: the time of the event.
    pub created_at: Timestamp,
    /// How often it was leased, this time included: 1 at first.
    pub number: u32,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// To be tried, for the first time or again.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Dead,
}

/// A delivery as its owner may look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveredTo {
    /// Its id.
    pub id: Uuid,
    /// What it is about; `None` for a test.
    pub analysis: Option<AnalysisId>,
    /// Where to.
    pub url: String,
    /// What it tells.
    pub event: DeliveryEvent,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// The status or the reason of the last attempt, in a few words.
    pub last: Option<String>,
    /// When it is tried next; meaningful while waiting.
    pub due_at: Timestamp,
    /// When it was queued.
    pub created_at: Timestamp,
}

/// A key that signs a tenant's webhooks. The seed has no `Debug` and is wiped on drop.
pub struct SigningKey {
    /// Its id.
    pub id: Uuid,
    /// Ed25519 seed.
    pub seed: Zeroizing<[u8; 32]>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it no longer signs.
    pub ends_at: Option<Timestamp>,
}

/// Deliveries and signing keys.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// Queues a delivery; durable on return.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn queue_delivery(&self, new: NewDelivery) -> Result<(), StoreError>;

    /// Takes at most `limit` deliveries that are due and not leased, until `now + lease_s`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn lease_deliveries(
        &self,
        now: Timestamp,
        lease_s: u32,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// The receiver took it. A lost lease changes nothing here and below.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn delivered(&self, attempt: Attempt, last: &str) -> Result<(), StoreError>;

    /// Try again at `due`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn try_again(
        &self,
        attempt: Attempt,
        due: Timestamp,
        last: &str,
    ) -> Result<(), StoreError>;

    /// Given up.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn bury(&self, attempt: Attempt, last: &str) -> Result<(), StoreError>;

    /// The newest deliveries of a tenant, at most `limit`; those of one analysis if it is given.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn deliveries(
        &self,
        tenant: TenantId,
        analysis: Option<AnalysisId>,
        limit: u32,
    ) -> Result<Vec<DeliveredTo>, StoreError>;

    /// Stores a signing key of a tenant and lets the others end at `others_end_at`, unless they end
    /// earlier anyway.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn add_signing_key(
        &self,
        tenant: TenantId,
        key: SigningKey,
        others_end_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The signing keys of a tenant that have not ended at `now`, the newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn signing_keys(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<Vec<SigningKey>, StoreError>;
}
