//! JSON pointers as text (RFC 6901).

/// Deepest pointer.
const POINTER_DEPTH_MAX: usize = 16;

/// The reference tokens of a pointer, unescaped.
pub(in crate::decode) fn tokens(pointer: &str) -> Result<Vec<String>, String> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let Some(path) = pointer.strip_prefix('/') else {
        return Err(format!("JSON pointer {pointer:?} must begin with \"/\""));
    };
    if path.split('/').count() > POINTER_DEPTH_MAX {
        return Err(format!("JSON pointer {pointer:?} is deeper than {POINTER_DEPTH_MAX} levels"));
    }
    path.split('/')
        .map(|token| {
            unescape(token)
                .ok_or_else(|| format!("JSON pointer {pointer:?}: \"~\" is written \"~0\" and \"/\" in a key \"~1\""))
        })
        .collect()
}

fn unescape(token: &str) -> Option<String> {
    let mut parts = token.split('~');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let mut chars = part.chars();
        text.push(match chars.next()? {
            '0' => '~',
            '1' => '/',
            _ => return None,
        });
        text.push_str(chars.as_str());
    }
    Some(text)
}

/// RFC 6901: digits without leading zeros.
pub(super) fn index(token: &str) -> Option<usize> {
    let is_index = token.bytes().all(|byte| byte.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    if is_index { token.parse().ok() } else { None }
}
