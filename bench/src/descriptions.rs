//! Real texts of many lengths: the descriptions of the Debian packages installed on this machine.

use std::fs;

/// The first so many descriptions.
///
/// Panics when the machine has fewer.
pub(crate) fn descriptions(count: usize) -> Vec<String> {
    let status = fs::read_to_string("/var/lib/dpkg/status").unwrap_or_default();
    let found: Vec<String> = status.split("\n\n").filter_map(description).take(count).collect();
    assert!(
        found.len() == count,
        "{count} texts are wanted and this machine has {} packages installed: ask for fewer with --rows",
        found.len()
    );
    found
}

/// The whole description of a record, its lines joined.
fn description(record: &str) -> Option<String> {
    let (_, rest) = record.split_once("\nDescription: ")?;
    let lines = rest
        .lines()
        .enumerate()
        .take_while(|(number, line)| *number == 0 || line.starts_with(' '));
    let words: Vec<&str> = lines.map(|(_, line)| line.trim()).filter(|line| *line != ".").collect();
    Some(words.join(" "))
}
