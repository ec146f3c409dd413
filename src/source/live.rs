//! Which of some record ids have a row at this moment.

use super::describe::Source;
use super::key::Matching;
use super::reader::key_arguments;
use crate::error::{Result, VbError};
use crate::pg::{spi, transaction};

/// For each of the record ids in order, whether it has a row of the client which meets the condition over `s` and `k`, as
/// the present role sees it.
///
/// They are looked up by value as long as `matching` says so and they are values of the key's columns at all: those made
/// under a former key may not be. Then all are compared as texts, and `matching` says so afterwards.
pub(crate) fn flags(
    source: &Source,
    client_id: i64,
    record_ids: &[String],
    condition: &str,
    matching: &mut Matching,
) -> Result<Vec<bool>> {
    let look_up = |matching| {
        let query = format!(
            "select k.n from {join} where {filter} and {condition}",
            join = source.key.join(&source.name, 2, matching),
            filter = source.filter,
        );
        let arguments = key_arguments(source, client_id, record_ids);
        spi::read(&query, &arguments, |row| row.get::<i64>(1))
    };
    let found = match *matching {
        Matching::Values => match transaction::attempt(|| look_up(Matching::Values)) {
            Err(error) if may_be_of_a_cast(&error) => {
                *matching = Matching::Texts;
                look_up(Matching::Texts)
            }
            found => found,
        },
        Matching::Texts => look_up(Matching::Texts),
    };
    let mut flags = vec![false; record_ids.len()];
    for position in found? {
        // Ordinality counts from 1.
        if let Some(flag) = usize::try_from(position - 1)
            .ok()
            .and_then(|index| flags.get_mut(index))
        {
            *flag = true;
        }
    }
    Ok(flags)
}

/// How many rows a client has, as the present role sees them.
pub(crate) fn count(source: &Source, client_id: i64) -> Result<u64> {
    let query = format!("select count(*) from {} s where {}", source.name, source.filter);
    let rows = spi::read_first(&query, &[client_id.into()], |row| row.get::<i64>(1))?;
    Ok(rows.and_then(|rows| u64::try_from(rows).ok()).unwrap_or(0))
}

/// Whether the error may come from a text that is no value of a key's type: types raise what they like (a domain 23514, a
/// regclass 42P01). If it does not, it comes again.
fn may_be_of_a_cast(error: &VbError) -> bool {
    let state = error.sqlstate();
    // Missing rights; conflicts of transactions, resources, objects in use, interventions, the system.
    state != "42501" && !matches!(&state[..2], "40" | "53" | "55" | "57" | "58")
}
