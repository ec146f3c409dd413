//! Templates: text with `{column}` marks. Parsed here and turned into an expression of quoted names and literals; what
//! a user writes is never run as SQL.

use std::collections::HashMap;
use std::fmt;

use crate::error::{Result, VbError};

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Text as it stands.
    Literal(String),
    /// The value of a column.
    Column(String),
}

impl Template {
    /// Parses a template. `{{` and `}}` stand for the braces themselves.
    pub(crate) fn parse(template: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = template.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '{' | '}' if rest.peek() == Some(&next) => {
                    rest.next();
                    literal.push(next);
                }
                '{' => {
                    let mut column = String::new();
                    loop {
                        match rest.next() {
                            Some('}') => break,
                            Some(letter) => column.push(letter),
                            None => return Err(unbalanced(template, "{")),
                        }
                    }
                    if column.is_empty() {
                        return Err(
                            VbError::invalid(format!("template {template:?} has an empty mark {{}}"))
                                .hint("Write the name of a column between the braces, as in {title}."),
                        );
                    }
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Column(column));
                }
                '}' => return Err(unbalanced(template, "}")),
                letter => literal.push(letter),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        if !parts.iter().any(|part| matches!(part, Part::Column(_))) {
            return Err(VbError::invalid(format!("template {template:?} names no column"))
                .hint("Write the name of a column between braces, as in '{title}: {description}'."));
        }
        Ok(Self { parts })
    }

    /// The same with other names of columns.
    pub(crate) fn renamed(&self, names: &HashMap<&str, &str>) -> Self {
        let parts = self.parts.iter().map(|part| match part {
            Part::Column(name) => Part::Column(names.get(name.as_str()).map_or(name.clone(), |new| (*new).to_owned())),
            Part::Literal(text) => Part::Literal(text.clone()),
        });
        Self { parts: parts.collect() }
    }

    /// Its pieces in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }
}

/// As it can be parsed again.
impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(text) => formatter.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Column(name) => write!(formatter, "{{{name}}}")?,
            }
        }
        Ok(())
    }
}

fn unbalanced(template: &str, brace: &str) -> VbError {
    VbError::invalid(format!("template {template:?} has a {brace:?} without its partner"))
        .hint("Write {{ or }} for a brace itself.")
}
