//! Asks a listener, from outside, whether it refuses what it must refuse. The checks of the policy and
//! the tests both ask this way, so what is shown to people is what was tested.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// What a listener answers to somebody who speaks no newer TLS than 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldTls {
    /// The alert `protocol_version` (RFC 8446 §6.2), as it should be.
    Refused,
    /// It hung up without a word: refused as well.
    HungUp,
    /// It went along.
    Accepted,
}

/// Sends a TLS 1.2 hello to `address` and tells what came back.
///
/// # Errors
/// When the address cannot be reached or says nothing for five seconds.
pub async fn old_tls(address: SocketAddr) -> io::Result<OldTls> {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&hello_1_2()).await?;
        let mut record = [0u8; 7];
        match stream.read_exact(&mut record).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(OldTls::HungUp),
            Err(error) => Err(error),
            // Alert record (21), two bytes long: level and description; 70 is protocol_version.
            Ok(_) if record[0] == 21 && record[6] == 70 => Ok(OldTls::Refused),
            Ok(_) if record[0] == 21 => Ok(OldTls::HungUp),
            Ok(_) => Ok(OldTls::Accepted),
        }
    };
    timeout(Duration::from_secs(5), ask).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// A `ClientHello` as an honest client of 2015 sends it (RFC 5246 §7.4.1.2): ECDHE with AES-GCM.
fn hello_1_2() -> Vec<u8> {
    let mut extensions = Vec::new();
    extension(&mut extensions, 10, &[0, 4, 0, 29, 0, 23]); // supported groups: x25519, secp256r1
    extension(&mut extensions, 11, &[1, 0]); // point formats: uncompressed
    extension(&mut extensions, 13, &[0, 6, 4, 3, 8, 4, 4, 1]); // signatures: ECDSA, RSA-PSS, RSA with SHA-256
    extension(&mut extensions, 23, &[]); // extended master secret

    let mut body = vec![3, 3];
    body.extend([0x5a; 32]); // the client's random
    body.push(0); // no session
    body.extend([0, 8, 0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x2c, 0xc0, 0x30]);
    body.extend([1, 0]); // no compression
    body.extend(length(extensions.len()));
    body.extend(extensions);

    let mut hello = vec![22, 3, 1];
    hello.extend(length(body.len() + 4));
    hello.extend([1, 0]);
    hello.extend(length(body.len()));
    hello.extend(body);
    hello
}

fn extension(to: &mut Vec<u8>, kind: u16, content: &[u8]) {
    to.extend(kind.to_be_bytes());
    to.extend(length(content.len()));
    to.extend(content);
}

/// The length fields of this hello are two bytes and never near their limit.
fn length(of: usize) -> [u8; 2] {
    u16::try_from(of).unwrap_or(u16::MAX).to_be_bytes()
}
