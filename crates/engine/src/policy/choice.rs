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
    /// The name that the rules know it by: its own, or that of the common provider in whose place a client's own stands.
    pub role: String,
    /// Whether it is the client's own. Those come before the common ones, whatever they are.
    pub is_own: bool,
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

/// The first available of the client's own providers, then of the common ones: in the order of the preference, then of
/// any role in the order of the candidates. `Err` says of each candidate why it is not available.
pub fn choose(preference: Preference, records: u64, candidates: &[Candidate]) -> Result<Choice, String> {
    let resolved = preference.resolve(records);
    let order = resolved.order(records);
    let rank = |candidate: &Candidate| {
        let place = order.iter().position(|role| *role == candidate.role);
        (!candidate.is_own, place.unwrap_or(order.len()))
    };
    let mut ranked: Vec<usize> = (0..candidates.len()).collect();
    ranked.sort_by_key(|index| rank(&candidates[*index]));
    let available = ranked.iter().position(|index| candidates[*index].unavailable.is_none());
    let Some(place) = available else {
        return Err(reasons(candidates));
    };
    let index = ranked[place];
    let chosen = &candidates[index];
    let asked = if preference == resolved {
        format!("preference {}", preference.as_str())
    } else {
        format!(
            "preference {} for {records} records: {}",
            preference.as_str(),
            resolved.as_str()
        )
    };
    let mut passed_over: Vec<String> = ranked[..place]
        .iter()
        .map(|index| {
            let candidate = &candidates[*index];
            let reason = candidate.unavailable.as_deref().unwrap_or("is not available");
            format!("{}: {reason}", candidate.name)
        })
        .collect();
    let missing = order
        .iter()
        .take_while(|role| chosen.is_own || **role != chosen.role)
        .filter(|role| !chosen.is_own && candidates.iter().all(|candidate| candidate.role != **role));
    passed_over.extend(missing.map(|role| format!("{role}: it is not configured")));
    let whose = if chosen.is_own { " of the client's own" } else { "" };
    let mut reason = format!("{asked}; {} is the first available{whose}", chosen.name);
    if !passed_over.is_empty() {
        reason.push_str(&format!(" ({})", passed_over.join("; ")));
    }
    Ok(Choice { index, reason })
}

/// Why no candidate can be used.
fn reasons(candidates: &[Candidate]) -> String {
    if candidates.is_empty() {
        return "there is none".to_owned();
    }
    let each: Vec<String> = candidates
        .iter()
        .map(|candidate| {
            format!(
                "{}: {}",
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

    fn candidate(name: &str, is_available: bool) -> Candidate {
        Candidate {
            name: name.to_owned(),
            role: name.to_owned(),
            is_own: false,
            unavailable: (!is_available).then(|| "it has no key".to_owned()),
        }
    }

    fn own(name: &str, role: &str, is_available: bool) -> Candidate {
        Candidate {
            role: role.to_owned(),
            is_own: true,
            ..candidate(name, is_available)
        }
    }

    fn chosen(preference: Preference, records: u64, candidates: &[Candidate]) -> Option<String> {
        let choice = choose(preference, records, candidates).ok()?;
        Some(candidates[choice.index].name.clone())
    }

    #[test]
    fn every_combination_of_preference_size_and_availability_gives_the_first_available_by_the_rules() {
        for (preference, records, ranked) in RANKS {
            for available in 0..8_u8 {
                let is_available = |name: &str| {
                    let bit = NAMES.iter().position(|known| *known == name);
                    bit.is_some_and(|bit| available & (1 << bit) != 0)
                };
                let candidates = NAMES.map(|name| candidate(name, is_available(name)));
                let expected = ranked.iter().find(|name| is_available(name));
                assert_eq!(
                    chosen(preference, records, &candidates).as_deref(),
                    expected.copied(),
                    "{preference:?} {records} {available:03b}"
                );
            }
        }
    }

    #[test]
    fn every_combination_of_a_clients_own_goes_before_the_common_ones_by_the_same_rules() {
        for (preference, records, ranked) in RANKS {
            for available in 0..8_u8 {
                let is_available = |name: &str| {
                    let bit = NAMES.iter().position(|known| *known == name);
                    bit.is_some_and(|bit| available & (1 << bit) != 0)
                };
                let owns = NAMES.map(|role| own(&format!("own_{role}"), role, is_available(role)));
                let candidates: Vec<Candidate> = owns
                    .into_iter()
                    .chain(NAMES.map(|name| candidate(name, true)))
                    .collect();
                let expected = match ranked.iter().find(|role| is_available(role)) {
                    Some(role) => format!("own_{role}"),
                    None => ranked[0].to_owned(),
                };
                assert_eq!(
                    chosen(preference, records, &candidates),
                    Some(expected),
                    "{preference:?} {records} {available:03b}"
                );
            }
        }
    }

    #[test]
    fn a_provider_that_no_rule_names_comes_last_but_a_clients_own_before_all_common_ones() {
        let common = [candidate("mine", true), candidate("openai", true)];
        assert_eq!(chosen(Preference::Quality, 5, &common).as_deref(), Some("openai"));
        let with_own = [own("theirs", "", true), candidate("openai", true)];
        assert_eq!(chosen(Preference::Quality, 5, &with_own).as_deref(), Some("theirs"));
    }

    #[test]
    fn no_available_provider_is_an_error_that_names_each_and_why() {
        let candidates = [candidate("openai", false), candidate("mine", false)];
        assert_eq!(
            choose(Preference::Auto, 5, &candidates),
            Err("openai: it has no key; mine: it has no key".to_owned())
        );
    }

    #[test]
    fn the_reason_says_what_was_passed_over() {
        let candidates = [
            candidate("azure_openai", false),
            candidate("sentence_transformers", true),
        ];
        let choice = choose(Preference::Auto, 5, &candidates).expect("one is available");
        for words in ["quality", "openai: it is not configured", "azure_openai: it has no key"] {
            assert!(choice.reason.contains(words), "{}", choice.reason);
        }
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
