//! Looks through a model's bytes before ONNX Runtime sees them, and refuses what a plain network does not need.
//!
//! The runtime would follow external data to other files, run operators of other domains and take loops; each has
//! been a way into programs that load models. This walk reads just enough of the format to find them: it allocates
//! nothing, follows no recursion and sees every occurrence of a field, whichever one a full parser would keep. What the
//! graph computes is not its business.
//!
//! Source: `onnx.proto3` of ONNX 1.20, message and field numbers as named below.

/// Checks `bytes` as an ONNX `ModelProto`.
///
/// # Errors
///
/// What is refused, in words.
pub(crate) fn check(bytes: &[u8]) -> Result<(), String> {
    // ONNX Runtime's own flatbuffer format bears this mark and would be parsed by other rules than ours.
    if bytes.get(4..8) == Some(b"ORTM") {
        return Err("it is in ONNX Runtime's own format; install an .onnx file".to_owned());
    }
    let mut graphs = 0_u32;
    for field in Fields(bytes) {
        match field? {
            (GRAPH, Value::Bytes(graph)) => {
                graphs += 1;
                check_graph(graph)?;
            }
            (OPSET_IMPORT, Value::Bytes(opset)) => check_opset(opset)?,
            (TRAINING_INFO, _) => return Err("it holds training steps".to_owned()),
            (FUNCTIONS, _) => return Err("it defines operators of its own".to_owned()),
            _ => {}
        }
    }
    if graphs == 1 {
        Ok(())
    } else {
        Err(format!(
            "it is not an ONNX model with one graph: it has {graphs}"
        ))
    }
}

fn check_opset(opset: &[u8]) -> Result<(), String> {
    for field in Fields(opset) {
        if let (OPSET_DOMAIN, Value::Bytes(domain)) = field? {
            check_domain(domain)?;
        }
    }
    Ok(())
}

fn check_graph(graph: &[u8]) -> Result<(), String> {
    for field in Fields(graph) {
        match field? {
            (NODE, Value::Bytes(node)) => check_node(node)?,
            (INITIALIZER, Value::Bytes(tensor)) => check_tensor(tensor)?,
            (SPARSE_INITIALIZER, _) => return Err("it holds sparse weights".to_owned()),
            _ => {}
        }
    }
    Ok(())
}

fn check_node(node: &[u8]) -> Result<(), String> {
    for field in Fields(node) {
        match field? {
            (NODE_OP_TYPE, Value::Bytes(name)) if REFUSED_OPERATORS.contains(&name) => {
                return Err(format!(
                    "it uses the operator {}",
                    String::from_utf8_lossy(name)
                ));
            }
            (NODE_DOMAIN, Value::Bytes(domain)) => check_domain(domain)?,
            (NODE_ATTRIBUTE, Value::Bytes(attribute)) => check_attribute(attribute)?,
            _ => {}
        }
    }
    Ok(())
}

fn check_attribute(attribute: &[u8]) -> Result<(), String> {
    for field in Fields(attribute) {
        match field? {
            (ATTRIBUTE_TENSOR | ATTRIBUTE_TENSORS, Value::Bytes(tensor)) => check_tensor(tensor)?,
            (ATTRIBUTE_GRAPH | ATTRIBUTE_GRAPHS, _) => {
                return Err("it holds a graph inside an operator".to_owned());
            }
            (ATTRIBUTE_SPARSE | ATTRIBUTE_SPARSES, _) => {
                return Err("it holds sparse weights".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_tensor(tensor: &[u8]) -> Result<(), String> {
    for field in Fields(tensor) {
        match field? {
            (EXTERNAL_DATA, _) => return Err("its weights lie outside the file".to_owned()),
            (DATA_LOCATION, Value::Number(0)) => {}
            (DATA_LOCATION, _) => return Err("its weights lie outside the file".to_owned()),
            _ => {}
        }
    }
    Ok(())
}

fn check_domain(domain: &[u8]) -> Result<(), String> {
    if domain.is_empty() || domain == b"ai.onnx" {
        return Ok(());
    }
    let shown: String = String::from_utf8_lossy(domain).chars().take(64).collect();
    Err(format!("it uses operators of the domain {shown:?}"))
}

/// The fields of one protobuf message, in order. Ends after the first error.
struct Fields<'b>(&'b [u8]);

#[derive(Debug, PartialEq)]
enum Value<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    /// Four or eight bytes that nothing here reads.
    Fixed,
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Value<'b>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field.ok_or_else(|| "it is not an ONNX model, or it is cut off".to_owned()))
    }
}

impl<'b> Fields<'b> {
    fn field(&mut self) -> Option<(u64, Value<'b>)> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.skip(8)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => self.skip(4)?,
            // Groups are in no ONNX message; the other two wire types do not exist.
            _ => return None,
        };
        Some((key >> 3, value))
    }

    /// A varint: at most ten bytes, seven bits each, lowest first.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for place in 0..10 {
            let byte = *self.bytes(1)?.first()?;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits << (7 * place);
            if shifted >> (7 * place) != bits {
                return None;
            }
            number |= shifted;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn skip(&mut self, length: usize) -> Option<Value<'b>> {
        self.bytes(length).map(|_| Value::Fixed)
    }

    fn bytes(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// Operators that run a graph inside a graph, or that draw at random: the same bytes must get the same score.
const REFUSED_OPERATORS: [&[u8]; 10] = [
    b"If",
    b"Loop",
    b"Scan",
    b"SequenceMap",
    b"RandomNormal",
    b"RandomNormalLike",
    b"RandomUniform",
    b"RandomUniformLike",
    b"Multinomial",
    b"Bernoulli",
];

// ModelProto.
const GRAPH: u64 = 7;
const OPSET_IMPORT: u64 = 8;
const TRAINING_INFO: u64 = 20;
const FUNCTIONS: u64 = 25;
// OperatorSetIdProto.
const OPSET_DOMAIN: u64 = 1;
// GraphProto.
const NODE: u64 = 1;
const INITIALIZER: u64 = 5;
const SPARSE_INITIALIZER: u64 = 15;
// NodeProto.
const NODE_OP_TYPE: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
const NODE_DOMAIN: u64 = 7;
// AttributeProto.
const ATTRIBUTE_TENSOR: u64 = 5;
const ATTRIBUTE_GRAPH: u64 = 6;
const ATTRIBUTE_TENSORS: u64 = 10;
const ATTRIBUTE_GRAPHS: u64 = 11;
const ATTRIBUTE_SPARSE: u64 = 22;
const ATTRIBUTE_SPARSES: u64 = 23;
// TensorProto.
const EXTERNAL_DATA: u64 = 13;
const DATA_LOCATION: u64 = 14;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::check;

    /// A length-delimited field with a small number and content.
    fn field(number: u8, content: &[u8]) -> Vec<u8> {
        assert!(number < 32 && content.len() < 128);
        let mut bytes = Vec::new();
        if number < 16 {
            bytes.push(number << 3 | 2);
        } else {
            bytes.extend([(number << 3 | 2) | 0x80, number >> 4]);
        }
        bytes.push(u8::try_from(content.len()).unwrap());
        bytes.extend(content);
        bytes
    }

    fn model(graph: &[u8]) -> Vec<u8> {
        [field(8, &field(1, b"")), field(7, graph)].concat()
    }

    fn node(content: &[u8]) -> Vec<u8> {
        model(&field(1, content))
    }

    fn refused(bytes: &[u8], word: &str) {
        let error = check(bytes).unwrap_err();
        assert!(error.contains(word), "{error}");
    }

    #[test]
    fn a_plain_graph_passes() {
        let relu = [
            field(4, b"Relu"),
            field(7, b"ai.onnx"),
            field(5, &field(5, &field(9, b"data"))),
        ]
        .concat();
        assert_eq!(check(&node(&relu)), Ok(()));
        assert_eq!(check(&model(&field(5, &[14 << 3, 0]))), Ok(()));
    }

    #[test]
    fn weights_outside_the_file_are_refused_wherever_they_are_named() {
        let external = [14 << 3, 1];
        let path = field(13, b"../../secret");
        for tensor in [&external[..], &path[..], &[14 << 3, 1, 14 << 3, 0]] {
            refused(&model(&field(5, tensor)), "outside the file");
            refused(&node(&field(5, &field(5, tensor))), "outside the file");
            refused(&node(&field(5, &field(10, tensor))), "outside the file");
        }
    }

    #[test]
    fn other_domains_inner_graphs_and_chance_are_refused() {
        refused(&node(&field(7, b"com.microsoft")), "com.microsoft");
        refused(&[model(b""), field(8, &field(1, b"evil"))].concat(), "evil");
        refused(&node(&field(4, b"Loop")), "Loop");
        refused(&node(&field(4, b"RandomNormal")), "RandomNormal");
        refused(&node(&field(5, &field(6, b""))), "graph inside");
        refused(&node(&field(5, &field(11, b""))), "graph inside");
        refused(&node(&field(5, &field(22, b""))), "sparse");
        refused(&model(&field(15, b"")), "sparse");
        refused(
            &[model(b""), field(25, b"")].concat(),
            "operators of its own",
        );
        refused(&[model(b""), field(20, b"")].concat(), "training");
    }

    #[test]
    fn a_second_graph_cannot_hide_behind_the_first() {
        let bad = field(1, &field(4, b"Loop"));
        refused(&[model(b""), field(7, &bad)].concat(), "Loop");
        refused(&[model(b""), field(7, b"")].concat(), "one graph");
    }

    #[test]
    fn other_bytes_are_refused() {
        refused(b"", "one graph");
        refused(b"<html>", "not an ONNX model");
        refused(b"\x1a\x06\0\0ORTM\0\0", "own format");
        let whole = node(&field(4, b"Relu"));
        for length in 0..whole.len() {
            assert!(check(&whole[..length]).is_err(), "cut at {length}");
        }
        refused(
            &[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
            ],
            "not an ONNX model",
        );
        refused(&[0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f], "cut off");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = check(&bytes);
        }
    }
}
