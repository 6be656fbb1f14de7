//! One request and its response over HTTP/1.1, on a stream that may be used again.

use std::cell::Cell;
use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::{convert::Infallible, io};

use hyper::Request;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::http::response;
use hyper::rt::{Read, ReadBufCursor, Write};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::client::TlsStream;

const READ_BYTES: usize = 4096;

/// An open connection to the endpoint.
pub struct Stream {
    socket: Socket,
    /// Whether everything that was written has gone out; read while hyper has the stream.
    is_flushed: Rc<Cell<bool>>,
}

enum Socket {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// What both kinds of socket can do.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

impl From<TcpStream> for Stream {
    fn from(socket: TcpStream) -> Self {
        Self { socket: Socket::Plain(socket), is_flushed: Rc::default() }
    }
}

impl From<TlsStream<TcpStream>> for Stream {
    fn from(socket: TlsStream<TcpStream>) -> Self {
        Self { socket: Socket::Encrypted(Box::new(socket)), is_flushed: Rc::default() }
    }
}

impl Stream {
    /// Whether the endpoint has neither closed the connection nor sent more than its last response.
    pub fn is_quiet(&self) -> bool {
        let socket = match &self.socket {
            Socket::Plain(socket) => socket,
            Socket::Encrypted(socket) => socket.get_ref().0,
        };
        // Asked of the system: the event loop may not have come to see yet what is there already.
        recv(socket, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) == Err(Errno::AGAIN)
    }

    fn socket(&mut self) -> Pin<&mut dyn Duplex> {
        match &mut self.socket {
            Socket::Plain(socket) => Pin::new(socket),
            Socket::Encrypted(socket) => Pin::new(&mut **socket),
        }
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = [const { MaybeUninit::uninit() }; READ_BYTES];
        let room = buffer.remaining().min(READ_BYTES);
        let mut piece = ReadBuf::uninit(&mut bytes[..room]);
        ready!(self.socket().poll_read(context, &mut piece))?;
        buffer.put_slice(piece.filled());
        Poll::Ready(Ok(()))
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.is_flushed.set(false);
        self.socket().poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.is_flushed.set(false);
        self.socket().poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.socket().poll_flush(context))?;
        self.is_flushed.set(true);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket().poll_shutdown(context)
    }
}

/// A request body, all of whose bytes are there before it is sent.
pub struct RequestBody(Option<Bytes>);

impl RequestBody {
    /// The body that `bytes` are.
    pub fn new(bytes: Bytes) -> Self {
        Self(Some(bytes))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

/// A request that was sent, and its response as it arrives.
///
/// hyper's connection is driven by whoever waits for the response, so that it needs no task of its own, and
/// lives no longer than the response, so that a stream at rest has no buffers.
pub struct Exchange {
    /// Without it, hyper would close the stream behind the response.
    _sender: http1::SendRequest<RequestBody>,
    driver: http1::Connection<Stream, RequestBody>,
    is_over: bool,
    body: Incoming,
}

impl Exchange {
    /// Sends a request and waits for the head of its response; `None` if there is none by the deadline.
    ///
    /// `deadline` is asked for once the request has gone out, and returned for what follows the head.
    pub async fn begin(
        stream: Stream,
        request: Request<RequestBody>,
        deadline: impl FnOnce() -> Instant,
    ) -> hyper::Result<Option<(Self, response::Parts, Instant)>> {
        let is_flushed = stream.is_flushed.clone();
        let (mut sender, mut driver) = http1::handshake(stream).await?;
        let mut is_over = false;
        let mut response = pin!(sender.send_request(request));
        let mut poll_response = |context: &mut Context<'_>| {
            // What the driver fails with, the response fails with too.
            is_over = is_over || driver.poll_without_shutdown(context).is_ready();
            response.as_mut().poll(context)
        };
        let early = poll_fn(|context| match poll_response(context) {
            Poll::Pending if is_flushed.get() => Poll::Ready(None),
            polled => polled.map(Some),
        })
        .await;
        let deadline = deadline();
        let response = match early {
            Some(response) => response?,
            None => match timeout_at(deadline, poll_fn(poll_response)).await {
                Ok(response) => response?,
                Err(_) => return Ok(None),
            },
        };
        let (head, body) = response.into_parts();
        Ok(Some((Self { _sender: sender, driver, is_over, body }, head, deadline)))
    }

    /// The next piece of the body, `None` at its end.
    pub async fn next_piece(&mut self) -> Option<Result<Bytes, hyper::Error>> {
        poll_fn(|context| {
            self.is_over = self.is_over || self.driver.poll_without_shutdown(context).is_ready();
            loop {
                let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)).transpose()? else {
                    return Poll::Ready(None);
                };
                // Trailers are of no interest.
                if let Ok(piece) = frame.into_data() {
                    return Poll::Ready(Some(Ok(piece)));
                }
            }
        })
        .await
    }

    /// The stream, once the body has ended, if it can carry another request.
    pub async fn into_stream(mut self) -> Option<Stream> {
        let is_open = poll_fn(|context| {
            Poll::Ready(!self.is_over && self.driver.poll_without_shutdown(context).is_pending())
        });
        is_open.await.then(|| self.driver.into_parts().io)
    }
}
