//! Quantised matrices and the rows of numbers they are applied to.

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
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

    /// `width` columns from `from` on, with `bias` added.
    fn columns(&self, from: usize, width: usize, bias: Option<&[f32]>) -> Self {
        let mut values = Vec::with_capacity(self.count() * width);
        for row in self.values().chunks_exact(self.width) {
            values.extend_from_slice(&row[from..from + width]);
        }
        if let Some(bias) = bias {
            for row in values.chunks_exact_mut(width) {
                math::add(row, bias);
            }
        }
        Self::new(values, width)
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

    /// Puts the rows of `other`, of the same format, below its own.
    fn append(&mut self, other: &Self) -> Result<(), Error> {
        let mut bytes = self.weights.data()?.into_owned();
        bytes.extend_from_slice(&other.weights.data()?);
        let format = self.weights.dtype();
        let storage = QStorage::from_data(bytes.into(), &Device::Cpu, format)?;
        self.rows += other.rows;
        self.weights = QTensor::new(storage, (self.rows, self.columns))?;
        Ok(())
    }

    /// The product of the matrix with each row of `x`.
    pub(crate) fn apply(&self, x: &Rows) -> Result<Rows, Error> {
        let layout = Layout::contiguous(Shape::from((x.count(), self.columns)));
        let (storage, _) = self.weights.cpu_fwd(&x.storage, &layout)?;
        Ok(Rows { storage, width: self.rows })
    }
}

/// Matrices applied to the same rows, each with an optional bias; neighbours of one format are multiplied as one.
///
/// Fewer, larger products matter most on a busy machine, where at the end of each one thread waits for another.
pub(crate) struct Stack {
    matrices: Vec<Matrix>,
    biases: Vec<Option<Vec<f32>>>,
    widths: Vec<usize>,
}

impl Stack {
    /// Reads `parts`, each a name without `.weight` and a number of rows.
    pub(crate) fn read(gguf: &mut Gguf, parts: &[(String, usize)], columns: usize) -> Result<Self, Error> {
        let mut stack = Self { matrices: Vec::new(), biases: Vec::new(), widths: Vec::new() };
        for (name, rows) in parts {
            let matrix = Matrix::read(gguf, &format!("{name}.weight"), *rows, columns)?;
            match stack.matrices.last_mut() {
                Some(last) if last.weights.dtype() == matrix.weights.dtype() => last.append(&matrix)?,
                _ => stack.matrices.push(matrix),
            }
            let bias = format!("{name}.bias");
            stack.biases.push(if gguf.has_tensor(&bias) { Some(gguf.vector(&bias, *rows)?) } else { None });
            stack.widths.push(*rows);
        }
        Ok(stack)
    }

    /// The products, in the order of the parts.
    pub(crate) fn apply<const N: usize>(&self, x: &Rows) -> Result<[Rows; N], Error> {
        let mut parts = self.widths.iter().zip(&self.biases);
        let mut done = Vec::with_capacity(N);
        for matrix in &self.matrices {
            let product = matrix.apply(x)?;
            let mut from = 0;
            while from < matrix.rows {
                let (width, bias) = parts.next().ok_or_else(|| Error::broken("rows do not add up"))?;
                done.push(product.columns(from, *width, bias.as_deref()));
                from += width;
            }
        }
        done.try_into().map_err(|_| Error::broken("rows do not add up"))
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
