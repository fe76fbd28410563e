//! One ONNX graph and how it is asked: the only place of the speech room that knows the runtime's loading.
//!
//! Weights are never prepacked: the runtime computes nonsense with prepacked 8-bit weights.

use std::path::Path;

use rten::{Model, ModelOptions, NodeId, OpRegistry, Value, ValueOrView};
use rten_tensor::Tensor;

use crate::Error;

/// A loaded graph. Shareable; a run blocks while it computes.
pub(super) struct Graph {
    model: Model,
}

/// The bytes of a model file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|source| Error::Unreadable { path: path.into(), source })
}

/// The error for a file that is not what it should be.
pub(super) fn not_a_model(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::NotAModel { path: path.into(), what: what.to_string() }
}

impl Graph {
    /// Reads an ONNX file.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        Self::build(read(path)?, path)
    }

    /// Takes ONNX bytes; `path` is the file they come from.
    pub(super) fn build(onnx: Vec<u8>, path: &Path) -> Result<Self, Error> {
        ModelOptions::with_ops(OpRegistry::with_all_ops())
            .load(onnx)
            .map(|model| Self { model })
            .map_err(|error| not_a_model(path, error))
    }

    /// The input or output called `name`.
    pub(super) fn id(&self, name: &str, path: &Path) -> Result<NodeId, Error> {
        self.model.find_node(name).ok_or_else(|| not_a_model(path, format_args!("it has no `{name}`")))
    }

    /// Computes `outputs` from `inputs`.
    pub(super) fn run(
        &self,
        inputs: Vec<(NodeId, ValueOrView)>,
        outputs: &[NodeId],
    ) -> Result<Vec<Value>, Error> {
        self.model.run(inputs, outputs, None).map_err(Error::broken)
    }
}

/// An output that must hold floating-point numbers.
pub(super) fn floats(value: Option<Value>) -> Result<Tensor<f32>, Error> {
    value.ok_or_else(|| Error::broken("an output is missing"))?.try_into().map_err(Error::broken)
}
