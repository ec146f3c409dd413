//! Whether a model is whole in its one file.
//!
//! ONNX lets a model name other files that hold its weights, by paths of the model's choice. What is read then was not
//! checked, and could be any file that the server can read; so such a model is refused before the runtime sees it. This
//! walks the file as Protocol Buffers and knows only where tensors can be: all field numbers are those of `onnx.proto`.

/// How deep messages may lie in each other: as the library that reads them afterwards has it.
const DEEPEST: usize = 100;

/// A message in which there are tensors somewhere, or a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
    Model,
    Training,
    Function,
    Graph,
    Node,
    Attribute,
    SparseTensor,
    Tensor,
}

impl Message {
    /// What a field of this message is, if there may be tensors in it.
    fn of_field(self, field: u64) -> Option<Self> {
        Some(match (self, field) {
            (Self::Model, 7) | (Self::Training, 1 | 2) | (Self::Attribute, 6 | 11) => Self::Graph,
            (Self::Model, 20) => Self::Training,
            (Self::Model, 25) => Self::Function,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Node, 5) | (Self::Function, 11) => Self::Attribute,
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::SparseTensor,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => Self::Tensor,
            _ => return None,
        })
    }
}

/// Fields of a tensor that say that its numbers are elsewhere: `external_data` and `data_location`.
const EXTERNAL_DATA: u64 = 13;
const DATA_LOCATION: u64 = 14;

/// A field's value, as far as it matters.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

/// What is wrong with the file, if it is no model that is whole.
pub(super) fn check(bytes: &[u8]) -> Result<(), &'static str> {
    let mut open = vec![(Message::Model, bytes)];
    while let Some((message, rest)) = open.last_mut() {
        if rest.is_empty() {
            open.pop();
            continue;
        }
        let message = *message;
        let (field, value) = next_field(rest).ok_or("is not an ONNX model")?;
        let is_elsewhere = match value {
            Value::Number(place) => field == DATA_LOCATION && place != 0,
            _ => field == EXTERNAL_DATA,
        };
        if message == Message::Tensor && is_elsewhere {
            return Err("keeps weights in other files, which are not read: export it as one file");
        }
        if let (Some(inner), Value::Bytes(bytes)) = (message.of_field(field), value) {
            if open.len() == DEEPEST {
                return Err("is not an ONNX model: it is nested too deeply");
            }
            open.push((inner, bytes));
        }
    }
    Ok(())
}

/// Takes the next field off; `None` when there is no whole one.
fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u64, Value<'a>)> {
    let tag = number(rest)?;
    let value = match tag & 7 {
        0 => Value::Number(number(rest)?),
        1 => rest.split_off(..8).map(|_| Value::Other)?,
        2 => {
            let length = usize::try_from(number(rest)?).ok()?;
            Value::Bytes(rest.split_off(..length)?)
        }
        5 => rest.split_off(..4).map(|_| Value::Other)?,
        _ => return None,
    };
    (tag >> 3 > 0).then_some((tag >> 3, value))
}

/// A number in as many bytes as it needs, seven bits in each, the lowest first.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for place in 0..10 {
        let byte = rest.split_off_first()?;
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TINY: &[u8] = include_bytes!("../../../tests/fixtures/tiny_model/model.onnx");

    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        // Two bytes each are enough for tags and lengths here.
        let two = |number: usize| [number as u8 | 0x80, (number >> 7) as u8];
        let tag = usize::from(number) << 3 | 2;
        [&two(tag)[..], &two(content.len()), content].concat()
    }

    fn within(path: &[u8], content: &[u8]) -> Vec<u8> {
        path.iter()
            .rev()
            .fold(content.to_vec(), |inner, &number| field(number, &inner))
    }

    #[test]
    fn a_model_in_one_file_is_whole() {
        assert_eq!(check(TINY), Ok(()));
        // Elsewhere the same numbers mean something else.
        assert_eq!(check(&within(&[7, 13], b"x")), Ok(()));
    }

    #[test]
    fn a_model_that_names_other_files_is_refused_wherever_the_tensor_is() {
        // Of the graph; in a node, in a subgraph of a node, in a function, in sparse tensors and in what is for training.
        for path in [
            &[7, 5][..],
            &[7, 1, 5, 5],
            &[7, 1, 5, 10],
            &[7, 1, 5, 6, 5],
            &[7, 1, 5, 11, 1, 5, 5],
            &[25, 7, 5, 5],
            &[25, 11, 5],
            &[7, 15, 1],
            &[7, 15, 2],
            &[7, 1, 5, 22, 1],
            &[7, 1, 5, 23, 2],
            &[20, 1, 5],
            &[20, 2, 1, 5, 5],
        ] {
            let named = within(path, &field(13, b"location"));
            let marked = within(path, &[14 << 3, 1]);
            let here = within(path, &[14 << 3, 0]);
            for bytes in [named, marked] {
                let refusal = check(&bytes).expect_err("its weights are elsewhere");
                assert!(refusal.contains("other files"), "{path:?}: {refusal}");
            }
            assert_eq!(check(&here), Ok(()), "{path:?}");
        }
    }

    #[test]
    fn a_model_that_is_nested_without_end_is_refused() {
        let graph = |inner: Vec<u8>| within(&[1, 5, 6], &inner);
        let deep = |times: usize| field(7, &(0..times).fold(Vec::new(), |inner, _| graph(inner)));
        assert_eq!(check(&deep(20)), Ok(()));
        assert!(check(&deep(60)).expect_err("it is deep").contains("nested"));
    }

    #[test]
    fn a_model_cut_short_is_refused_unless_a_field_ends_there() {
        let refused = (1..TINY.len())
            .filter(|length| check(&TINY[..*length]).is_err())
            .count();
        assert!(refused > TINY.len() * 9 / 10, "{refused} of {}", TINY.len());
    }

    proptest! {
        #[test]
        fn no_content_makes_the_check_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes);
            let _ = check(&within(&[7, 1, 5], &bytes));
        }
    }
}
