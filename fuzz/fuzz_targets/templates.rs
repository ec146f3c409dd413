//! Templates: what is parsed can be written and parsed again, also with other names of columns.
//!
//! An input is a template.

#![no_main]

use std::collections::HashMap;

use libfuzzer_sys::fuzz_target;
use vb_formats::template::{Part, Template};

fuzz_target!(|text: &str| {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(error) => {
            assert!(error.to_string().contains(&format!("{text:?}")) && !error.hint().is_empty());
            return;
        }
    };
    assert_eq!(template.to_string(), text, "braces have one way to be written");
    let columns = columns(&template);
    assert!(!columns.is_empty() && columns.iter().all(|name| !name.is_empty()));

    // Each column gets the name of another.
    let names: HashMap<&str, &str> = columns.iter().copied().zip(columns.iter().copied().rev()).collect();
    let renamed = template.renamed(&names).expect("a template names them already");
    assert_eq!(Template::parse(&renamed.to_string()).as_ref(), Ok(&renamed));
    let expected: Vec<&str> = columns.iter().map(|name| names[name]).collect();
    assert_eq!(self::columns(&renamed), expected);

    // A table's column may have any name.
    for name in text.split([' ', ':']).take(8) {
        if let Some(renamed) = template.renamed(&HashMap::from([(columns[0], name)])) {
            assert_eq!(Template::parse(&renamed.to_string()), Ok(renamed));
        }
    }
});

fn columns(template: &Template) -> Vec<&str> {
    let parts = template.parts().iter();
    parts
        .filter_map(|part| match part {
            Part::Column(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
        .collect()
}
