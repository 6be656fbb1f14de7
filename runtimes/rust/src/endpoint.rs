//! The endpoint: where it is, and connections to it.

use std::io;
use std::net::Ipv6Addr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::connection::Stream;
use crate::fields::InvalidInput;
use crate::text::after_digits;

/// What a base URL says.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether it is https.
    pub is_encrypted: bool,
    /// Host and port as they are written there.
    pub authority: String,
    /// A name, or an address without brackets.
    pub host: String,
    /// The port, the scheme's own if none is written there.
    pub port: u16,
    /// The target of a request for a completion: the path, and the query if there is one.
    pub target: String,
}

impl Address {
    /// Reads `http://` or `https://`, a host, and perhaps a port, a path and a query; `None` for anything else.
    ///
    /// Source: `runtimes/contract/vectors/base_url.json`.
    pub fn parse(base_url: &str) -> Option<Self> {
        let is_of_url = |byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'#' | b'\\');
        if !base_url.bytes().all(is_of_url) {
            return None;
        }
        let (scheme, rest) = base_url.split_once("://")?;
        let (is_encrypted, usual_port) = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => (false, 80),
            _ if scheme.eq_ignore_ascii_case("https") => (true, 443),
            _ => return None,
        };
        let (before_query, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        let (authority, path) = before_query.split_at(before_query.find('/').unwrap_or(before_query.len()));
        let host_end = authority.find(']').map_or_else(|| authority.find(':'), |bracket| Some(bracket + 1));
        let (host, port) = authority.split_at(host_end.unwrap_or(authority.len()));
        let port = match port.strip_prefix(':') {
            Some(digits) if after_digits(digits) == Some("") => {
                digits.parse().ok().filter(|&port| port > 0)?
            }
            None if port.is_empty() => usual_port,
            _ => return None,
        };
        Some(Self {
            is_encrypted,
            authority: authority.to_owned(),
            host: bare_host(host)?.to_owned(),
            port,
            target: format!("{}/chat/completions{query}", path.trim_end_matches('/')),
        })
    }
}

/// A name, or what is between the brackets of an IPv6 address.
fn bare_host(host: &str) -> Option<&str> {
    match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']').filter(|address| address.parse::<Ipv6Addr>().is_ok()),
        None => Some(host).filter(|host| !host.is_empty() && !host.contains(['@', '[', ']'])),
    }
}

/// Makes connections to one endpoint.
pub struct Endpoint {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Endpoint {
    /// Loads the system's certificates if the endpoint is https; connects to nothing yet.
    pub fn new(address: &Address) -> Result<Self, InvalidInput> {
        let tls = if address.is_encrypted { Some(tls(&address.host)?) } else { None };
        Ok(Self { host: address.host.clone(), port: address.port, tls })
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// What the system says, or what is wrong with the endpoint's certificate.
    pub async fn connect(&self) -> io::Result<Stream> {
        let stream = TcpStream::connect((&*self.host, self.port)).await?;
        // A request is one write, which should not wait for what was sent before it.
        stream.set_nodelay(true)?;
        Ok(match &self.tls {
            None => stream.into(),
            Some((connector, name)) => connector.connect(name.clone(), stream).await?.into(),
        })
    }
}

fn tls(host: &str) -> Result<(TlsConnector, ServerName<'static>), InvalidInput> {
    let invalid = |why: String| InvalidInput(format!("base_url: https cannot be used ({why}); use http"));
    let name = ServerName::try_from(host.to_owned()).map_err(|failure| invalid(failure.to_string()))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(InvalidInput(
            "base_url: https needs certificates to trust; install ca-certificates or set SSL_CERT_FILE"
                .into(),
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|failure| invalid(failure.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok((TlsConnector::from(Arc::new(config)), name))
}
