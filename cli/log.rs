//! What the crates log, as JSON lines on standard error. What a terminal must not be given comes out escaped,
//! whoever wrote it: one line is one event, and shows nothing but text.

use std::{
    any::Any,
    fmt::Write as _,
    io::{self, Write},
};

use provenance::is_shown;
use tracing_subscriber::{
    Layer, Registry, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use crate::{
    args::{Args, Command},
    exit::Failure,
    settings::Settings,
};

/// What is logged, for as long as this is held.
pub(crate) struct Log {
    /// Sends the last spans when it is dropped.
    _spans: Option<Box<dyn Any>>,
}

/// Starts logging: as asked, else `info` for the service and nothing for other commands.
pub(crate) fn start(args: &Args, settings: &Settings) -> Result<Log, Failure> {
    let (default, endpoint) = match &args.command {
        Command::Serve(serve) => (
            Some(SERVICE_LEVELS),
            serve
                .otlp_endpoint
                .as_ref()
                .or(settings.config.serve.otlp_endpoint.as_ref()),
        ),
        Command::Scan(_)
        | Command::Verify(_)
        | Command::Sign(_)
        | Command::Keys(_)
        | Command::Admin(_)
        | Command::Models(_)
        | Command::Doctor(_) => (None, None),
    };
    let Some(level) = args.log.as_deref().or(default) else {
        return Ok(Log { _spans: None });
    };
    let targets: Targets = level.parse().map_err(|_| {
        Failure::usage(
            format!("\"{level}\" is no log level"),
            "use off, error, warn, info, debug or trace, or part=level pairs with commas",
        )
    })?;
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_writer(|| Lines)
        .with_filter(targets);
    let (spans, elsewhere) = endpoint.map(|url| spans(url)).transpose()?.unzip();
    tracing_subscriber::registry()
        .with(elsewhere)
        .with(lines)
        .init();
    Ok(Log { _spans: spans })
}

/// A layer that sends spans to the collector at `url`, and what keeps it going.
type Spans = (Box<dyn Any>, Box<dyn Layer<Registry> + Send + Sync>);

#[cfg(feature = "otel")]
fn spans(url: &str) -> Result<Spans, Failure> {
    let traces = crate::traces::Traces::to(url)?;
    let layer = traces.layer();
    Ok((Box::new(traces), layer))
}

#[cfg(not(feature = "otel"))]
fn spans(_: &str) -> Result<Spans, Failure> {
    Err(Failure::usage(
        "this build sends no spans",
        "build it with --features otel, or leave out --otlp-endpoint",
    ))
}

/// Standard error for events, which come one per call.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let line_as_text = String::from_utf8_lossy(line);
        io::stderr().write_all(escaped(&line_as_text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// A JSON line that shows what it says. JSON itself escapes C0 controls alone and lets pass what moves a cursor,
/// reorders text or hides in it; such letters can only be inside its strings, where `\\u` stands for them.
fn escaped(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for letter in line.chars() {
        if is_shown(letter) || letter == '\n' {
            shown.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// Libraries below may log what strangers wrote; only what is wrong with us is worth a line.
const SERVICE_LEVELS: &str = "error,bonafide=info,server=info,verdict=info,detector=info";

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_line_says_the_same_and_shows_only_text() {
        for hostile in [
            "\u{1b}[2J",
            "\u{9b}2J",
            "\u{7f}",
            "\u{202e}evil",
            "\u{e0041}",
            "é 写",
        ] {
            let line = serde_json::json!({ "name": hostile }).to_string() + "\n";
            let shown = escaped(&line);
            assert!(
                shown.trim_end().chars().all(provenance::is_shown),
                "{shown}"
            );
            assert!(shown.ends_with("}\n"));
            let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
            assert_eq!(read["name"], hostile);
        }
    }
}
