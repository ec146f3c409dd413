//! What stands behind the question mark of an address. Nothing is what is empty.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::api::failure::Failure;
use crate::hub::Topic;
use crate::looks::jobs::Filter;

const STATES: [&str; 6] = ["queued", "running", "paused", "completed", "failed", "cancelled"];

/// Longer ones name nothing and find nothing.
const LONGEST_TEXT: usize = 1000;

/// The parameters of a request.
pub(crate) struct Parameters(HashMap<String, String>);

impl Parameters {
    pub(crate) fn new(given: HashMap<String, String>) -> Self {
        Self(given)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.0.get(name) {
            None => Ok(None),
            Some(text) if text.is_empty() => Ok(None),
            Some(text) if text.len() > LONGEST_TEXT || text.contains('\0') => {
                Err(Failure::parameter(name, "a short text"))
            }
            Some(text) => Ok(Some(text.clone())),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        let text = self.text(name)?;
        let number = text.map(|text| text.parse().map_err(|_| Failure::parameter(name, "a whole number")));
        number.transpose()
    }

    /// ISO 8601; without a zone it is UTC.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let plain = || {
            text.parse::<DateTime>()
                .ok()?
                .to_zoned(TimeZone::UTC)
                .ok()
                .map(|at| at.timestamp())
        };
        match text.parse().ok().or_else(plain) {
            Some(moment) => Ok(Some(moment)),
            None => Err(Failure::parameter(name, "a moment like 2026-01-31T12:00:00Z")),
        }
    }

    pub(crate) fn topic(&self) -> Result<Topic, Failure> {
        let topic = self.text("topic")?.unwrap_or_default();
        Ok(match topic.as_str() {
            "overview" => Topic::Overview,
            "coverage" => Topic::Coverage,
            "errors" => Topic::Errors,
            "providers" => Topic::Providers,
            "jobs" => Topic::Jobs(self.filter()?),
            "job" => Topic::Job(
                self.number("job")?
                    .ok_or_else(|| Failure::parameter("job", "the number of a job"))?,
            ),
            _ => {
                return Err(Failure::parameter(
                    "topic",
                    "overview, jobs, job, coverage, errors or providers",
                ));
            }
        })
    }

    fn filter(&self) -> Result<Filter, Failure> {
        let states = self
            .text("state")?
            .map(|states| states.split(',').map(str::to_owned).collect::<Vec<_>>());
        if states.iter().flatten().any(|state| !STATES.contains(&state.as_str())) {
            return Err(Failure::parameter("state", "states of jobs, with commas between them"));
        }
        Ok(Filter {
            states,
            client: self.number("client")?,
            source: self.text("source")?,
            before_job: self.number("before_job")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(given: &[(&str, &str)]) -> Parameters {
        Parameters::new(
            given
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn topics_are_understood() {
        assert_eq!(
            parameters(&[("topic", "job"), ("job", "12")]).topic().expect("a topic"),
            Topic::Job(12)
        );
        let jobs = parameters(&[
            ("topic", "jobs"),
            ("state", "queued,running"),
            ("client", ""),
            ("before_job", "7"),
        ]);
        let filter = Filter {
            states: Some(vec!["queued".into(), "running".into()]),
            before_job: Some(7),
            ..Filter::default()
        };
        assert_eq!(jobs.topic().expect("a topic"), Topic::Jobs(filter));
        for wrong in [
            &[("topic", "job")][..],
            &[("topic", "job"), ("job", "x")],
            &[("topic", "jobs"), ("state", "sleeping")],
            &[("topic", "jobs"), ("client", "1.5")],
            &[("topic", "jobs"), ("source", "a\0b")],
            &[("topic", "")],
            &[],
        ] {
            assert!(parameters(wrong).topic().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn moments_may_have_a_zone() {
        let moment = |text| {
            parameters(&[("since", text)])
                .moment("since")
                .ok()
                .flatten()
                .map(|at| at.to_string())
        };
        assert_eq!(moment("2026-01-31T12:00:00Z").as_deref(), Some("2026-01-31T12:00:00Z"));
        assert_eq!(
            moment("2026-01-31T12:00:00+02:00").as_deref(),
            Some("2026-01-31T10:00:00Z")
        );
        assert_eq!(moment("2026-01-31T12:00").as_deref(), Some("2026-01-31T12:00:00Z"));
        assert_eq!(moment("2026-01-31").as_deref(), Some("2026-01-31T00:00:00Z"));
        assert!(parameters(&[("since", "yesterday")]).moment("since").is_err());
    }
}
