//! The guide lists every column, every metric and every cause that there is, and no other.

use std::collections::{BTreeMap, BTreeSet};

use vb_tests::cluster::Cluster;
use vb_tests::monitoring::{causes, guide};

use crate::names::{COMMON, OF_THE_PAGE, Shape, expected};

/// Views that the extension has, those that pg_monitor may read, and columns; also of functions that return tables.
const COLUMNS: &str = "
select c.relname::text as name, a.attname::text as column, has_table_privilege('pg_monitor', c.oid, 'select') as watched
from pg_depend d
join pg_extension e on e.oid = d.refobjid and e.extname = 'vector_backfill'
join pg_class c on c.oid = d.objid and c.relkind = 'v'
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
where d.classid = 'pg_class'::regclass and d.deptype = 'e'
union all
select p.proname || '()', o.name, p.proname in ('vb_health', 'vb_sync_status')
from pg_depend d
join pg_extension e on e.oid = d.refobjid and e.extname = 'vector_backfill'
join pg_proc p on p.oid = d.objid
cross join unnest(p.proargnames, p.proargmodes) o (name, mode)
where d.classid = 'pg_proc'::regclass and d.deptype = 'e' and o.mode = 't'";

/// A row of a table in the guide.
struct TableRow<'a> {
    /// The text of the nearest heading before it.
    heading: &'a str,
    cells: Vec<&'a str>,
}

/// Rows of all tables in the guide whose first cell is in the type of code.
fn rows(guide: &str) -> Vec<TableRow<'_>> {
    let mut heading = "";
    let mut rows = Vec::new();
    for line in guide.lines() {
        if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim().trim_matches('`');
        } else if line.starts_with("| `") {
            let cells = line.trim_matches('|').split('|').map(str::trim).collect();
            rows.push(TableRow { heading, cells });
        }
    }
    rows
}

/// What a cell has in the type of code.
fn names(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_guide_lists_every_column_and_no_other() {
    let cluster = Cluster::start();
    let mut client = cluster.create_database("shop");
    let mut there: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut watched = BTreeSet::new();
    for row in client.rows(COLUMNS, &[]) {
        let name: String = row.get("name");
        if row.get::<bool>("watched") {
            watched.insert(name.clone());
        }
        there.entry(name).or_default().insert(row.get("column"));
    }

    let guide = guide();
    let mut listed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(&guide).iter().filter(|row| row.heading.starts_with("vb_")) {
        listed
            .entry(row.heading.to_owned())
            .or_default()
            .extend(names(row.cells[0]));
    }
    let missing: Vec<_> = watched.iter().filter(|name| !listed.contains_key(*name)).collect();
    assert!(missing.is_empty(), "the guide does not list {missing:?}");
    for (name, columns) in &listed {
        assert_eq!(
            Some(columns),
            there.get(name),
            "columns of {name}, as listed and as they are"
        );
    }
}

#[test]
fn the_guide_lists_every_metric_and_no_other() {
    let guide = guide();
    let mut listed: BTreeMap<String, Shape> = BTreeMap::new();
    for row in rows(&guide).iter().filter(|row| row.heading == "Metrics") {
        let [metrics, kind, labels, _] = row.cells[..] else {
            panic!("four cells were expected: {:?}", row.cells);
        };
        for metric in names(metrics) {
            listed.insert(metric, (kind.to_owned(), names(labels)));
        }
    }
    assert_eq!(listed, expected(&[&COMMON, &OF_THE_PAGE]));
}

#[test]
fn the_guide_explains_every_cause_and_no_other() {
    let named: BTreeSet<String> = causes();

    let guide = guide();
    let rows = rows(&guide);
    let explained: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.heading == "Causes")
        .flat_map(|row| names(row.cells[0]))
        .collect();
    assert_eq!(explained, named);
}
