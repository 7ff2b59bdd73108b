//! A whole day of a receiver that always fails, with a clock that is turned by hand, over the real store.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        atomic::{AtomicI64, Ordering},
        mpsc::{Receiver, channel},
    },
    thread,
};

use media::{Digest, Name};
use verdict::report::Code;

use super::*;
use crate::store::{
    AnalysisId, DeliveredTo, DeliveryState, Finished, NewAnalysis, Outcome as Ended, SqliteStore,
    TenantId,
};

const START: i64 = 1_795_564_800;

static NOW: AtomicI64 = AtomicI64::new(START);

fn clock() -> Timestamp {
    Timestamp(NOW.load(Ordering::SeqCst))
}

/// A receiver that answers 500 to everything and passes on the heads it was sent.
fn failing() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let head = read_request(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
            let _ = tell.send(head);
        }
    });
    (address, told)
}

fn read_request(stream: &mut TcpStream) -> String {
    let (mut text, mut block) = (String::new(), [0; 4096]);
    // The body is one JSON object and the last thing sent.
    while !text.ends_with('}') {
        let count = stream.read(&mut block).unwrap();
        assert!(count > 0, "the request ended early");
        text.push_str(&String::from_utf8_lossy(&block[..count]));
    }
    text.split_once("\r\n\r\n").unwrap().0.to_owned()
}

fn finished(callback_url: String) -> NewAnalysis {
    NewAnalysis {
        id: AnalysisId::new(),
        tenant: TenantId::LOCAL,
        digest: Digest::of(b"x"),
        bytes: 1,
        name: Name::from_text("x"),
        declared_kind: None,
        external_id: None,
        declared_ai: None,
        metadata: None,
        callback_url: Some(callback_url),
        idempotency: None,
        cache_key: Digest::of(b"key"),
        finished: Some(Finished {
            outcome: Ended::Done,
            verdict: Code::Inconclusive,
            report: "{}".to_owned(),
            at: clock(),
        }),
        created_at: clock(),
    }
}

#[tokio::test]
async fn a_receiver_that_always_fails_is_tried_for_a_day_and_then_buried() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("store")).await;
    let store: Arc<dyn Store> = Arc::new(store.unwrap());
    let (address, told) = failing();
    let new = finished(format!("http://{address}/"));
    store.admit(new, 9).await.unwrap();
    let metrics = Arc::new(Metrics::new());
    let reach = Reach::DangerousLoopback;
    let deliveries = Deliveries::new(Arc::clone(&store), metrics, reach, clock).unwrap();
    let deliveries = Arc::new(deliveries);
    let mut ages = Vec::new();
    let last = loop {
        let seen = one(&*store).await;
        if seen.state == DeliveryState::Dead {
            break seen;
        }
        // A moment before it is due, nothing happens.
        NOW.store(seen.due_at.0 - 1, Ordering::SeqCst);
        deliveries.round().await.unwrap();
        assert_eq!(deliveries.places.available_permits(), PLACES);
        NOW.store(seen.due_at.0, Ordering::SeqCst);
        ages.push(seen.due_at.0 - START);
        deliveries.round().await.unwrap();
        let all = u32::try_from(PLACES).unwrap();
        drop(deliveries.places.acquire_many(all).await.unwrap());
    };
    assert_eq!((ages.len(), last.attempts), (10, 10), "{ages:?}");
    assert!(ages[9] >= 86_400 && ages[9] < 100_000, "{ages:?}");
    assert_eq!(last.last.as_deref(), Some("refused 500"));
    let heads: Vec<String> = told.try_iter().collect();
    let line = |head: &str, name: &str| {
        let mut lines = head.lines();
        lines
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    let ids: Vec<String> = heads.iter().map(|head| line(head, "webhook-id")).collect();
    assert_eq!(ids.len(), 10);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let first = line(&heads[0], "webhook-timestamp");
    assert_eq!(first, format!("webhook-timestamp: {START}"));
    assert_ne!(line(&heads[9], "webhook-timestamp"), first);
}

async fn one(store: &dyn Store) -> DeliveredTo {
    let mut seen = store.deliveries(TenantId::LOCAL, None, 9).await.unwrap();
    assert_eq!(seen.len(), 1);
    seen.remove(0)
}
