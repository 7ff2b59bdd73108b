//! `bonafide serve`: the HTTP service of the `server` crate, with this program's settings and signals.

pub(crate) mod issuer;
mod signers;

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use server::{
    DataFolder, ExaminerCell, IssuerCell, Reach, ServeSettings, Service, TenantSigner,
    store::TenantName,
};
use verdict::DetectorSlot;

use crate::{
    args::ServeArgs,
    clock,
    engine::{self, Pixels},
    exit::{Exit, Failure},
    output::say,
    reload::{self, Rules},
    secret,
    settings::{DetectorPlaces, Settings},
};

/// Runs the command until SIGINT or SIGTERM; SIGHUP reads the rules again.
pub(crate) fn run(args: &ServeArgs, settings: &Settings) -> Result<Exit, Failure> {
    // Uploads and the private keys of webhooks pass through it.
    secret::no_core_dumps();
    let issuer = Arc::new(IssuerCell::new(issuer::issuer(&args.oidc, settings)?));
    let serve = ServeSettings {
        issuer: Arc::clone(&issuer),
        ..serve_settings(args, settings)
    };
    let signers = signers::signers(&settings.config.serve.signers)?;
    let places = settings.detector(&args.detector)?;
    let slot = detector_that_stands_back(&places, serve.workers)?;
    let examiner = engine::examiner(
        settings.trust(&args.anchors)?,
        settings.policy(&args.policy)?,
        settings.limits(&args.limits),
        slot,
    )?;
    let cell = Arc::new(ExaminerCell::new(Arc::new(examiner)));
    let data = data_folder(args, settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::usage(
                format!("the network threads cannot be started: {error}"),
                "check the limits of this user",
            )
        })?;
    let (tell, told) = mpsc::channel();
    thread::scope(|scope| {
        let rules = Rules {
            examiner: Arc::clone(&cell),
            issuer,
        };
        scope.spawn(move || reload::obey(&told, &rules, args, settings));
        let exit = runtime.block_on(answer(cell, data, signers, serve, tell));
        // Ends the task that passes SIGHUP on, and with it the thread that waits for it.
        drop(runtime);
        exit
    })
}

/// A detector whose threads let those of the network go first.
fn detector_that_stands_back(
    places: &DetectorPlaces,
    workers: usize,
) -> Result<DetectorSlot, Failure> {
    let load = || {
        server::stand_back();
        engine::detector(places, Pixels::IfInstalled, workers)
    };
    // Threads take their priority from the one that starts them, and nobody may raise it again.
    let loaded = thread::scope(|scope| scope.spawn(load).join());
    loaded.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The folder that was named, or one that goes with the service.
fn data_folder(args: &ServeArgs, settings: &Settings) -> Result<DataFolder, Failure> {
    let named = args
        .data_dir
        .as_ref()
        .or(settings.config.serve.data_dir.as_ref());
    Ok(match named {
        Some(path) => DataFolder::claim(path)?,
        None => DataFolder::temporary()?,
    })
}

async fn answer(
    examiner: Arc<ExaminerCell>,
    data: DataFolder,
    signers: BTreeMap<TenantName, TenantSigner>,
    settings: ServeSettings,
    tell: mpsc::Sender<()>,
) -> Result<Exit, Failure> {
    // Before the address is told, so that a signal right after it is not lost.
    let stop = Stop::listen()?;
    reload::notice(tell)?;
    let is_temporary = data.is_temporary();
    let service = Service::bind(examiner, data, signers, settings).await?;
    if is_temporary {
        say(
            "no --data-dir is given: what is uploaded is kept until this service ends, and then removed",
        );
    }
    if service.is_open().await? {
        say("no API key is configured: whoever is on this machine may use the service without one");
    }
    let mut out = io::stdout();
    writeln!(out, "listening on http://{}", service.address())?;
    out.flush()?;
    service.run(stop.wait()).await;
    Ok(Exit::Done)
}

fn serve_settings(args: &ServeArgs, settings: &Settings) -> ServeSettings {
    let config = &settings.config.serve;
    let listen = args.listen.or(config.listen).unwrap_or(LISTEN);
    let defaults = ServeSettings::new(listen, settings.jobs(args.jobs), clock::now);
    let seconds = |flag: Option<u64>, config: Option<u64>, default| {
        flag.or(config).map_or(default, Duration::from_secs)
    };
    ServeSettings {
        queue: args.queue.or(config.queue).unwrap_or(defaults.queue),
        max_connections: args
            .max_connections
            .or(config.max_connections)
            .unwrap_or(defaults.max_connections),
        requests_per_minute: args
            .requests_per_minute
            .or(config.requests_per_minute)
            .unwrap_or(defaults.requests_per_minute),
        max_open_requests: args
            .max_open_requests
            .or(config.max_open_requests)
            .unwrap_or(defaults.max_open_requests),
        min_free_bytes: args
            .min_free_bytes
            .or(config.min_free_bytes)
            .unwrap_or(defaults.min_free_bytes),
        webhook_reach: if args.dangerous_webhooks_to_loopback {
            Reach::DangerousLoopback
        } else {
            defaults.webhook_reach
        },
        header_timeout: seconds(
            args.header_timeout_s,
            config.header_timeout_s,
            defaults.header_timeout,
        ),
        body_idle_timeout: seconds(
            args.body_timeout_s,
            config.body_timeout_s,
            defaults.body_idle_timeout,
        ),
        write_timeout: seconds(
            args.write_timeout_s,
            config.write_timeout_s,
            defaults.write_timeout,
        ),
        drain_timeout: seconds(
            args.drain_timeout_s,
            config.drain_timeout_s,
            defaults.drain_timeout,
        ),
        ..defaults
    }
}

/// The signals that ask a service to stop.
#[cfg(unix)]
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Stop {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
        }
    }
}

#[cfg(not(unix))]
struct Stop;

#[cfg(not(unix))]
impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn wait(self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // No signal can arrive; the service runs until it is ended from outside.
            std::future::pending::<()>().await;
        }
    }
}

/// This machine alone.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
