//! What one service may take on. Every number bounds something a stranger could exhaust.

use std::{net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use provenance::Timestamp;

use crate::{oidc::IssuerCell, webhooks::Reach};

/// Settings of one service. [`ServeSettings::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct ServeSettings {
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Threads that examine; they are the only ones that decode pixels. Default: the cores.
    pub workers: usize,
    /// Uploads of one tenant that may wait for a thread. Past that the answer is 503 at once. Default 64.
    pub queue: usize,
    /// Open connections; more wait in the system's backlog. Default 256.
    pub max_connections: usize,
    /// Bytes of stored files that requests may have in memory at one time, all connections together.
    /// Default 512 MiB. What comes in takes one small buffer per connection and is not counted.
    pub max_memory_bytes: u64,
    /// Time for the whole request header, also between two requests of a connection. Default 10 s.
    pub header_timeout: Duration,
    /// Longest silence inside a body. Default 10 s.
    pub body_idle_timeout: Duration,
    /// Bytes per second a body must reach on average, after its first `body_idle_timeout`. Default
    /// 16,384.
    pub min_body_rate: u64,
    /// Longest time in which a peer takes nothing of its answer. Default 30 s.
    pub write_timeout: Duration,
    /// Longest examination; a file that takes longer is given up. Default 30 s.
    pub examine_timeout: Duration,
    /// Longest wait that `Prefer: wait=N` is granted. Default 30 s.
    pub max_wait: Duration,
    /// Requests that one tenant may send per minute, all of them at once if it likes. Default 6,000.
    pub requests_per_minute: NonZeroU32,
    /// Requests that one tenant may have open at one time; fewer than connections, so that no tenant
    /// takes all of them. Default 192.
    pub max_open_requests: usize,
    /// How long requests and examinations may take to finish after the order to stop. Default 20 s,
    /// inside the 30 s that orchestrators grant.
    pub drain_timeout: Duration,
    /// How long an answer of `/readyz` is reused, so that asking cannot exhaust the processor. Default
    /// 5 s.
    pub ready_cache: Duration,
    /// Room on the disk of the data folder below which the service says that it is not ready and takes no
    /// uploads: what it has promised still needs room for verdicts. Default 256 MiB.
    pub min_free_bytes: u64,
    /// Where webhooks may go. Default: public hosts over HTTPS.
    pub webhook_reach: Reach,
    /// Whose tokens open the API beside our own keys. Default: nobody's.
    pub issuer: Arc<IssuerCell>,
    /// The clock. Nothing else in this crate reads the time of day for a report.
    pub clock: fn() -> Timestamp,
}

impl ServeSettings {
    /// The defaults, on `listen` with `workers` threads.
    pub fn new(listen: SocketAddr, workers: usize, clock: fn() -> Timestamp) -> Self {
        Self {
            listen,
            workers,
            queue: 64,
            max_connections: 256,
            max_memory_bytes: 512 << 20,
            header_timeout: Duration::from_secs(10),
            body_idle_timeout: Duration::from_secs(10),
            min_body_rate: 16_384,
            write_timeout: Duration::from_secs(30),
            examine_timeout: Duration::from_secs(30),
            max_wait: Duration::from_secs(30),
            requests_per_minute: NonZeroU32::MIN.saturating_add(5_999),
            max_open_requests: 192,
            drain_timeout: Duration::from_secs(20),
            ready_cache: Duration::from_secs(5),
            min_free_bytes: 256 << 20,
            webhook_reach: Reach::default(),
            issuer: Arc::default(),
            clock,
        }
    }
}
