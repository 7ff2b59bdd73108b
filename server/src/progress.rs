//! Tells requests that wait that an analysis moved on: `Prefer: wait` and the event stream. It carries
//! no state of its own; whoever is woken asks the store, and whoever missed a word asks it as well.
//!
//! For `work/`: call [`Progress::moved`] after a job was leased, after its verdict is durable, and after
//! it was given up. For `intake.rs` and erasures: after the transaction.

use std::time::Duration;

use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::timeout,
};

use crate::store::AnalysisId;

/// Who wants to know, and the way to tell them. Clones share both.
#[derive(Clone)]
pub(crate) struct Progress {
    moved: broadcast::Sender<AnalysisId>,
}

/// One request that waits for one analysis.
pub(crate) struct Watch {
    id: AnalysisId,
    moved: broadcast::Receiver<AnalysisId>,
}

impl Progress {
    /// Nobody waits yet.
    pub(crate) fn new() -> Self {
        Self {
            moved: broadcast::Sender::new(BACKLOG),
        }
    }

    /// `id` moved on. Costs little, and nothing when nobody waits.
    pub(crate) fn moved(&self, id: AnalysisId) {
        // An error says that nobody listens.
        let _ = self.moved.send(id);
    }

    /// From now on, what happens to `id` is noticed. Subscribe first and ask the store second, or a
    /// step between the two is missed.
    pub(crate) fn watch(&self, id: AnalysisId) -> Watch {
        Watch {
            id,
            moved: self.moved.subscribe(),
        }
    }
}

impl Watch {
    /// Returns when the analysis moved on, may have moved on, or after `longest`.
    pub(crate) async fn next(&mut self, longest: Duration) {
        // Both outcomes mean: ask the store.
        let _ = timeout(longest, self.heard()).await;
    }

    async fn heard(&mut self) {
        loop {
            match self.moved.recv().await {
                Ok(id) if id != self.id => {}
                // Words were missed: one of them may have been ours.
                Ok(_) | Err(RecvError::Lagged(_)) => return,
                // The service ends; the caller's own deadline decides.
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

/// Words kept for a slow listener; past that it is told to ask the store.
const BACKLOG: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    async fn wakes(watch: &mut Watch) -> bool {
        timeout(SHORT, watch.next(LONG)).await.is_ok()
    }

    #[tokio::test]
    async fn a_step_wakes_who_waits_for_it_and_nobody_else() {
        let (progress, mine, other) = (Progress::new(), AnalysisId::new(), AnalysisId::new());
        let mut watch = progress.watch(mine);
        progress.moved(other);
        assert!(!wakes(&mut watch).await);
        progress.moved(mine);
        assert!(wakes(&mut watch).await);
    }

    #[tokio::test]
    async fn whoever_missed_words_is_woken_to_ask() {
        let (progress, mine) = (Progress::new(), AnalysisId::new());
        let mut watch = progress.watch(mine);
        for _ in 0..=BACKLOG {
            progress.moved(AnalysisId::new());
        }
        assert!(wakes(&mut watch).await);
    }

    #[tokio::test]
    async fn the_wait_ends_by_itself() {
        let progress = Progress::new();
        let mut watch = progress.watch(AnalysisId::new());
        assert!(timeout(LONG, watch.next(SHORT)).await.is_ok());
    }
}
