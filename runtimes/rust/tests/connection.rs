//! Requests and their responses, over real sockets.

use std::io;
use std::net::TcpListener;
use std::thread;

use agentloop::connection::{Exchange, RequestBody};
use agentloop::run::event_loop;
use hyper::Request;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// More than the system holds of what the endpoint has not read yet.
const BODY_BYTES: usize = 32 << 20;

#[test]
fn the_time_for_an_answer_begins_when_the_request_has_gone_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint =
        thread::spawn(move || io::copy(&mut listener.accept().unwrap().0, &mut io::sink()).unwrap());
    let has_begun = event_loop().unwrap().block_on(async {
        let stream = TcpStream::connect(address).await.unwrap();
        let request = Request::post("/").body(RequestBody::new(vec![b'x'; BODY_BYTES].into())).unwrap();
        Exchange::begin(stream.into(), request, Instant::now).await.unwrap().is_some()
    });
    assert!(!has_begun);
    assert!(endpoint.join().unwrap() > BODY_BYTES as u64);
}
