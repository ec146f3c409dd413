//! Which provider a job uses: by what the user prefers, by how many records there are, and by what is available.
//!
//! Thresholds, batch sizes and orders are the product's published rules (more than 50,000 records: fast, batches of 200;
//! more than 10,000: balanced, 150; else quality, 100).

/// What a user prefers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// Decided by the number of records.
    Auto,
    /// Local models first.
    Fast,
    /// Cost against quality.
    Balanced,
    /// The best embeddings first.
    Quality,
}

impl Preference {
    /// The preference of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            "fast" => Some(Self::Fast),
            "balanced" => Some(Self::Balanced),
            "quality" => Some(Self::Quality),
            _ => None,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Quality => "quality",
        }
    }

    /// What `auto` means for so many records; any other preference is itself.
    pub fn resolve(self, records: u64) -> Self {
        match self {
            Self::Auto if records > 50_000 => Self::Fast,
            Self::Auto if records > 10_000 => Self::Balanced,
            Self::Auto => Self::Quality,
            other => other,
        }
    }

    /// Names of providers to try, first choice first.
    fn order(self, records: u64) -> &'static [&'static str] {
        match self.resolve(records) {
            Self::Fast => &["sentence_transformers", "azure_openai", "openai"],
            Self::Quality | Self::Auto => &["openai", "azure_openai", "sentence_transformers"],
            Self::Balanced if records > 10_000 => &["sentence_transformers", "azure_openai"],
            Self::Balanced => &["azure_openai"],
        }
    }
}

/// Records that one batch reads when nobody says otherwise.
pub fn batch_size(records: u64) -> u32 {
    match records {
        50_001.. => 200,
        10_001.. => 150,
        _ => 100,
    }
}

/// A provider that might be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// Why it cannot be used, if it cannot.
    pub unavailable: Option<String>,
}

/// The choice and what led to it, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Position among the candidates.
    pub index: usize,
    /// Why this one.
    pub reason: String,
}

/// The first available provider in the order of the preference, then the first available of any name. `Err` says of each
/// candidate why it is not available.
pub fn choose(preference: Preference, records: u64, candidates: &[Candidate]) -> Result<Choice, String> {
    let resolved = preference.resolve(records);
    let named = resolved
        .order(records)
        .iter()
        .flat_map(|name| candidates.iter().position(|candidate| candidate.name == *name))
        .find(|index| candidates[*index].unavailable.is_none());
    let any = || candidates.iter().position(|candidate| candidate.unavailable.is_none());
    let Some(index) = named.or_else(any) else {
        return Err(reasons(candidates));
    };
    let asked = if preference == resolved {
        format!("preference {}", preference.as_str())
    } else {
        format!(
            "preference {} for {records} records: {}",
            preference.as_str(),
            resolved.as_str()
        )
    };
    let passed_over: Vec<String> = resolved
        .order(records)
        .iter()
        .take_while(|name| **name != candidates[index].name)
        .map(
            |name| match candidates.iter().find(|candidate| candidate.name == *name) {
                Some(candidate) => {
                    format!(
                        "{name} {}",
                        candidate.unavailable.as_deref().unwrap_or("is not available")
                    )
                }
                None => format!("{name} is not configured or not enabled"),
            },
        )
        .collect();
    let mut reason = format!("{asked}; {} is the first available", candidates[index].name);
    if !passed_over.is_empty() {
        reason.push_str(&format!(" ({})", passed_over.join("; ")));
    }
    Ok(Choice { index, reason })
}

/// Why no candidate can be used.
fn reasons(candidates: &[Candidate]) -> String {
    if candidates.is_empty() {
        return "no provider is enabled".to_owned();
    }
    let each: Vec<String> = candidates
        .iter()
        .map(|candidate| {
            format!(
                "{} {}",
                candidate.name,
                candidate.unavailable.as_deref().unwrap_or("is available")
            )
        })
        .collect();
    each.join("; ")
}

#[cfg(test)]
mod tests {
    use super::{Candidate, Preference, batch_size, choose};

    const NAMES: [&str; 3] = ["sentence_transformers", "openai", "azure_openai"];

    /// The rules written out once more, as a table: preference, records, names by rank.
    const RANKS: [(Preference, u64, &[&str]); 8] = [
        (
            Preference::Auto,
            50_001,
            &["sentence_transformers", "azure_openai", "openai"],
        ),
        (
            Preference::Auto,
            50_000,
            &["sentence_transformers", "azure_openai", "openai"],
        ),
        (
            Preference::Auto,
            10_000,
            &["openai", "azure_openai", "sentence_transformers"],
        ),
        (
            Preference::Fast,
            1,
            &["sentence_transformers", "azure_openai", "openai"],
        ),
        (
            Preference::Quality,
            1_000_000,
            &["openai", "azure_openai", "sentence_transformers"],
        ),
        (
            Preference::Balanced,
            10_001,
            &["sentence_transformers", "azure_openai", "openai"],
        ),
        // Below the threshold: azure first, then whichever comes first among the candidates.
        (
            Preference::Balanced,
            10_000,
            &["azure_openai", "sentence_transformers", "openai"],
        ),
        (
            Preference::Balanced,
            0,
            &["azure_openai", "sentence_transformers", "openai"],
        ),
    ];

    #[test]
    fn every_combination_of_preference_size_and_availability_gives_the_first_available_by_the_rules() {
        for (preference, records, ranked) in RANKS {
            for available in 0..8_u8 {
                let candidates: Vec<Candidate> = NAMES
                    .iter()
                    .enumerate()
                    .map(|(bit, name)| Candidate {
                        name: (*name).to_owned(),
                        unavailable: (available & (1 << bit) == 0).then(|| "has no key".to_owned()),
                    })
                    .collect();
                let is_available = |name: &str| {
                    candidates
                        .iter()
                        .any(|one| one.name == name && one.unavailable.is_none())
                };
                let expected = ranked.iter().find(|name| is_available(name));
                let chosen =
                    choose(preference, records, &candidates).map(|choice| candidates[choice.index].name.clone());
                assert_eq!(
                    chosen.as_deref().ok(),
                    expected.copied(),
                    "{preference:?} {records} {available:03b}"
                );
            }
        }
    }

    #[test]
    fn no_available_provider_is_an_error_that_names_each_and_why() {
        let candidates = [
            Candidate {
                name: "openai".into(),
                unavailable: Some("has no key".into()),
            },
            Candidate {
                name: "mine".into(),
                unavailable: Some("lacks its model".into()),
            },
        ];
        assert_eq!(
            choose(Preference::Auto, 5, &candidates),
            Err("openai has no key; mine lacks its model".to_owned())
        );
    }

    #[test]
    fn the_reason_says_what_was_passed_over() {
        let candidates = [Candidate {
            name: "sentence_transformers".into(),
            unavailable: None,
        }];
        let choice = choose(Preference::Auto, 5, &candidates).expect("one is available");
        assert!(choice.reason.contains("quality"), "{}", choice.reason);
        assert!(choice.reason.contains("openai is not configured"), "{}", choice.reason);
    }

    #[test]
    fn batch_sizes_follow_the_thresholds() {
        let sizes: Vec<u32> = [0, 10_000, 10_001, 50_000, 50_001]
            .into_iter()
            .map(batch_size)
            .collect();
        assert_eq!(sizes, [100, 100, 150, 150, 200]);
    }
}
