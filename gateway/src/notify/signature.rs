//! Signs letters as Standard Webhooks 1.0.0 says. Knows nothing of HTTP.
//!
//! Specification: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>,
//! "Signature scheme": HMAC-SHA256 over `{id}.{timestamp}.{payload}`, base64, prefixed by `v1,`. The id must not be
//! in a stranger's hand: ours is a ticket number and a journal number.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const PREFIX: &str = "whsec_";

/// A symmetric key, never printed.
pub(super) struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// `whsec_` + base64, the specification's form, or any other text as its own bytes. The error does not quote it.
    pub(super) fn parse(secret: &str) -> Result<Self, &'static str> {
        let bytes = match secret.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| "is not base64 after whsec_")?,
            None => secret.as_bytes().to_vec(),
        };
        if bytes.is_empty() {
            return Err("is empty");
        }
        Hmac::new_from_slice(&bytes).map(SigningKey).map_err(|_| "has an unusable length")
    }

    /// Value of the header `webhook-signature`.
    pub(super) fn sign(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(id.as_bytes());
        mac.update(format!(".{timestamp_s}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_signs_as_published() {
        // From the test suites of the reference libraries (standard-webhooks/libraries).
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn an_unusable_secret_is_told_without_quoting_it() {
        for secret in ["", "whsec_", "whsec_not base64!"] {
            let error = SigningKey::parse(secret).err().unwrap();
            assert!(!error.contains("not base64!"), "{error}");
        }
        assert!(SigningKey::parse("any text will do").is_ok());
    }
}
