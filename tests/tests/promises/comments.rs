//! What the extension installs explains itself and is for nobody until somebody grants it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use vb_tests::cluster::Cluster;

/// All objects of the extension that people use: kind, name, comment.
const OBJECTS: &str = "
select d.classid::regclass::text as catalog, pg_describe_object(d.classid, d.objid, 0) as name,
       obj_description(d.objid, d.classid::regclass::text) as comment
from pg_depend d
join pg_extension e on e.oid = d.refobjid and e.extname = 'vector_backfill'
where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'
  and (d.classid = 'pg_proc'::regclass
       or d.classid = 'pg_class'::regclass and (select relkind from pg_class where oid = d.objid) in ('r', 'v'))
order by 1, 2";

#[test]
fn every_function_table_and_view_has_a_comment() {
    let cluster = Cluster::start_not_preloaded();
    let mut client = cluster.create_database("shop");
    let objects = client.rows(OBJECTS, &[]);
    assert!(objects.len() > 25, "the extension has {} objects", objects.len());
    let silent = objects
        .iter()
        .filter(|row| row.get::<Option<String>>("comment").is_none_or(|text| text.is_empty()));
    let silent: Vec<String> = silent.map(|row| row.get("name")).collect();
    assert!(silent.is_empty(), "without a comment: {silent:#?}");
    let extension: String = client.value(
        "select comment from pg_available_extensions where name = 'vector_backfill'",
        &[],
    );
    assert!(!extension.is_empty());
}

#[test]
fn nothing_is_granted_to_everybody() {
    let cluster = Cluster::start_not_preloaded();
    let mut client = cluster.create_database("shop");
    client.run("create role nobody");
    let members = "
        from pg_depend d join pg_extension e on e.oid = d.refobjid and e.extname = 'vector_backfill'
        where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e'";
    let functions: Vec<String> = client.values(
        &format!(
            "select d.objid::regprocedure::text {members} and d.classid = 'pg_proc'::regclass
             and has_function_privilege('nobody', d.objid, 'execute')"
        ),
        &[],
    );
    assert!(functions.is_empty(), "everybody may call {functions:#?}");
    let relations: Vec<String> = client.values(
        &format!(
            "select d.objid::regclass::text {members} and d.classid = 'pg_class'::regclass
             and (select relkind from pg_class where oid = d.objid) in ('r', 'v')
             and has_table_privilege('nobody', d.objid, 'select, insert, update, delete, truncate, references, trigger')"
        ),
        &[],
    );
    assert!(relations.is_empty(), "everybody may use {relations:#?}");
}

#[test]
fn every_setting_is_described_and_the_readme_names_those_that_exist() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let settings = client.rows(
        "select name, short_desc, extra_desc from pg_settings where name like 'vector\\_backfill.%' order by name",
        &[],
    );
    assert!(settings.len() >= 10, "there are {} settings", settings.len());
    for setting in &settings {
        assert!(
            setting
                .get::<Option<String>>("short_desc")
                .is_some_and(|text| text.len() > 10),
            "{setting:?}"
        );
        assert!(
            setting
                .get::<Option<String>>("extra_desc")
                .is_some_and(|text| text.len() > 5),
            "{setting:?}"
        );
    }
    let names: BTreeSet<String> = settings.iter().map(|setting| setting.get("name")).collect();
    // Cargo's at run time: clones that share a target folder share this program as well.
    let package = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let readme = Path::new(&package).join("../README.md");
    let readme = fs::read_to_string(&readme).unwrap_or_else(|error| panic!("{}: {error}", readme.display()));
    let mut mentioned = BTreeSet::new();
    for (start, prefix) in readme.match_indices("vector_backfill.") {
        let rest = &readme[start + prefix.len()..];
        let end = rest
            .find(|letter: char| !letter.is_ascii_lowercase() && letter != '_')
            .unwrap_or(rest.len());
        let name = &rest[..end];
        // File names look alike.
        if !matches!(name, "" | "control" | "so" | "git" | "sql") {
            mentioned.insert(format!("{prefix}{name}"));
        }
    }
    let unknown: Vec<_> = mentioned.difference(&names).collect();
    assert!(
        unknown.is_empty(),
        "the README names settings that do not exist: {unknown:?}"
    );
}

#[test]
fn the_documented_defaults_are_the_real_ones() {
    let cluster = Cluster::start_not_preloaded();
    let mut client = cluster.create_database("shop");
    client.run("load 'vector_backfill'");
    let defaults = [
        ("max_concurrent_batches", "4"),
        ("nice", "10"),
        ("memory_limit", "512MB"),
        ("poll_interval", "1s"),
        ("request_timeout", "1min"),
        ("job_retention", "7d"),
        ("audit_retention", "365d"),
    ];
    for (name, value) in defaults {
        let setting: String = client.value("select current_setting('vector_backfill.' || $1)", &[&name]);
        assert_eq!(setting, value, "{name}");
    }
}
