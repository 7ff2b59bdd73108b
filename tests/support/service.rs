//! A small HTTP service on this machine that answers as a test wants, for the client side of the program.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// What came in.
pub(crate) struct Request {
    /// Request line and headers.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// What goes out: a status line with headers, and a body.
pub(crate) struct Reply(pub(crate) String, pub(crate) Vec<u8>);

impl Reply {
    /// 200 with this body.
    pub(crate) fn ok(body: Vec<u8>) -> Self {
        Self("200 OK".to_owned(), body)
    }

    /// An answer without a body. More headers may follow the status.
    pub(crate) fn status(line: &str) -> Self {
        Self(line.to_owned(), Vec::new())
    }
}

/// A running service. Its thread ends with the tests.
pub(crate) struct Service {
    pub(crate) url: String,
    calls: Arc<AtomicUsize>,
}

impl Service {
    /// Answers every request, each on a thread of its own.
    pub(crate) fn start(answer: impl Fn(Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        let (counter, answer) = (Arc::clone(&calls), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&answer);
                thread::spawn(move || serve(stream, &*answer));
            }
        });
        Self { url, calls }
    }

    /// Connections so far.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

fn serve(mut stream: TcpStream, answer: &(impl Fn(Request) -> Reply + ?Sized)) {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let Some(request) = read(&mut stream) else {
        return;
    };
    let Reply(status, body) = answer(request);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The program may have given up by now.
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.trim().parse::<usize>().unwrap())
            });
            let body = bytes[end + 4..].to_vec();
            if body.len() >= length.unwrap_or(0) {
                return Some(Request { head, body });
            }
        }
        match stream.read(&mut block) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&block[..count]),
        }
    }
}
