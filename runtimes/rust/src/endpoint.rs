//! The endpoint: where it is, and connections to it.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::connection::Stream;
use crate::fields::InvalidInput;

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
    /// The path, without a slash at its end.
    pub path: String,
}

impl Address {
    /// Reads `http://` or `https://`, a host, a port or none, and a path; `None` for anything else.
    pub fn parse(base_url: &str) -> Option<Self> {
        let (is_encrypted, rest) = match base_url.strip_prefix("https://") {
            Some(rest) => (true, rest),
            None => (false, base_url.strip_prefix("http://")?),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host_end = authority.find(']').map_or_else(|| authority.find(':'), |bracket| Some(bracket + 1));
        let (host, port) = authority.split_at(host_end.unwrap_or(authority.len()));
        let port = match port.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
            Some(_) => return None,
            None if !port.is_empty() => return None,
            None if is_encrypted => 443,
            None => 80,
        };
        let is_of_path = |byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'#' | b'?');
        if !path.bytes().all(is_of_path) {
            return None;
        }
        Some(Self {
            is_encrypted,
            authority: authority.to_owned(),
            host: bare_host(host)?.to_owned(),
            port,
            path: path.trim_end_matches('/').to_owned(),
        })
    }
}

/// A name, or what is between the brackets of an IPv6 address.
fn bare_host(host: &str) -> Option<&str> {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']')?;
        return address.parse::<std::net::Ipv6Addr>().is_ok().then_some(address);
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    host.strip_suffix('.').unwrap_or(host).split('.').all(is_label).then_some(host)
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
