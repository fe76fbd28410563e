//! Quantised matrices and the rows of numbers they are applied to.

use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor};

use super::math;
use crate::Error;
use crate::gguf::{self, Gguf};

/// Rows of `width` numbers each.
///
/// They live in candle's own storage type so that a product takes and gives them without copying.
pub(crate) struct Rows {
    storage: CpuStorage,
    width: usize,
}

impl Rows {
    pub(crate) fn new(values: Vec<f32>, width: usize) -> Self {
        debug_assert!(values.len().is_multiple_of(width));
        Self { storage: CpuStorage::F32(values), width }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn count(&self) -> usize {
        self.values().len() / self.width
    }

    pub(crate) fn values(&self) -> &[f32] {
        match &self.storage {
            CpuStorage::F32(values) => values,
            _ => &[],
        }
    }

    pub(crate) fn values_mut(&mut self) -> &mut [f32] {
        match &mut self.storage {
            CpuStorage::F32(values) => values,
            _ => &mut [],
        }
    }

    pub(crate) fn into_values(self) -> Vec<f32> {
        match self.storage {
            CpuStorage::F32(values) => values,
            _ => Vec::new(),
        }
    }

    /// Only the last row.
    pub(crate) fn last_row(self) -> Self {
        let values = self.values();
        Self::new(values[values.len() - self.width..].to_vec(), self.width)
    }

    /// Adds `other`, number by number.
    pub(crate) fn add(&mut self, other: &Self) {
        math::add(self.values_mut(), other.values());
    }
}

/// A quantised matrix of `rows` by `columns`.
pub(crate) struct Matrix {
    weights: QTensor,
    rows: usize,
    columns: usize,
}

impl Matrix {
    /// Reads a matrix, in a format that has a fast kernel.
    pub(crate) fn read(gguf: &mut Gguf, name: &str, rows: usize, columns: usize) -> Result<Self, Error> {
        let matrix = Self::read_as_stored(gguf, name, rows, columns)?;
        if gguf::is_slow(matrix.weights.dtype()) {
            let weights = QTensor::quantize(&matrix.weights.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)?;
            return Ok(Self { weights, ..matrix });
        }
        Ok(matrix)
    }

    fn read_as_stored(gguf: &mut Gguf, name: &str, rows: usize, columns: usize) -> Result<Self, Error> {
        let weights = gguf.tensor(name)?;
        if weights.shape().dims() != [rows, columns] {
            return Err(gguf.damaged(format!("the tensor `{name}` is not {rows} by {columns}")));
        }
        Ok(Self { weights, rows, columns })
    }

    /// The product of the matrix with each row of `x`.
    pub(crate) fn apply(&self, x: &Rows) -> Result<Rows, Error> {
        let layout = Layout::contiguous(Shape::from((x.count(), self.columns)));
        let (storage, _) = self.weights.cpu_fwd(&x.storage, &layout)?;
        Ok(Rows { storage, width: self.rows })
    }
}

/// The matrix whose rows stand for the tokens.
pub(crate) struct Embedding(Matrix);

impl Embedding {
    pub(crate) fn read(gguf: &mut Gguf, name: &str, rows: usize, columns: usize) -> Result<Self, Error> {
        // Single rows are unpacked quickly from any format; only a product needs a fast kernel.
        let tied = !gguf.has_tensor("output.weight");
        let matrix = if tied { Matrix::read } else { Matrix::read_as_stored };
        matrix(gguf, name, rows, columns).map(Self)
    }

    /// One row per token.
    pub(crate) fn rows(&self, tokens: &[u32]) -> Result<Rows, Error> {
        let ids = Tensor::from_slice(tokens, tokens.len(), &Device::Cpu)?;
        let rows = self.0.weights.embedding(&ids)?.flatten_all()?.to_vec1::<f32>()?;
        Ok(Rows::new(rows, self.0.columns))
    }

    /// The same numbers as an output matrix.
    pub(crate) fn matrix(&self) -> &Matrix {
        &self.0
    }
}
