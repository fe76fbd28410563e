//! From the fused graph of an `.ort` file to a graph of standard operators.
//!
//! Besides taking fused operators apart this does one more thing: 8-bit weights of matrix products
//! become signed, because the runtime multiplies unsigned activations by signed weights only. A weight
//! used elsewhere too keeps its unsigned form beside the signed one.

use std::collections::{HashMap, HashSet};

use super::{flat::Table, proto::Message};

/// Numbers of data types in both formats.
const FLOAT: i64 = 1;
const UINT8: i64 = 2;
const INT8: i64 = 3;
/// Graphs within graphs (branches) go no deeper than this.
const DEEPEST: usize = 4;
/// More operators than any model read here has.
const MOST_NODES: usize = 50_000;

/// The ONNX graph of an `.ort` graph.
pub(super) fn graph(source: Table) -> Result<Message, &'static str> {
    let mut uses = Uses::default();
    uses.collect(source, 0)?;
    let mut lowering = Lowering { uses, names: 0 };
    lowering.graph(source, true)
}

/// One operator of the `.ort` file.
struct Node<'a> {
    operator: &'a str,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    attributes: Vec<Table<'a>>,
}

impl<'a> Node<'a> {
    fn read(table: Table<'a>) -> Self {
        Self {
            operator: table.text(5),
            inputs: table.texts(8),
            outputs: table.texts(9),
            attributes: table.tables(10),
        }
    }

    fn input(&self, index: usize) -> &'a str {
        self.inputs.get(index).copied().unwrap_or_default()
    }

    fn attribute(&self, name: &str) -> Option<Table<'a>> {
        self.attributes.iter().copied().find(|attribute| attribute.text(0) == name)
    }

    fn float(&self, name: &str, otherwise: f32) -> f32 {
        self.attribute(name).map_or(otherwise, |attribute| attribute.f32(3))
    }

    fn flag(&self, name: &str) -> bool {
        self.attribute(name).is_some_and(|attribute| attribute.i64(4) != 0)
    }

    /// Where the 8-bit weight and its zero point are among the inputs, for products of 8-bit numbers.
    fn weight(&self) -> Option<(usize, usize)> {
        match self.operator {
            "MatMulIntegerToFloat" => Some((1, 5)),
            "DynamicQuantizeMatMul" => Some((1, 3)),
            _ => None,
        }
    }

    fn branches(&self) -> impl Iterator<Item = Table<'a>> {
        self.attributes.iter().filter_map(|attribute| attribute.table(7))
    }
}

/// Which names stand for unsigned 8-bit weights, and who uses them.
#[derive(Default)]
struct Uses<'a> {
    unsigned: HashSet<&'a str>,
    as_weight: HashSet<&'a str>,
    otherwise: HashSet<&'a str>,
    nodes: usize,
}

impl<'a> Uses<'a> {
    fn collect(&mut self, graph: Table<'a>, depth: usize) -> Result<(), &'static str> {
        if depth > DEEPEST {
            return Err("its branches nest too deeply");
        }
        self.unsigned.extend(
            graph
                .tables(0)
                .iter()
                .filter(|tensor| i64::from(tensor.i32(3)) == UINT8)
                .map(|tensor| tensor.text(0)),
        );
        for table in graph.tables(2) {
            self.nodes += 1;
            if self.nodes > MOST_NODES {
                return Err("it has too many operators");
            }
            let node = Node::read(table);
            let weight = node.weight();
            for (index, name) in node.inputs.iter().enumerate() {
                let as_weight = weight.is_some_and(|(at, zero)| index == at || index == zero);
                if as_weight { &mut self.as_weight } else { &mut self.otherwise }.insert(name);
            }
            for branch in node.branches() {
                self.collect(branch, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Whether the weight of this name becomes signed.
    fn signed(&self, name: &str) -> bool {
        self.unsigned.contains(name) && self.as_weight.contains(name)
    }
}

fn signed_name(name: &str) -> String {
    format!("{name}/signed")
}

struct Lowering<'a> {
    uses: Uses<'a>,
    names: usize,
}

/// What is written of a graph so far.
#[derive(Default)]
struct Written {
    message: Message,
}

impl Written {
    fn node(&mut self, operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Message]) {
        let mut node = Message::default();
        for input in inputs {
            node.text(1, input);
        }
        for output in outputs {
            node.text(2, output);
        }
        node.text(4, operator);
        for attribute in attributes {
            node.message(5, attribute);
        }
        self.message.message(1, &node);
    }

    fn constant(&mut self, name: &str, kind: i64, dims: &[i64], raw: &[u8]) {
        self.message.message(5, &tensor(name, kind, dims, raw));
    }
}

impl<'a> Lowering<'a> {
    fn fresh(&mut self) -> String {
        self.names += 1;
        format!("lowered/{}", self.names)
    }

    fn graph(&mut self, source: Table<'a>, outermost: bool) -> Result<Message, &'static str> {
        let mut written = Written::default();
        written.message.text(2, "graph");
        let constants = source.tables(0);
        for constant in &constants {
            let (name, dims, raw) = (constant.text(0), constant.i64s(2), constant.bytes(4));
            let signed = self.uses.signed(name);
            if signed {
                let moved: Vec<u8> = raw.iter().map(|byte| byte ^ 0x80).collect();
                written.constant(&signed_name(name), INT8, &dims, &moved);
            }
            if !signed || self.uses.otherwise.contains(name) {
                written.constant(name, i64::from(constant.i32(3)), &dims, raw);
            }
        }
        let nodes = in_order(source.tables(2).into_iter().map(Node::read).collect());
        for node in &nodes {
            self.node(node, &mut written)?;
        }
        let known: HashSet<&str> = constants.iter().map(|constant| constant.text(0)).collect();
        if outermost {
            for input in source.texts(5).into_iter().filter(|name| !known.contains(name)) {
                written.message.message(11, &named(input));
            }
        }
        for output in source.texts(6) {
            written.message.message(12, &named(output));
        }
        Ok(written.message)
    }

    fn node(&mut self, node: &Node<'a>, to: &mut Written) -> Result<(), &'static str> {
        let output = *node.outputs.first().ok_or("an operator without an output")?;
        match node.operator {
            "MatMulIntegerToFloat" => {
                let [a, b, scale_a, scale_b, zero_a, zero_b, bias] = std::array::from_fn(|at| node.input(at));
                self.product(to, [a, b, scale_a, scale_b, zero_a, zero_b, bias], output);
            }
            "DynamicQuantizeMatMul" => {
                let [a, b, scale_b, zero_b, bias] = std::array::from_fn(|at| node.input(at));
                let [bytes, scale_a, zero_a] = std::array::from_fn(|_| self.fresh());
                to.node("DynamicQuantizeLinear", &[a], &[&bytes, &scale_a, &zero_a], &[]);
                self.product(to, [&bytes, b, &scale_a, scale_b, &zero_a, zero_b, bias], output);
            }
            "FusedMatMul" => self.scaled_product(node, to, output)?,
            "FusedConv" => {
                let inner = self.fresh();
                let activation = node.attribute("activation").map_or("", |attribute| attribute.text(5));
                let kept = node.attributes.iter().filter(|one| !one.text(0).starts_with("activation"));
                let kept: Vec<Message> = kept.map(|one| self.attribute(*one)).collect::<Result<_, _>>()?;
                to.node(
                    "Conv",
                    node.inputs.get(..3.min(node.inputs.len())).unwrap_or_default(),
                    &[&inner],
                    &kept,
                );
                to.node(activation, &[&inner], &[output], &[]);
            }
            "SkipLayerNormalization" => {
                let sum = self.fresh();
                to.node("Add", &[node.input(0), node.input(1)], &[&sum], &[]);
                let attributes = [int("axis", -1), float("epsilon", node.float("epsilon", 1e-5))];
                to.node("LayerNormalization", &[&sum, node.input(2), node.input(3)], &[output], &attributes);
            }
            "QuickGelu" => {
                to.node("Swish", &[node.input(0)], &[output], &[float("alpha", node.float("alpha", 1.702))]);
            }
            _ => {
                let attributes: Vec<Message> =
                    node.attributes.iter().map(|one| self.attribute(*one)).collect::<Result<_, _>>()?;
                to.node(node.operator, &node.inputs, &node.outputs, &attributes);
            }
        }
        Ok(())
    }

    /// `(a - zero_a) (b - zero_b) scale_a scale_b + bias`, computed with 8-bit numbers.
    fn product(&mut self, to: &mut Written, inputs: [&str; 7], output: &str) {
        let [a, b, scale_a, scale_b, zero_a, zero_b, bias] = inputs;
        let (mut weight, mut zero) = (b.to_owned(), zero_b.to_owned());
        if self.uses.signed(b) {
            weight = signed_name(b);
            zero = if zero_b.is_empty() { self.fresh() } else { signed_name(zero_b) };
            if zero_b.is_empty() {
                to.constant(&zero, INT8, &[], &[0x80]);
            }
        }
        let [whole, real, scale, scaled] = std::array::from_fn(|_| self.fresh());
        to.node("MatMulInteger", &[a, &weight, zero_a, &zero], &[&whole], &[]);
        to.node("Cast", &[&whole], &[&real], &[int("to", FLOAT)]);
        to.node("Mul", &[scale_a, scale_b], &[&scale], &[]);
        if bias.is_empty() {
            to.node("Mul", &[&real, &scale], &[output], &[]);
        } else {
            to.node("Mul", &[&real, &scale], &[&scaled], &[]);
            to.node("Add", &[&scaled, bias], &[output], &[]);
        }
    }

    /// A product of which an operand may be turned and the result scaled.
    fn scaled_product(&mut self, node: &Node, to: &mut Written, output: &str) -> Result<(), &'static str> {
        if node.flag("transBatchA") || node.flag("transBatchB") {
            return Err("a product over turned batches");
        }
        let mut operands = [node.input(0).to_owned(), node.input(1).to_owned()];
        for (operand, turned) in operands.iter_mut().zip(["transA", "transB"]) {
            if node.flag(turned) {
                let fresh = self.fresh();
                to.node("Transpose", &[&*operand], &[&fresh], &[ints("perm", &[0, 1, 3, 2])]);
                *operand = fresh;
            }
        }
        let alpha = node.float("alpha", 1.0);
        let [plain, factor] = std::array::from_fn(|_| self.fresh());
        to.node("MatMul", &[&operands[0], &operands[1]], &[&plain], &[]);
        to.constant(&factor, FLOAT, &[], &alpha.to_le_bytes());
        to.node("Mul", &[&plain, &factor], &[output], &[]);
        Ok(())
    }

    fn attribute(&mut self, source: Table<'a>) -> Result<Message, &'static str> {
        let name = source.text(0);
        Ok(match source.i32(2) {
            1 => float(name, source.f32(3)),
            2 => int(name, source.i64(4)),
            3 => {
                let mut attribute = attribute(name, 3);
                attribute.text(4, source.text(5));
                attribute
            }
            4 => {
                let value = source.table(6).ok_or("an attribute without its tensor")?;
                let mut attribute = attribute(name, 4);
                let kind = i64::from(value.i32(3));
                attribute.message(5, &tensor("", kind, &value.i64s(2), value.bytes(4)));
                attribute
            }
            5 => {
                let branch = source.table(7).ok_or("an attribute without its graph")?;
                let mut attribute = attribute(name, 5);
                attribute.message(6, &self.graph(branch, false)?);
                attribute
            }
            6 => {
                let mut attribute = attribute(name, 6);
                source.f32s(8).into_iter().for_each(|value| attribute.float(7, value));
                attribute
            }
            7 => ints(name, &source.i64s(9)),
            _ => return Err("an attribute of a kind this program does not read"),
        })
    }
}

/// The nodes in an order in which each comes after what it needs; the file keeps no such order.
fn in_order(nodes: Vec<Node>) -> Vec<Node> {
    let mut makers = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        makers.extend(node.outputs.iter().filter(|name| !name.is_empty()).map(|name| (*name, index)));
    }
    let needs: Vec<Vec<usize>> = nodes
        .iter()
        .map(|node| {
            let mut names = node.inputs.clone();
            node.branches().for_each(|branch| mentioned(branch, &mut names, 0));
            names.iter().filter_map(|name| makers.get(name).copied()).collect()
        })
        .collect();
    let mut order = Vec::with_capacity(nodes.len());
    let mut begun = vec![false; nodes.len()];
    for first in 0..nodes.len() {
        // Depth first, with a stack of our own: a chain may be thousands of operators long.
        let mut stack = vec![(first, 0)];
        if std::mem::replace(&mut begun[first], true) {
            continue;
        }
        while let Some((node, done)) = stack.pop() {
            match needs[node].get(done) {
                None => order.push(node),
                Some(need) => {
                    stack.push((node, done + 1));
                    if !std::mem::replace(&mut begun[*need], true) {
                        stack.push((*need, 0));
                    }
                }
            }
        }
    }
    let mut nodes: Vec<Option<Node>> = nodes.into_iter().map(Some).collect();
    order.into_iter().filter_map(|index| nodes.get_mut(index).and_then(Option::take)).collect()
}

/// Every name a branch reads, whoever makes it.
fn mentioned<'a>(graph: Table<'a>, names: &mut Vec<&'a str>, depth: usize) {
    for node in graph.tables(2).into_iter().map(Node::read) {
        names.extend(&node.inputs);
        if depth < DEEPEST {
            node.branches().for_each(|branch| mentioned(branch, names, depth + 1));
        }
    }
    names.extend(graph.texts(6));
}

fn named(name: &str) -> Message {
    let mut value = Message::default();
    value.text(1, name);
    value
}

fn tensor(name: &str, kind: i64, dims: &[i64], raw: &[u8]) -> Message {
    let mut tensor = Message::default();
    for size in dims {
        tensor.integer(1, *size);
    }
    tensor.integer(2, kind);
    tensor.text(8, name);
    tensor.bytes(9, raw);
    tensor
}

fn attribute(name: &str, kind: i64) -> Message {
    let mut attribute = Message::default();
    attribute.text(1, name);
    attribute.integer(20, kind);
    attribute
}

fn float(name: &str, value: f32) -> Message {
    let mut attribute = attribute(name, 1);
    attribute.float(2, value);
    attribute
}

fn int(name: &str, value: i64) -> Message {
    let mut attribute = attribute(name, 2);
    attribute.integer(3, value);
    attribute
}

fn ints(name: &str, values: &[i64]) -> Message {
    let mut attribute = attribute(name, 7);
    for value in values {
        attribute.integer(8, *value);
    }
    attribute
}
