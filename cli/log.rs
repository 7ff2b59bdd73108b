//! What the crates log, as JSON lines on standard error: control characters in values come out escaped.

use std::io;

use tracing_subscriber::{
    filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    args::{Args, Command},
    exit::Failure,
};

/// Starts logging: as asked, else `info` for the service and nothing for other commands.
pub(crate) fn start(args: &Args) -> Result<(), Failure> {
    let is_service = matches!(args.command, Command::Serve(_));
    let level = args.log.as_deref().unwrap_or(match is_service {
        true => SERVICE_LEVELS,
        false => return Ok(()),
    });
    let targets: Targets = level.parse().map_err(|_| {
        Failure::usage(
            format!("\"{level}\" is no log level"),
            "use off, error, warn, info, debug or trace, or part=level pairs with commas",
        )
    })?;
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_writer(io::stderr);
    tracing_subscriber::registry()
        .with(targets)
        .with(lines)
        .init();
    Ok(())
}

/// Libraries below may log what strangers wrote; only what is wrong with us is worth a line.
const SERVICE_LEVELS: &str = "error,bonafide=info,server=info,verdict=info,detector=info";
