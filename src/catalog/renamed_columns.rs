//! Settings of a source follow its columns when these get another name.

use std::collections::HashMap;

use pgrx::pg_sys::Oid;
use vb_formats::template::Template;

use super::installation::Installation;
use super::syncs::ColumnNames;
use crate::error::Result;
use crate::pg::spi;

/// The position at which the table itself is named.
const TABLE: &str = "0";

/// Replaces the names of columns that have another one now. Columns are known by their position, so names may be exchanged.
pub(crate) fn follow(installation: &Installation, source: Oid, before: &ColumnNames, now: &ColumnNames) -> Result<()> {
    // A restored copy of the table, or of its database: what was written down is not about this one.
    if before.get(TABLE) != now.get(TABLE) {
        return Ok(());
    }
    let renamed: HashMap<&str, &str> = before
        .iter()
        .filter_map(|(position, name)| {
            let new = now.get(position)?;
            (new != name).then_some((name.as_str(), new.as_str()))
        })
        .collect();
    if renamed.is_empty() {
        return Ok(());
    }
    let (former, new): (Vec<String>, Vec<String>) = renamed
        .iter()
        .map(|(from, to)| ((*from).to_owned(), (*to).to_owned()))
        .unzip();
    for statement in [
        include_str!("../../sql/query/source_settings_rename.sql"),
        include_str!("../../sql/query/source_texts_rename.sql"),
    ] {
        spi::run(
            &installation.sql(statement),
            &[source.into(), former.clone().into(), new.clone().into()],
        )?;
    }
    let templates = spi::read(
        &installation.sql(include_str!("../../sql/query/source_templates.sql")),
        &[source.into()],
        |row| Ok((row.get::<String>(1)?, row.get::<String>(2)?)),
    )?;
    for (vector_type, template) in templates {
        // One that cannot follow stays as it is: the next look at the source says which column is missing.
        let parsed = Template::parse(&template).ok();
        let Some(written) = parsed
            .and_then(|parsed| parsed.renamed(&renamed))
            .map(|new| new.to_string())
        else {
            continue;
        };
        if written != template {
            spi::run(
                &installation.sql(include_str!("../../sql/query/source_template_set.sql")),
                &[source.into(), vector_type.into(), written.into()],
            )?;
        }
    }
    Ok(())
}
