//! Writes tiny ONNX models byte by byte, so that the tests need neither Python nor a committed binary.
//!
//! Source of the numbers: `onnx.proto3`.

/// One model under construction: a chain of nodes from one input to named outputs.
pub(crate) struct Graph {
    nodes: Vec<u8>,
    weights: Vec<u8>,
    inputs: Vec<u8>,
    outputs: Vec<u8>,
}

pub(crate) const FLOAT: u64 = 1;
pub(crate) const UINT8: u64 = 2;

/// A dimension left open.
pub(crate) const OPEN: u64 = 0;

impl Graph {
    pub(crate) fn new(input: &str, element: u64, shape: &[u64]) -> Self {
        let inputs = field(11, &value_info(input, element, shape));
        Self {
            nodes: Vec::new(),
            weights: Vec::new(),
            inputs,
            outputs: Vec::new(),
        }
    }

    /// Adds an operator.
    pub(crate) fn node(
        mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: &[Vec<u8>],
    ) -> Self {
        let mut node = Vec::new();
        inputs
            .iter()
            .for_each(|input| node.extend(field(1, input.as_bytes())));
        node.extend(field(2, output.as_bytes()));
        node.extend(field(4, operator.as_bytes()));
        attributes
            .iter()
            .for_each(|attribute| node.extend(field(5, attribute)));
        self.nodes.extend(field(1, &node));
        self
    }

    /// Adds a scalar weight.
    pub(crate) fn weight(mut self, name: &str, value: f32) -> Self {
        let tensor = [
            number(2, FLOAT),
            field(8, name.as_bytes()),
            field(9, &value.to_le_bytes()),
        ]
        .concat();
        self.weights.extend(field(5, &tensor));
        self
    }

    /// Adds a weight said to lie in another file.
    pub(crate) fn external_weight(mut self, name: &str, path: &str) -> Self {
        let place = [field(1, b"location"), field(2, path.as_bytes())].concat();
        let tensor = [
            number(1, 1),
            number(2, FLOAT),
            field(8, name.as_bytes()),
            field(13, &place),
            number(14, 1),
        ];
        self.weights.extend(field(5, &tensor.concat()));
        self
    }

    pub(crate) fn output(mut self, name: &str, element: u64, shape: &[u64]) -> Self {
        self.outputs
            .extend(field(12, &value_info(name, element, shape)));
        self
    }

    /// The whole file, for operator set 13.
    pub(crate) fn build(self) -> Vec<u8> {
        let graph = [
            self.nodes,
            field(2, b"test"),
            self.weights,
            self.inputs,
            self.outputs,
        ]
        .concat();
        [number(1, 8), field(7, &graph), field(8, &number(2, 13))].concat()
    }
}

/// An attribute with one integer.
pub(crate) fn integer(name: &str, value: u64) -> Vec<u8> {
    [field(1, name.as_bytes()), number(3, value), number(20, 2)].concat()
}

/// An attribute with a list of integers.
pub(crate) fn integers(name: &str, values: &[u64]) -> Vec<u8> {
    let list: Vec<u8> = values.iter().flat_map(|value| number(8, *value)).collect();
    [field(1, name.as_bytes()), list, number(20, 7)].concat()
}

fn value_info(name: &str, element: u64, shape: &[u64]) -> Vec<u8> {
    let axis = |axis: &u64| match *axis {
        OPEN => field(1, &field(2, b"n")),
        axis => field(1, &number(1, axis)),
    };
    let shape: Vec<u8> = shape.iter().flat_map(axis).collect();
    let tensor = [number(1, element), field(2, &shape)].concat();
    [field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn field(number: u64, content: &[u8]) -> Vec<u8> {
    [
        varint(number << 3 | 2),
        varint(content.len().try_into().unwrap()),
        content.to_vec(),
    ]
    .concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}
