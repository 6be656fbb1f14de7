//! One request and its response over HTTP/1.1, on a stream that may be used again.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::{Pin, pin};
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
use tokio_rustls::client::TlsStream;

const READ_BYTES: usize = 4096;

/// A connection that carries nothing at the moment.
pub enum Stream {
    /// For http.
    Plain(TcpStream),
    /// For https.
    Encrypted(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Whether the endpoint has neither closed the connection nor sent more than its last response.
    pub fn is_quiet(&self) -> bool {
        let socket = match self {
            Self::Plain(stream) => stream,
            Self::Encrypted(stream) => stream.get_ref().0,
        };
        // Asked of the system: the event loop may not have come to see yet what is there already.
        recv(socket, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT) == Err(Errno::AGAIN)
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
        ready!(match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, &mut piece),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(context, &mut piece),
        })?;
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
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
            Self::Encrypted(stream) => Pin::new(stream).poll_write_vectored(context, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// A request body that is there as a whole.
pub struct Whole(Option<Bytes>);

impl Whole {
    /// The body that `bytes` are.
    pub fn new(bytes: Bytes) -> Self {
        Self(Some(bytes))
    }
}

impl Body for Whole {
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
    _sender: http1::SendRequest<Whole>,
    driver: http1::Connection<Stream, Whole>,
    is_over: bool,
    body: Incoming,
}

impl Exchange {
    /// Sends a request and waits for the head of its response.
    pub async fn begin(
        stream: Stream,
        request: Request<Whole>,
    ) -> Result<(Self, response::Parts), hyper::Error> {
        let (mut sender, mut driver) = http1::handshake(stream).await?;
        let mut is_over = false;
        let mut response = pin!(sender.send_request(request));
        let response = poll_fn(|context| {
            // What the driver fails with, the response fails with too.
            is_over = is_over || driver.poll_without_shutdown(context).is_ready();
            response.as_mut().poll(context)
        });
        let (head, body) = response.await?.into_parts();
        Ok((Self { _sender: sender, driver, is_over, body }, head))
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
