//! Spans of the service, sent to a collector that the operator names, by OTLP over HTTP. Behind the feature
//! `otel`; there is no address by default. Spans carry what the log carries, and nothing that strangers wrote.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{
    Protocol, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing_subscriber::{Layer, Registry, filter::Targets};

use crate::{
    exit::Failure,
    http::{Plain, Service},
};

/// A connection to the collector. What is not sent yet is sent when this is dropped.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// To the collector at `url`, the whole address such as `http://127.0.0.1:4318/v1/traces`.
    pub(crate) fn to(url: &str) -> Result<Self, Failure> {
        let kind = "application/x-protobuf";
        let service = Service::new(url, "--otlp-endpoint", Plain::Loopback, kind, TIMEOUT)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector(service))
            .with_endpoint(url)
            .with_protocol(Protocol::HttpBinary)
            // The client tries again by itself.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(|error| {
                Failure::usage(
                    format!("spans cannot be sent: {error}"),
                    "check the OTEL_EXPORTER_OTLP_ variables",
                )
            })?;
        let resource = Resource::builder().with_service_name("bonafide").build();
        Ok(Self(
            SdkTracerProvider::builder()
                .with_resource(resource)
                .with_batch_exporter(exporter)
                .build(),
        ))
    }

    /// Where spans go in, whatever the level of the log.
    pub(crate) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let ours = ["bonafide", "server", "verdict"];
        let targets: Targets = ours
            .map(|name| (name, tracing::Level::INFO))
            .into_iter()
            .collect();
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("bonafide"))
            .with_location(false)
            .with_threads(false)
            .with_filter(targets)
            .boxed()
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that does not listen was told of when it did not.
        let _ = self.0.shutdown_with_timeout(LAST_WORDS);
    }
}

/// The program's own client, as the exporter wants it.
struct Collector(Service);

impl fmt::Debug for Collector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Collector")
    }
}

#[async_trait]
impl HttpClient for Collector {
    /// Blocks: the exporter calls it on a thread of its own.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        match self.0.post(request.body(), MAX_ANSWER_BYTES) {
            Ok(answer) => Ok(Response::new(answer.into())),
            Err(why) => {
                tracing::warn!(why, "spans are lost: the collector does not take them");
                Err(why.into())
            }
        }
    }
}

/// For one attempt of the client.
const TIMEOUT: Duration = Duration::from_secs(5);

/// For what is left at the end; the service has used its own time by then.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// A collector answers with how many spans it refused.
const MAX_ANSWER_BYTES: u64 = 64 << 10;
