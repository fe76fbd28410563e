//! An authenticator in software: makes passkeys and shows them, and lies when a test tells it to.

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use identity::Challenge;
use serde_json::{Value, json};

/// Where the tests' server is.
pub(crate) const ORIGIN: &str = "https://localhost:8443";
/// The host name of that.
pub(crate) const HOST: &str = "localhost";

/// What an answer says about the world; each field may be a lie.
#[derive(Clone)]
pub(crate) struct Says {
    pub(crate) origin: String,
    pub(crate) party: String,
    pub(crate) verified: bool,
    pub(crate) user: Option<Vec<u8>>,
}

/// One authenticator with one passkey.
pub(crate) struct Authenticator {
    key: EcdsaKeyPair,
    pub(crate) id: Vec<u8>,
    pub(crate) counter: u32,
    pub(crate) says: Says,
}

impl Authenticator {
    pub(crate) fn new(id: u8) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let says = Says { origin: ORIGIN.to_owned(), party: HOST.to_owned(), verified: true, user: None };
        Self { key, id: vec![id; 32], counter: 0, says }
    }

    /// Makes the passkey.
    pub(crate) fn make(&mut self, challenge: &Challenge) -> String {
        self.says.user =
            challenge.options["user"]["id"].as_str().map(|id| URL_SAFE_NO_PAD.decode(id).unwrap());
        let mut data = self.data(0x40);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend_from_slice(&self.id);
        data.extend_from_slice(&self.cose());
        // {"fmt": "none", "attStmt": {}, "authData": …} in CBOR.
        let mut object = vec![0xa3, 0x63];
        object.extend_from_slice(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend_from_slice(&data);
        let response = json!({
            "clientDataJSON": coded(self.client("webauthn.create", challenge).as_bytes()),
            "attestationObject": coded(&object),
            "transports": ["internal"],
        });
        self.answer(&response)
    }

    /// Shows it.
    pub(crate) fn show(&mut self, challenge: &Challenge) -> String {
        self.counter += 1;
        let (data, client) = (self.data(0), self.client("webauthn.get", challenge));
        let mut signed = data.clone();
        signed.extend_from_slice(digest::digest(&digest::SHA256, client.as_bytes()).as_ref());
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "clientDataJSON": coded(client.as_bytes()),
            "authenticatorData": coded(&data),
            "signature": coded(signature.as_ref()),
            "userHandle": self.says.user.as_deref().map(coded),
        });
        self.answer(&response)
    }

    fn answer(&self, response: &Value) -> String {
        let id = coded(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "extensions": {} })
            .to_string()
    }

    fn client(&self, kind: &str, challenge: &Challenge) -> String {
        json!({
            "type": kind,
            "challenge": challenge.options["challenge"],
            "origin": self.says.origin,
            "crossOrigin": false,
        })
        .to_string()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let mut data = digest::digest(&digest::SHA256, self.says.party.as_bytes()).as_ref().to_vec();
        data.push(0x01 | if self.says.verified { 0x04 } else { 0 } | flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    /// {1: 2, 3: -7, -1: 1, -2: x, -3: y} in CBOR.
    fn cose(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let mut key = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        key.extend_from_slice(&point[1..33]);
        key.extend_from_slice(&[0x22, 0x58, 0x20]);
        key.extend_from_slice(&point[33..]);
        key
    }
}

fn coded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
