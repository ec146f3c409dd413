//! Record ids: the texts of a key come back as they were, and no other key's record ids are mistaken for its own.
//!
//! An input is the texts of a key with zero bytes between them, which no text of Postgres has; or a record id.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vb_formats::record_id::{join, split};

/// Columns that a key is tried with.
const WIDTHS: std::ops::RangeInclusive<usize> = 1..=4;

fuzz_target!(|text: &str| {
    let texts: Vec<String> = text.split('\0').map(str::to_owned).collect();
    let record_id = join(texts.clone());
    assert_eq!(split(&record_id, texts.len()).as_ref(), Some(&texts));
    if texts.len() > 1 {
        let others = WIDTHS.filter(|width| *width > 1 && *width != texts.len());
        others.for_each(|width| assert_eq!(split(&record_id, width), None));
    }

    // What a table holds may be anything.
    for width in WIDTHS {
        let Some(texts) = split(text, width) else { continue };
        assert_eq!(texts.len(), width);
        assert_eq!(split(&join(texts.clone()), width), Some(texts));
    }
});
