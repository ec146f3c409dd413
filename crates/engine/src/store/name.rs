//! Names of collections, the same for every store: they are folders, parts of addresses, and read by people.

use super::error::StoreError;

/// Longest name of a collection.
const NAME_BYTES: usize = 200;

/// Refuses names that are not 1 to 200 letters, digits, `_` and `-`.
pub(super) fn check_name(name: &str) -> Result<(), StoreError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if (1..=NAME_BYTES).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(StoreError::Configuration(format!(
        "{name:?} is no name for a collection: letters, digits, \"_\" and \"-\" are allowed, {NAME_BYTES} of them at most"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_a_folder_or_an_address_are_refused() {
        for name in ["a", "client_7-orders", &"x".repeat(200)] {
            check_name(name).unwrap();
        }
        for name in ["", ".", "..", "a/b", "a.b", "a b", "ä", "a\0", &"x".repeat(201)] {
            assert!(
                matches!(check_name(name), Err(StoreError::Configuration(_))),
                "{name:?}"
            );
        }
    }
}
