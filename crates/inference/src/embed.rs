//! Sentence embeddings: text to a unit vector whose neighbours mean similar things.
//!
//! The model is a sentence-transformers style encoder in ONNX form; its token vectors are averaged
//! (mean pooling over the attention mask) and scaled to length one, so a dot product is the cosine.

use std::path::Path;

use rten::{Model, ModelOptions, NodeId, OpRegistry, ValueOrView};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use tokenizers::{Tokenizer, TruncationParams};

use crate::Error;

/// Longest text, in tokens; the rest is cut off. The model was trained on 128 and bears 512.
const MOST_TOKENS: usize = 256;
/// Texts computed at once: bounds memory, not the caller.
const BATCH: usize = 16;

/// A loaded embedding model. Shareable; a call blocks while it computes.
pub struct Embedder {
    model: Model,
    tokenizer: Tokenizer,
    inputs: Vec<(NodeId, Input)>,
    output: NodeId,
    dimensions: usize,
}

/// What an input of the model wants.
#[derive(Clone, Copy)]
enum Input {
    Ids,
    Mask,
    Types,
}

impl Embedder {
    /// Reads the ONNX model and the tokenizer beside it (`tokenizer.json`).
    ///
    /// # Errors
    /// [`Error::Unreadable`], [`Error::NotAModel`], or [`Error::Unsupported`] if the model does not
    /// take token ids and give one vector per token.
    pub fn load(model: &Path, tokenizer: &Path) -> Result<Self, Error> {
        let read = |path: &Path| {
            std::fs::read(path).map_err(|source| Error::Unreadable { path: path.into(), source })
        };
        let not_a_model = |path: &Path, what: String| Error::NotAModel { path: path.into(), what };

        let mut words = Tokenizer::from_bytes(read(tokenizer)?)
            .map_err(|error| not_a_model(tokenizer, error.to_string()))?;
        words.with_padding(None);
        words
            .with_truncation(Some(TruncationParams { max_length: MOST_TOKENS, ..Default::default() }))
            .map_err(Error::broken)?;

        let graph = ModelOptions::with_ops(OpRegistry::with_all_ops())
            .load(read(model)?)
            .map_err(|error| not_a_model(model, error.to_string()))?;
        let unsupported = |what: &str| Error::Unsupported { path: model.into(), what: what.into() };
        let mut inputs = Vec::new();
        for id in graph.input_ids() {
            let name =
                graph.node_info(*id).and_then(|node| node.name().map(str::to_owned)).unwrap_or_default();
            let input = match name.as_str() {
                "input_ids" => Input::Ids,
                "attention_mask" => Input::Mask,
                "token_type_ids" => Input::Types,
                _ => return Err(unsupported("an input that is not token ids, mask or types")),
            };
            inputs.push((*id, input));
        }
        let output = *graph.output_ids().first().ok_or_else(|| unsupported("no output"))?;

        let mut embedder = Self { model: graph, tokenizer: words, inputs, output, dimensions: 0 };
        embedder.dimensions = embedder.embed(&["a"])?.first().map_or(0, Vec::len);
        if embedder.dimensions == 0 {
            return Err(unsupported("an empty vector"));
        }
        Ok(embedder)
    }

    /// Numbers in each vector.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// One unit vector per text, in order. Long texts are cut after 256 tokens.
    ///
    /// # Errors
    /// [`Error::Broken`] if the runtime fails.
    pub fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            self.embed_batch(batch, &mut vectors)?;
        }
        Ok(vectors)
    }

    fn embed_batch(&self, texts: &[&str], vectors: &mut Vec<Vec<f32>>) -> Result<(), Error> {
        let mut rows = Vec::with_capacity(texts.len());
        for text in texts {
            rows.push(self.tokenizer.encode(*text, true).map_err(Error::broken)?.get_ids().to_vec());
        }
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let shape = [rows.len(), width];
        let ids: NdTensor<i32, 2> =
            NdTensor::from_fn(shape, |[row, at]| rows[row].get(at).map_or(0, |id| id.cast_signed()));
        let mask: NdTensor<i32, 2> = NdTensor::from_fn(shape, |[row, at]| i32::from(at < rows[row].len()));
        let types: NdTensor<i32, 2> = NdTensor::zeros(shape);

        let inputs = self.inputs.iter().map(|(id, input)| {
            let tensor = match input {
                Input::Ids => ids.view(),
                Input::Mask => mask.view(),
                Input::Types => types.view(),
            };
            (*id, ValueOrView::from(tensor))
        });
        let mut outputs = self.model.run(inputs.collect(), &[self.output], None).map_err(Error::broken)?;
        let states: Tensor<f32> =
            outputs.pop().ok_or_else(|| Error::broken("no output"))?.try_into().map_err(Error::broken)?;
        let states: NdTensor<f32, 3> =
            states.try_into().map_err(|_| Error::broken("an output without tokens"))?;
        for (row, tokens) in rows.iter().enumerate() {
            vectors.push(pooled(tokens.len(), states.size(2), |token, dimension| {
                states[[row, token, dimension]]
            }));
        }
        Ok(())
    }
}

/// The mean of the token vectors, scaled to length one.
fn pooled(tokens: usize, dimensions: usize, at: impl Fn(usize, usize) -> f32) -> Vec<f32> {
    let mut vector: Vec<f32> =
        (0..dimensions).map(|dimension| (0..tokens).map(|token| at(token, dimension)).sum()).collect();
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    for x in &mut vector {
        *x /= length;
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_averages_and_normalises() {
        let rows = [[3.0, 0.0], [0.0, 4.0], [99.0, 99.0]];
        assert_eq!(pooled(2, 2, |token, dimension| rows[token][dimension]), vec![0.6, 0.8]);
        assert_eq!(pooled(1, 2, |_, _| 0.0), vec![0.0, 0.0]);
    }
}
