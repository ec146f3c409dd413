//! Templates: text with `{column}` marks. Parsed here, and turned by the extension into an expression of quoted names and
//! literals; what a user writes is never run as SQL.

use std::collections::HashMap;
use std::fmt;

/// A parsed template: it names at least one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it stands.
    Literal(String),
    /// The value of a column.
    Column(String),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A brace that opens or closes nothing.
    #[error("template {template:?} has a {brace:?} without its partner")]
    Unbalanced {
        /// All of it.
        template: String,
        /// The brace.
        brace: &'static str,
    },
    /// A mark without a name.
    #[error("template {template:?} has an empty mark {{}}")]
    EmptyMark {
        /// All of it.
        template: String,
    },
    /// The same text for every row.
    #[error("template {template:?} names no column")]
    NoColumn {
        /// All of it.
        template: String,
    },
}

impl TemplateError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unbalanced { .. } => "Write {{ or }} for a brace itself.",
            Self::EmptyMark { .. } => "Write the name of a column between the braces, as in {title}.",
            Self::NoColumn { .. } => "Write the name of a column between braces, as in '{title}: {description}'.",
        }
    }
}

impl Template {
    /// Parses a template. `{{` and `}}` stand for the braces themselves.
    pub fn parse(template: &str) -> Result<Self, TemplateError> {
        let unbalanced = |brace| TemplateError::Unbalanced {
            template: template.to_owned(),
            brace,
        };
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
                            None => return Err(unbalanced("{")),
                        }
                    }
                    if column.is_empty() {
                        return Err(TemplateError::EmptyMark {
                            template: template.to_owned(),
                        });
                    }
                    if !literal.is_empty() {
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                    }
                    parts.push(Part::Column(column));
                }
                '}' => return Err(unbalanced("}")),
                letter => literal.push(letter),
            }
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        if !parts.iter().any(|part| matches!(part, Part::Column(_))) {
            return Err(TemplateError::NoColumn {
                template: template.to_owned(),
            });
        }
        Ok(Self { parts })
    }

    /// The same with other names of columns; `None` when no template can name one of them.
    pub fn renamed(&self, names: &HashMap<&str, &str>) -> Option<Self> {
        let parts = self.parts.iter().map(|part| match part {
            Part::Column(name) => {
                let name = names.get(name.as_str()).copied().unwrap_or(name);
                can_be_named(name).then(|| Part::Column(name.to_owned()))
            }
            Part::Literal(text) => Some(Part::Literal(text.clone())),
        });
        let parts = parts.collect::<Option<_>>()?;
        Some(Self { parts })
    }

    /// Its pieces in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
}

/// A mark ends at the first closing brace, and one that begins with two braces is none.
fn can_be_named(column: &str) -> bool {
    !column.is_empty() && !column.starts_with('{') && !column.contains('}')
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

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Part {
        Part::Literal(text.to_owned())
    }

    fn column(name: &str) -> Part {
        Part::Column(name.to_owned())
    }

    #[test]
    fn marks_are_columns_and_doubled_braces_are_braces() {
        let table = [
            ("{title}", vec![column("title")]),
            ("{a}{b}", vec![column("a"), column("b")]),
            (
                "{title}: {the text}.",
                vec![column("title"), literal(": "), column("the text"), literal(".")],
            ),
            ("{{{a}}}", vec![literal("{"), column("a"), literal("}")]),
            ("}}{{ {a{b}", vec![literal("}{ "), column("a{b")]),
        ];
        for (text, parts) in table {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.parts(), parts, "{text}");
            assert_eq!(template.to_string(), text);
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_advice() {
        let table = [
            (
                "{",
                r#"template "{" has a "{" without its partner"#,
                "for a brace itself",
            ),
            (
                "{a}}",
                r#"template "{a}}" has a "}" without its partner"#,
                "for a brace itself",
            ),
            ("{}", r#"template "{}" has an empty mark {}"#, "as in {title}"),
            ("", r#"template "" names no column"#, "'{title}: {description}'"),
            (
                "{{a}}",
                r#"template "{{a}}" names no column"#,
                "'{title}: {description}'",
            ),
        ];
        for (text, message, hint) in table {
            let error = Template::parse(text).expect_err(text);
            assert_eq!(error.to_string(), message);
            assert!(error.hint().contains(hint), "{}", error.hint());
        }
    }

    #[test]
    fn names_can_be_exchanged() {
        let template = Template::parse("{{{a} {b} {c}").unwrap();
        let renamed = template.renamed(&HashMap::from([("a", "b"), ("b", "a")])).unwrap();
        assert_eq!(renamed.to_string(), "{{{b} {a} {c}");
    }

    #[test]
    fn a_name_that_would_make_another_template_is_not_written() {
        let template = Template::parse("{a} {b}").unwrap();
        for name in ["x}", "x}{y", "{x", ""] {
            assert_eq!(template.renamed(&HashMap::from([("a", name)])), None, "{name}");
        }
        let renamed = template
            .renamed(&HashMap::from([("a", "x{"), ("other", "x}")]))
            .unwrap();
        assert_eq!(Template::parse(&renamed.to_string()), Ok(renamed));
    }
}
