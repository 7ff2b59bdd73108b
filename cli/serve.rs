//! `bonafide serve`: the HTTP service of the `server` crate, with this program's settings and signals.

use std::{
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use server::{ServeSettings, Service};
use verdict::Examiner;

use crate::{
    args::ServeArgs,
    clock,
    engine::{self, Pixels},
    exit::{Exit, Failure},
    output::say,
    settings::Settings,
};

/// Runs the command until SIGINT or SIGTERM.
pub(crate) fn run(args: &ServeArgs, settings: &Settings) -> Result<Exit, Failure> {
    let serve = serve_settings(args, settings);
    let places = settings.detector(&args.detector)?;
    let slot = engine::detector(&places, Pixels::IfInstalled, serve.workers)?;
    let examiner = engine::examiner(
        settings.trust(&args.anchors)?,
        settings.policy(&args.policy)?,
        settings.limits(&args.limits),
        slot,
    )?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::usage(
                format!("the network threads cannot be started: {error}"),
                "check the limits of this user",
            )
        })?;
    runtime.block_on(answer(Arc::new(examiner), serve))
}

async fn answer(examiner: Arc<Examiner>, settings: ServeSettings) -> Result<Exit, Failure> {
    // Before the address is told, so that a signal right after it is not lost.
    let stop = Stop::listen()?;
    let service = Service::bind(examiner, settings).await?;
    say("no API key is configured: whoever is on this machine may use the service without one");
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
