//! A package index in the test itself: a small HTTP server that answers as it is told, well or badly.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use flate2::Crc;

/// What was asked for.
pub struct Asked {
    /// E.g. `/simple/demo/`.
    pub path: String,
    /// The value of `Range`, e.g. `bytes=0-99`.
    pub range: Option<String>,
    /// How often this path was asked for before.
    pub before: usize,
}

/// What to answer.
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// So many bytes of the body are sent, whatever was announced.
    sent: usize,
    /// The pause after each byte.
    drip: Option<Duration>,
    /// Nothing is answered for so long.
    silence: Duration,
}

impl Reply {
    pub fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let headers = vec![("Content-Type", media_type.to_owned())];
        Self { status, headers, sent: body.len(), body, drip: None, silence: Duration::ZERO }
    }

    pub fn json(body: &str) -> Self {
        Self::new(200, "application/vnd.pypi.simple.v1+json", body)
    }

    pub fn html(body: &str) -> Self {
        Self::new(200, "text/html", body)
    }

    pub fn status(status: u16) -> Self {
        Self::new(status, "text/plain", "no")
    }

    /// A file, or the part that was asked for.
    pub fn file(bytes: &[u8], range: Option<&str>) -> Self {
        let Some((from, to)) = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-')) else {
            return Self::new(200, "application/octet-stream", bytes);
        };
        let total = bytes.len();
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let (start, end) = match from {
            "" => (total.saturating_sub(number(to)), total),
            from => (number(from), (number(to) + 1).min(total)),
        };
        let part = Self::new(206, "application/octet-stream", &bytes[start..end]);
        part.with("Content-Range", format!("bytes {start}-{}/{total}", end - 1))
    }

    pub fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// Breaks off in the middle of the body.
    pub fn cut(mut self) -> Self {
        self.sent /= 2;
        self
    }

    pub fn dripping(mut self, pause: Duration) -> Self {
        self.drip = Some(pause);
        self
    }

    pub fn after(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }
}

/// A running server; it ends with the test.
pub struct Server {
    /// E.g. `http://127.0.0.1:40321/simple`.
    pub index: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let index = format!("http://{}/simple", listener.local_addr().expect("an address"));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), log.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, seen) = (answer.clone(), seen.clone());
                thread::spawn(move || serve(stream, &*answer, &seen));
            }
        });
        Self { index, log }
    }

    /// The paths that were asked for since the last look.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().expect("the log"))
    }
}

/// Answers one request. A client that went away is no fault of the test.
fn serve(mut stream: TcpStream, answer: &dyn Fn(&Asked) -> Reply, log: &Mutex<Vec<String>>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines().map_while(Result::ok);
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let range = headers.iter().find_map(|line| line.to_lowercase().strip_prefix("range: ").map(str::to_owned));
    let before = {
        let mut log = log.lock().ok()?;
        log.push(path.clone());
        log.iter().filter(|other| **other == path).count() - 1
    };
    let reply = answer(&Asked { path, range, before });
    thread::sleep(reply.silence);
    let mut head =
        format!("HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {}\r\n", reply.status, reply.body.len());
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    let body = &reply.body[..reply.sent];
    match reply.drip {
        None => stream.write_all(body).ok()?,
        Some(pause) => {
            for byte in body {
                stream.write_all(&[*byte]).ok()?;
                thread::sleep(pause);
            }
        }
    }
    stream.flush().ok()
}

/// A wheel with its METADATA, as a zip file without compression.
pub fn wheel(folder: &str, metadata: &str) -> Vec<u8> {
    let name = format!("{folder}.dist-info/METADATA");
    let mut crc = Crc::new();
    crc.update(metadata.as_bytes());
    let size = u32::try_from(metadata.len()).expect("small").to_le_bytes();
    let length = u16::try_from(name.len()).expect("short").to_le_bytes();
    // Method, time and date; checksum; packed and unpacked size; length of the name, of further fields.
    let common = [&[0; 6][..], &crc.sum().to_le_bytes(), &size, &size, &length, &[0; 2]].concat();
    let local = [b"PK\x03\x04\x14\0\0\0", &common[..], name.as_bytes(), metadata.as_bytes()].concat();
    let entry = [b"PK\x01\x02\x14\0\x14\0\0\0", &common[..], &[0; 14], name.as_bytes()].concat();
    let (at, long) = (u32::try_from(local.len()).expect("small"), u32::try_from(entry.len()).expect("small"));
    let end = [b"PK\x05\x06\0\0\0\0\x01\0\x01\0", &long.to_le_bytes()[..], &at.to_le_bytes(), &[0; 2]].concat();
    [local, entry, end].concat()
}

/// A source distribution with its PKG-INFO.
pub fn sdist(folder: &str, pkg_info: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut header = [0; 512];
    let name = format!("{folder}/PKG-INFO");
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..135].copy_from_slice(format!("{:011o}", pkg_info.len()).as_bytes());
    header[156] = b'0';
    let filler = vec![0; pkg_info.len().next_multiple_of(512) - pkg_info.len() + 1024];
    for bytes in [&header[..], pkg_info.as_bytes(), &filler] {
        packed.write_all(bytes).expect("packed");
    }
    packed.finish().expect("packed")
}
