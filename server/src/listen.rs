//! The accept loop. Ours, because `axum::serve` has neither a time limit for request headers nor a cap
//! on connections. It speaks HTTP/1.1 alone: who wants HTTP/2 has a proxy in front, and with it TLS.

use std::{
    collections::BTreeMap, future::Future, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration,
};

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

use crate::{
    assemble::Assembly,
    data::DataFolder,
    error::ServeError,
    patience::Patience,
    reload::ExaminerCell,
    router::router,
    settings::ServeSettings,
    signatures::{TenantSigner, by_tenant},
    store::{SqliteStore, TenantName, Tenants as _},
};

/// A service that has its address and has not answered anybody yet.
pub struct Service {
    listener: TcpListener,
    assembly: Assembly,
    store: Arc<SqliteStore>,
    address: SocketAddr,
    /// Given up last: nothing else of the service may outlive it.
    _data: DataFolder,
}

impl Service {
    /// Opens the store in `data`, takes the address and starts the threads. `signers` sign for the tenants of those
    /// names, and nobody for any other.
    ///
    /// # Errors
    ///
    /// [`ServeError::KeysMissing`] on an address that is not loopback while no tenant is configured.
    /// [`ServeError::Store`] when `data` cannot be used or has no tenant of a signer's name, [`ServeError::Listen`] and
    /// [`ServeError::Threads`] when the system refuses.
    pub async fn bind(
        examiner: Arc<ExaminerCell>,
        data: DataFolder,
        signers: BTreeMap<TenantName, TenantSigner>,
        settings: ServeSettings,
    ) -> Result<Self, ServeError> {
        let listen = settings.listen;
        let store = Arc::new(data.open_store().await?);
        if !listen.ip().to_canonical().is_loopback() && !store.has_tenants().await? {
            return Err(ServeError::KeysMissing { listen });
        }
        let signers = by_tenant(signers, store.as_ref()).await?;
        let refused = |source| ServeError::Listen { listen, source };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let assembly = Assembly::new(examiner, &data, store.clone(), signers, settings)?;
        Ok(Self {
            listener,
            assembly,
            store,
            address,
            _data: data,
        })
    }

    /// Whether requests from this machine need no key.
    ///
    /// # Errors
    ///
    /// [`ServeError::Store`].
    pub async fn is_open(&self) -> Result<bool, ServeError> {
        let settings = &self.assembly.state.settings;
        Ok(settings.issuer.current().is_none() && !self.store.has_tenants().await?)
    }

    /// The address in use, with the port the system chose where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `shutdown` is done, then lets open requests and examinations finish within the
    /// drain time.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let state = Arc::clone(&self.assembly.state);
        let settings = state.settings.clone();
        let tasks = self.assembly.start();
        let router = router(Arc::clone(&state));
        let open = GracefulShutdown::new();
        let places = Arc::new(Semaphore::new(settings.max_connections.max(1)));
        let mut shutdown = pin!(shutdown);
        loop {
            let (stream, place) = tokio::select! {
                accepted = accept(&self.listener, &places) => accepted,
                () = &mut shutdown => break,
            };
            answer(stream, place, &router, &settings, &open);
        }
        drop(self.listener);
        state.stop();
        tracing::info!("stopped accepting connections, finishing what is under way");
        if timeout(settings.drain_timeout, open.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some requests did not finish in time and were cut off");
        }
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the service broke off");
            }
        }
        self.store.close().await;
    }
}

/// Answers one connection, in a task of its own.
fn answer(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    router: &Router,
    settings: &ServeSettings,
    open: &GracefulShutdown,
) {
    let service = TowerToHyperService::new(router.clone());
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(settings.header_timeout)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(
            TokioIo::new(Patience::new(stream, settings.write_timeout)),
            service,
        );
    let connection = open.watch(connection);
    tokio::spawn(async move {
        // Resets and slow senders are everyday; a request that got through was logged already.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection ended with an error");
        }
        drop(place);
    });
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
