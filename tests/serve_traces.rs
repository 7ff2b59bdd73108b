//! Spans of the service, at a collector on this machine.

#[cfg(feature = "otel")]
mod built_in {
    use std::{
        fs,
        sync::{Arc, Mutex},
        time::Duration,
    };

    use crate::support::{
        fixture,
        http::post,
        server::Server,
        service::{Reply, Service},
    };

    #[test]
    fn requests_and_rooms_reach_the_collector_and_no_name_does() {
        let posts = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&posts);
        let collector = Service::start(move |request| {
            heard.lock().unwrap().push(request);
            Reply::ok(Vec::new())
        });
        let url = format!("{}v1/traces", collector.url);
        let server = Server::start(&["--otlp-endpoint", &url]);
        let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
        let path = "/v1/analyses?name=XYZZY.jpg&external_id=XYZZY";
        let answer = post(server.address, path, "image/jpeg", &bytes);
        assert_eq!(answer.status, 201, "{answer:?}");
        // What is not sent yet is sent at the end.
        server.terminate();
        assert_eq!(server.wait(Duration::from_secs(30)), Some(0));

        let posts = posts.lock().unwrap();
        let head = &posts.first().expect("nothing was sent").head;
        assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
        assert!(
            head.to_ascii_lowercase()
                .contains("content-type: application/x-protobuf")
        );
        let said = |text: &str| {
            let finder = memchr::memmem::Finder::new(text);
            posts.iter().any(|post| finder.find(&post.body).is_some())
        };
        let id = answer.header("x-request-id").unwrap();
        let analysis = answer.json()["id"].as_str().unwrap().to_owned();
        for text in [
            id,
            &analysis,
            "request",
            "examination",
            "provenance",
            "decode",
            "detector",
        ] {
            assert!(said(text), "no span says {text}");
        }
        assert!(!said("XYZZY"));
    }

    #[test]
    fn a_collector_that_is_away_costs_no_request() {
        let server = Server::start(&["--otlp-endpoint", "http://127.0.0.1:1/v1/traces"]);
        let answer = post(server.address, "/v1/analyses", "image/jpeg", b"x");
        assert_eq!(answer.status, 201, "{answer:?}");
        server.terminate();
        assert_eq!(server.wait(Duration::from_secs(30)), Some(0));
    }

    #[test]
    fn spans_leave_this_machine_encrypted_or_not_at_all() {
        let args = [
            "serve",
            "--otlp-endpoint",
            "http://collector.example:4318/v1/traces",
        ];
        crate::support::run(args).assert_refused(2, "use https");
    }
}

#[cfg(not(feature = "otel"))]
#[test]
fn a_build_without_otel_says_so() {
    let args = [
        "serve",
        "--otlp-endpoint",
        "http://127.0.0.1:4318/v1/traces",
    ];
    crate::support::run(args).assert_refused(2, "--features otel");
}
