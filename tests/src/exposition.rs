//! Metrics as Prometheus reads them: its text format, taken apart.

use std::collections::{BTreeMap, BTreeSet};

/// Labels of one sample.
pub type Labels = BTreeMap<String, String>;

/// All that is there under one name.
#[derive(Debug, Clone, Default)]
pub struct Family {
    /// `gauge`, `counter` and so on.
    pub kind: String,
    /// What it says of itself.
    pub help: String,
    /// Each sample's labels.
    pub samples: Vec<Labels>,
}

impl Family {
    /// The names of the labels that its samples have. All have the same ones.
    pub fn label_names(&self) -> BTreeSet<&str> {
        let mut all = self
            .samples
            .iter()
            .map(|labels| labels.keys().map(String::as_str).collect::<BTreeSet<_>>());
        let first = all.next().unwrap_or_default();
        assert!(
            all.all(|names| names == first),
            "samples with different labels: {self:?}"
        );
        first
    }
}

/// The families of `vector_backfill`, by name.
pub fn families(text: &str) -> BTreeMap<String, Family> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (word, name, rest) = (words.next(), words.next(), words.next().unwrap_or_default());
            let family = families.entry(name.unwrap_or_default().to_owned()).or_default();
            match word {
                Some("HELP") => rest.clone_into(&mut family.help),
                Some("TYPE") => rest.clone_into(&mut family.kind),
                _ => panic!("neither HELP nor TYPE: {line}"),
            }
        } else {
            let end = line
                .find(['{', ' '])
                .unwrap_or_else(|| panic!("a sample without a value: {line}"));
            let family = families.entry(line[..end].to_owned()).or_default();
            family.samples.push(labels(&line[end..]));
        }
    }
    families.retain(|name, _| name.starts_with("vb_"));
    families
}

/// The labels at the beginning of what follows a sample's name.
fn labels(text: &str) -> Labels {
    let mut labels = Labels::new();
    let Some(mut rest) = text.strip_prefix('{') else {
        return labels;
    };
    while !rest.starts_with('}') {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {text}"));
        let (value, after) = quoted(after).unwrap_or_else(|| panic!("a value without an end: {text}"));
        labels.insert(name.to_owned(), value);
        rest = after.strip_prefix(',').unwrap_or(after);
    }
    labels
}

/// A value up to its closing quote, and what follows that.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_labels_and_kinds_are_read() {
        let text = "# HELP vb_up Whether it is\n# TYPE vb_up gauge\nvb_up 1\n\
                    # TYPE vb_n_total counter\nvb_n_total{a=\"x, \\\"y\\\"}\",b=\"\"} 2e+03\ngo_threads 7\n";
        let families = families(text);
        assert_eq!(families.keys().collect::<Vec<_>>(), ["vb_n_total", "vb_up"]);
        assert_eq!(
            (&*families["vb_up"].kind, &*families["vb_up"].help),
            ("gauge", "Whether it is")
        );
        assert_eq!(families["vb_up"].samples, [Labels::new()]);
        let expected = [("a", "x, \"y\"}"), ("b", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(families["vb_n_total"].samples, [Labels::from(expected)]);
    }
}
