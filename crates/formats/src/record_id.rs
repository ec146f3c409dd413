//! Record ids: the key of a row as one text, and back.
//!
//! One key column is its text; several are a JSON array of their texts.

use serde_json::Value;

/// The record id that the texts of a key's columns make, as jsonb writes an array. At least one text.
pub fn join(mut texts: Vec<String>) -> String {
    if let [only] = texts.as_mut_slice() {
        return std::mem::take(only);
    }
    let texts: Vec<String> = texts.into_iter().map(|text| Value::from(text).to_string()).collect();
    format!("[{}]", texts.join(", "))
}

/// The texts of a key with so many columns; `None` when such a key cannot have made the record id.
pub fn split(record_id: &str, width: usize) -> Option<Vec<String>> {
    if width == 1 {
        return Some(vec![record_id.to_owned()]);
    }
    let texts: Vec<String> = serde_json::from_str(record_id).ok()?;
    (texts.len() == width).then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(of: &[&str]) -> Vec<String> {
        of.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn a_single_text_is_the_record_id_whatever_it_looks_like() {
        for text in ["7", "", "[\"a\", \"b\"]"] {
            assert_eq!(join(texts(&[text])), text);
            assert_eq!(split(text, 1), Some(texts(&[text])));
        }
    }

    #[test]
    fn several_texts_are_written_as_jsonb_writes_them() {
        let table: [(&[&str], &str); 3] = [
            (&["7", "de"], r#"["7", "de"]"#),
            (
                &["", "a\"b\\c", "\u{e9}\u{1f600}/"],
                "[\"\", \"a\\\"b\\\\c\", \"\u{e9}\u{1f600}/\"]",
            ),
            (
                &["\u{1}\u{1f}\u{7f}", "\u{8}\u{c}\n\r\t"],
                "[\"\\u0001\\u001f\u{7f}\", \"\\b\\f\\n\\r\\t\"]",
            ),
        ];
        for (key, record_id) in table {
            assert_eq!(join(texts(key)), record_id);
            assert_eq!(split(record_id, key.len()), Some(texts(key)));
        }
    }

    #[test]
    fn what_another_key_made_is_told_apart() {
        for record_id in [
            "7",
            "",
            r#"["a"]"#,
            r#"["a", "b", "c"]"#,
            r#"["a", 1]"#,
            r#"{"a": "b"}"#,
        ] {
            assert_eq!(split(record_id, 2), None, "{record_id}");
        }
    }
}
