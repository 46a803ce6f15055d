//! The HTTP client: trusts what the environment trusts, waits when the server asks, tries again what may pass.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_RANGE, HeaderMap, RANGE, RETRY_AFTER};
use reqwest::{Certificate, Response, StatusCode, Url};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// The wait before the second try; it doubles from try to try.
const FIRST_WAIT: Duration = Duration::from_millis(400);
/// No wait is longer than this, whatever the server asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A body of which fewer bytes than this arrive in the time that a connection may be silent is given up as well.
const TRICKLE: u64 = 1024;
/// Bodies that are kept in memory must not be bigger.
const MAX_BODY: u64 = 64 << 20;

/// Where the environment may name a file of certificates, in the order they are tried, as pip, curl and uv do.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` are read by the platform's verifier already.
pub const CA_BUNDLE_VARIABLES: [&str; 3] = ["PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// How long to bear with a server.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How often a request that failed is tried again.
    pub retries: u32,
    /// A connection on which nothing arrives for so long is given up, and the request tried again.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { retries: 5, silence: Duration::from_secs(60) }
    }
}

/// Why an index could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The server could not be reached, or the connection broke too often.
    #[error("failed to fetch `{url}`; check the address and the network, and run the command again")]
    Fetch {
        /// What was asked for.
        url: String,
        /// The last failure.
        source: reqwest::Error,
    },
    /// The server refused.
    #[error("`{url}` answers {status}; {}", advice(*status))]
    Status {
        /// What was asked for.
        url: String,
        /// E.g. 404.
        status: StatusCode,
    },
    /// The server sent something else than what was asked for.
    #[error("`{url}` sent {what}")]
    Answer {
        /// What was asked for.
        url: String,
        /// E.g. `a body of 20 bytes instead of 64`.
        what: String,
    },
    /// The server sends so little that it would take for ever.
    #[error("`{url}` sends less than {TRICKLE} bytes in {} s; run the command again later, or with a longer `--timeout`", .silence.as_secs())]
    Trickle {
        /// What was asked for.
        url: String,
        /// The time that was given.
        silence: Duration,
    },
    /// What came is not what the index announced.
    #[error(
        "`{url}` has sha256 {found}, and the index says {stated}: nothing of it is used; try again later, or another index"
    )]
    Hash {
        /// What was asked for.
        url: String,
        /// As the index says.
        stated: String,
        /// As it came.
        found: String,
    },
    /// The client could not be set up.
    #[error("failed to set up the HTTP client")]
    Setup(#[source] reqwest::Error),
    /// The certificates that the environment names cannot be used.
    #[error("failed to read the certificates in `{path}`")]
    Certificates {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl IndexError {
    /// Makes the error of a server that sent something else than what was asked for.
    pub fn answer(url: &Url, what: impl Into<String>) -> Self {
        Self::Answer { url: url.to_string(), what: what.into() }
    }
}

/// What to do about a refusal.
fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => "check the package's name and `--index`",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "this index wants to know who asks: choose another with `--index`"
        }
        StatusCode::TOO_MANY_REQUESTS => "wait, and run the command again: what was read is kept",
        status if status.is_server_error() => "run the command again later: what was read is kept",
        _ => "check `--index`: it must serve the simple repository API",
    }
}

/// A client that several tasks share. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// How many requests may be under way at once.
    slots: Arc<Semaphore>,
    patience: Patience,
}

impl Client {
    /// Makes a client. `ca_bundle`: further certificates to trust, a PEM file (see [`CA_BUNDLE_VARIABLES`]).
    ///
    /// # Errors
    ///
    /// If the certificates cannot be read or the client cannot be set up.
    pub fn new(ca_bundle: Option<&Path>, parallel: usize, patience: Patience) -> Result<Self, IndexError> {
        // Fails only if a provider is installed already, and then there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("gpudoc/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(20))
            .read_timeout(patience.silence);
        if let Some(path) = ca_bundle {
            let error = |source| IndexError::Certificates { path: path.display().to_string(), source };
            #[expect(clippy::disallowed_methods, reason = "the edge that reads the certificates to trust")]
            let pem = std::fs::read(path).map_err(error)?;
            builder = builder.tls_certs_merge(Certificate::from_pem_bundle(&pem).map_err(IndexError::Setup)?);
        }
        let http = builder.build().map_err(IndexError::Setup)?;
        Ok(Self { http, slots: Arc::new(Semaphore::new(parallel.max(1))), patience })
    }

    /// Fetches a page; says which media type it has.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or refuses, in the end.
    pub async fn page(&self, url: &Url, accept: &str) -> Result<(String, String), IndexError> {
        let mut headers = HeaderMap::new();
        headers.extend(accept.parse().ok().map(|value| (ACCEPT, value)));
        let (answer, body) = self.body(url, &headers).await?;
        let media_type = answer.get(reqwest::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        Ok((media_type, String::from_utf8_lossy(&body).into_owned()))
    }

    /// Fetches some bytes of a file and tells how long the whole file is. Without `start`: its last `length` bytes.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or refuses, in the end, or serves no ranges.
    pub async fn range(&self, url: &Url, start: Option<u64>, length: u64) -> Result<(Vec<u8>, u64), IndexError> {
        let mut headers = HeaderMap::new();
        let range = match start {
            Some(start) => format!("bytes={start}-{}", start.saturating_add(length).saturating_sub(1)),
            None => format!("bytes=-{length}"),
        };
        headers.extend(range.parse().ok().map(|value| (RANGE, value)));
        let (answer, body) = self.body(url, &headers).await?;
        let total = total_length(&answer).ok_or_else(|| {
            IndexError::answer(url, "the whole file instead of a range: choose another index with `--index`")
        })?;
        Ok((body, total))
    }

    /// Fetches a whole file, which fits into memory, and checks its hash where the index states one.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or refuses, in the end, or sends something else.
    pub async fn whole(&self, url: &Url, sha256: Option<&str>) -> Result<Vec<u8>, IndexError> {
        let (_, body) = self.body(url, &HeaderMap::new()).await?;
        let digest = ring::digest::digest(&ring::digest::SHA256, &body);
        let found: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        match sha256 {
            Some(stated) if stated != found => {
                Err(IndexError::Hash { url: url.to_string(), stated: stated.to_owned(), found })
            }
            _ => Ok(body),
        }
    }

    async fn body(&self, url: &Url, headers: &HeaderMap) -> Result<(HeaderMap, Vec<u8>), IndexError> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let outcome = self.body_once(url, headers).await;
            match outcome {
                Err(Failure { again: Some(wait), .. }) if attempt <= self.patience.retries => {
                    tokio::time::sleep(wait.unwrap_or(FIRST_WAIT * 2_u32.pow(attempt - 1)).min(LONGEST_WAIT)).await;
                }
                outcome => return outcome.map_err(|failure| failure.error),
            }
        }
    }

    async fn body_once(&self, url: &Url, headers: &HeaderMap) -> Result<(HeaderMap, Vec<u8>), Failure> {
        let _slot = self.slots.acquire().await;
        let mut response = self.send(url, headers).await?;
        let stated = response.content_length();
        let mut body = Vec::new();
        let mut watch = Watch::new(self.patience.silence);
        while let Some(chunk) = response.chunk().await.map_err(|error| Failure::broken(url, error))? {
            watch.saw(url, chunk.len())?;
            body.extend_from_slice(&chunk);
            if body.len() as u64 > MAX_BODY {
                return Err(Failure::last(IndexError::answer(url, "more than fits into memory")));
            }
        }
        if stated.is_some_and(|stated| stated != body.len() as u64) {
            let what = format!("a body of {} bytes instead of {}", body.len(), stated.unwrap_or_default());
            return Err(Failure { error: IndexError::answer(url, what), again: Some(None) });
        }
        Ok((response.headers().clone(), body))
    }

    async fn send(&self, url: &Url, headers: &HeaderMap) -> Result<Response, Failure> {
        let sent = self.http.get(url.clone()).headers(headers.clone()).send().await;
        let response = sent.map_err(|error| Failure::broken(url, error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let wait = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let passing = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
        Err(Failure {
            error: IndexError::Status { url: url.to_string(), status },
            again: passing.then(|| wait.map(Duration::from_secs)),
        })
    }

    /// Streams a range of a file into `sink`, going on from where a broken connection stopped.
    ///
    /// `sink` returns false to stop.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or refuses, in the end, or serves no ranges.
    pub async fn stream<F, Fut>(&self, url: &Url, start: u64, length: u64, mut sink: F) -> Result<(), IndexError>
    where
        F: FnMut(Vec<u8>) -> Fut,
        Fut: Future<Output = bool>,
    {
        let (mut at, end) = (start, start.saturating_add(length));
        let mut attempt = 0;
        while at < end {
            attempt += 1;
            let _slot = self.slots.acquire().await;
            let mut headers = HeaderMap::new();
            headers.extend(format!("bytes={at}-{}", end - 1).parse().ok().map(|value| (RANGE, value)));
            let failure = match self.send(url, &headers).await {
                Ok(response) if total_length(response.headers()).is_none() => {
                    return Err(IndexError::answer(
                        url,
                        "the whole file instead of a range: choose another index with `--index`",
                    ));
                }
                Ok(mut response) => {
                    let mut watch = Watch::new(self.patience.silence);
                    loop {
                        match response.chunk().await {
                            Ok(Some(chunk)) => {
                                if let Err(failure) = watch.saw(url, chunk.len()) {
                                    break failure;
                                }
                                let room = usize::try_from(end - at).unwrap_or(usize::MAX);
                                let chunk = chunk.get(..room.min(chunk.len())).unwrap_or_default();
                                at += chunk.len() as u64;
                                attempt = 0;
                                if !sink(chunk.to_vec()).await {
                                    return Ok(());
                                }
                            }
                            Ok(None) => {
                                let error = IndexError::answer(url, format!("{} bytes too few", end - at));
                                break Failure { error, again: Some(None) };
                            }
                            Err(error) => break Failure::broken(url, error),
                        }
                    }
                }
                Err(failure) => failure,
            };
            if at >= end {
                break;
            }
            match failure.again {
                Some(wait) if attempt <= self.patience.retries => {
                    tokio::time::sleep(wait.unwrap_or(FIRST_WAIT * 2_u32.pow(attempt)).min(LONGEST_WAIT)).await;
                }
                _ => return Err(failure.error),
            }
        }
        Ok(())
    }
}

/// Looks after a body that arrives: it may be slow, but not so slow that it never ends.
struct Watch {
    silence: Duration,
    since: Instant,
    bytes: u64,
}

impl Watch {
    fn new(silence: Duration) -> Self {
        Self { silence, since: Instant::now(), bytes: 0 }
    }

    fn saw(&mut self, url: &Url, bytes: usize) -> Result<(), Failure> {
        self.bytes += bytes as u64;
        if self.since.elapsed() < self.silence {
            return Ok(());
        }
        if self.bytes < TRICKLE {
            return Err(Failure::last(IndexError::Trickle { url: url.to_string(), silence: self.silence }));
        }
        (self.since, self.bytes) = (Instant::now(), 0);
        Ok(())
    }
}

/// A failed try, and whether another may help: `Some(None)` yes, `Some(Some(wait))` yes, after what the server asks for.
struct Failure {
    error: IndexError,
    again: Option<Option<Duration>>,
}

impl Failure {
    fn broken(url: &Url, source: reqwest::Error) -> Self {
        let hopeless = source.is_builder() || source.is_redirect();
        Self { error: IndexError::Fetch { url: url.to_string(), source }, again: (!hopeless).then_some(None) }
    }

    fn last(error: IndexError) -> Self {
        Self { error, again: None }
    }
}

/// The length of the whole file, from `Content-Range: bytes 0-99/821174704`.
fn total_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.rsplit_once('/')?.1.trim().parse().ok()
}
