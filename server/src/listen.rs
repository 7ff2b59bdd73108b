//! The accept loop. Ours, because `axum::serve` has neither a time limit for request headers nor a cap
//! on connections.

use std::{future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use verdict::Examiner;

use crate::{error::ServeError, router::router, settings::ServeSettings, state::ServerState};

/// A service that has its address and has not answered anybody yet.
pub struct Service {
    listener: TcpListener,
    router: Router,
    settings: ServeSettings,
    address: SocketAddr,
}

impl Service {
    /// Takes the address and starts the worker threads.
    ///
    /// # Errors
    ///
    /// [`ServeError::KeysMissing`] on an address that is not loopback: this version has no API keys, so
    /// it serves this machine only. [`ServeError::Listen`] and [`ServeError::Threads`] when the system
    /// refuses.
    pub async fn bind(
        examiner: Arc<Examiner>,
        settings: ServeSettings,
    ) -> Result<Self, ServeError> {
        let listen = settings.listen;
        if !listen.ip().to_canonical().is_loopback() {
            return Err(ServeError::KeysMissing { listen });
        }
        let refused = |source| ServeError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let state = ServerState::new(examiner, settings.clone())?;
        Ok(Self {
            listener,
            router: router(state),
            settings,
            address,
        })
    }

    /// The address in use, with the port the system chose where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is done, then lets open requests finish within the drain time.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let open = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(self.settings.max_connections.max(1)));
        let mut shutdown = pin!(shutdown);
        loop {
            let (stream, place) = tokio::select! {
                accepted = accept(&self.listener, &places) => accepted,
                () = &mut shutdown => break,
            };
            self.answer(stream, place, &open);
        }
        drop(self.listener);
        tracing::info!("stopped accepting connections, finishing open requests");
        if timeout(self.settings.drain_timeout, open.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
    }

    fn answer(&self, stream: TcpStream, place: OwnedSemaphorePermit, open: &GracefulShutdown) {
        let service = TowerToHyperService::new(self.router.clone());
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.settings.header_timeout)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let connection = open.watch(connection);
        tokio::spawn(async move {
            // Resets and slow senders are everyday; a request that got through was logged already.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended with an error");
            }
            drop(place);
        });
    }
}

/// Binds and runs; for callers that need not know the address.
///
/// # Errors
///
/// Those of [`Service::bind`].
pub async fn serve(
    examiner: Arc<Examiner>,
    settings: ServeSettings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    Service::bind(examiner, settings).await?.run(shutdown).await;
    Ok(())
}

/// The next connection, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            // The semaphore is never closed; waiting is right if that ever changes.
            std::future::pending::<()>().await;
            continue;
        };
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections, trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether only the peer is affected; anything else, such as too many open files, needs a pause.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Bytes of a request head; hyper answers 431 past it. Also the size of one read of a body.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Pause after an error that concerns the listener itself.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);
