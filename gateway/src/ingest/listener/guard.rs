//! Who may connect. Passwords are compared in constant time; those kept as Argon2 hashes are verified off the listener's
//! thread, one at a time, and a password that was right once is known again by its keyed digest. Knows nothing of sockets.

use std::cell::RefCell;
use std::collections::HashMap;

use argon2::{Argon2, PasswordHash, PasswordVerifier};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;

use super::permit::Permit;
use crate::config::{self, ListenerUser, SecretError};

type Digest = Hmac<Sha256>;

/// What a hashed secret begins with.
const HASH_PREFIX: &str = "$argon2";

#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    #[error("the password of user \"{user}\": {cause}")]
    Secret { user: String, cause: SecretError },
    #[error("the password of user \"{user}\" begins as an Argon2 hash and is none: {cause}")]
    Hash { user: String, cause: argon2::password_hash::Error },
    #[error("the system gives no random numbers")]
    Random,
}

/// The users of one listener.
pub(super) struct Guard {
    users: HashMap<String, User>,
    anonymous: Vec<String>,
    /// Of this process: digests of passwords are worth nothing elsewhere.
    key: [u8; 32],
    verifying: Semaphore,
}

struct User {
    publish: Vec<String>,
    password: Password,
}

enum Password {
    Digest([u8; 32]),
    Hash {
        phc: String,
        /// Digest of the password that fitted.
        known: RefCell<Option<[u8; 32]>>,
    },
}

impl Guard {
    /// Reads the secrets.
    pub(super) fn new(listener: &config::Listener) -> Result<Guard, GuardError> {
        let mut guard = Guard {
            users: HashMap::new(),
            anonymous: listener.anonymous.clone(),
            key: random_key()?,
            verifying: Semaphore::new(1),
        };
        for ListenerUser { name, password, publish } in &listener.users {
            let secret = password.read().map_err(|cause| GuardError::Secret { user: name.clone(), cause })?;
            let password = if secret.starts_with(HASH_PREFIX) {
                PasswordHash::new(&secret).map_err(|cause| GuardError::Hash { user: name.clone(), cause })?;
                Password::Hash { phc: secret, known: RefCell::default() }
            } else {
                Password::Digest(guard.digest(secret.as_bytes()).finalize().into_bytes().into())
            };
            guard.users.insert(name.clone(), User { publish: publish.clone(), password });
        }
        Ok(guard)
    }

    /// What the client may publish, or nothing where it may not connect.
    pub(super) async fn admit(&self, client: &str, user: Option<&str>, password: Option<&[u8]>) -> Option<Permit> {
        let Some(name) = user else {
            return (!self.anonymous.is_empty()).then(|| Permit::new(&self.anonymous, client, ""));
        };
        let password = password.unwrap_or_default();
        // An unknown name costs as much as a wrong password.
        let user = self.users.get(name);
        let is_right = match user.map(|user| &user.password) {
            Some(Password::Digest(digest)) => self.digest(password).verify_slice(digest).is_ok(),
            Some(Password::Hash { phc, known }) => self.verify(phc, known, password).await,
            None => self.digest(password).verify_slice(&[0; 32]).is_ok(),
        };
        user.filter(|_| is_right).map(|user| Permit::new(&user.publish, client, name))
    }

    async fn verify(&self, phc: &str, known: &RefCell<Option<[u8; 32]>>, password: &[u8]) -> bool {
        let is_known =
            || known.borrow().as_ref().is_some_and(|digest| self.digest(password).verify_slice(digest).is_ok());
        if is_known() {
            return true;
        }
        let Ok(_turn) = self.verifying.acquire().await else { return false };
        if is_known() {
            return true;
        }
        let (phc, given) = (phc.to_owned(), password.to_owned());
        let verified = tokio::task::spawn_blocking(move || {
            PasswordHash::new(&phc).is_ok_and(|hash| Argon2::default().verify_password(&given, &hash).is_ok())
        });
        let is_right = verified.await.unwrap_or(false);
        if is_right {
            *known.borrow_mut() = Some(self.digest(password).finalize().into_bytes().into());
        }
        is_right
    }

    fn digest(&self, password: &[u8]) -> Digest {
        let mut digest = Digest::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        digest.update(password);
        digest
    }
}

fn random_key() -> Result<[u8; 32], GuardError> {
    let mut key = [0; 32];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut key).map_err(|_| GuardError::Random)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHasher;
    use argon2::password_hash::SaltString;

    use super::*;

    fn guard(secret: &str, anonymous: &str) -> Guard {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), secret).unwrap();
        let text = format!(
            "id = 'l'\nanonymous = [{anonymous}]\n[[users]]\nname = 'u'\npassword = {{ file = '{}' }}\npublish = ['x/%c']",
            file.path().display()
        );
        Guard::new(&toml::from_str(&text).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_plain_password_and_its_hash_let_in_the_same() {
        let salt = SaltString::from_b64("c2FsdHNhbHRzYWx0").unwrap();
        let hash = Argon2::default().hash_password(b"hunter2", &salt).unwrap().to_string();
        for secret in ["hunter2", hash.as_str()] {
            let guard = guard(secret, "");
            for _ in 0..2 {
                let permit = guard.admit("c", Some("u"), Some(b"hunter2")).await.unwrap();
                assert!(permit.allows("x/c") && !permit.allows("x/d"));
                assert!(guard.admit("c", Some("u"), Some(b"hunter3")).await.is_none());
            }
            assert!(guard.admit("c", Some("u"), None).await.is_none());
            assert!(guard.admit("c", Some("v"), Some(b"hunter2")).await.is_none());
            assert!(guard.admit("c", None, None).await.is_none());
        }
    }

    #[tokio::test]
    async fn without_a_name_only_what_anonymous_says() {
        let permit = guard("p", "'open/#'").admit("c", None, None).await.unwrap();
        assert!(permit.allows("open/1") && !permit.allows("x/c"));
    }
}
