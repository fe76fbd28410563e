//! Quantised matrices and the rows of numbers they are applied to.

use candle_core::quantized::{GgmlDType, QStorage, QTensor};
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Shape, Tensor};

use super::math;
use super::tiles::Tiled;
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
    weights: Weights,
    rows: usize,
    columns: usize,
}

/// The weights of a matrix: in a layout of our own if there is one, else as the file has them, for candle.
enum Weights {
    Tiled(Tiled),
    Stored(QTensor),
}

impl Matrix {
    /// Reads a matrix, in a format that has a fast kernel.
    pub(crate) fn read(gguf: &mut Gguf, name: &str, rows: usize, columns: usize) -> Result<Self, Error> {
        let mut weights = stored(gguf, name, rows, columns)?;
        if gguf::is_slow(weights.dtype()) {
            weights = QTensor::quantize(&weights.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)?;
        }
        let tiled = Tiled::new(weights.dtype(), &weights.data()?, rows, columns);
        Ok(Self { weights: tiled.map_or(Weights::Stored(weights), Weights::Tiled), rows, columns })
    }

    /// Puts the rows of `other` below its own, or gives it back if that is in another format.
    fn append(&mut self, other: Self) -> Result<Option<Self>, Error> {
        let more = other.rows;
        match (&mut self.weights, other.weights) {
            (Weights::Tiled(tiled), Weights::Tiled(below)) => {
                if let Err(below) = tiled.append(below) {
                    return Ok(Some(Self { weights: Weights::Tiled(below), ..other }));
                }
            }
            (Weights::Stored(stored), Weights::Stored(below)) if stored.dtype() == below.dtype() => {
                let mut bytes = stored.data()?.into_owned();
                bytes.extend_from_slice(&below.data()?);
                let storage = QStorage::from_data(bytes.into(), &Device::Cpu, below.dtype())?;
                *stored = QTensor::new(storage, (self.rows + more, self.columns))?;
            }
            (_, weights) => return Ok(Some(Self { weights, ..other })),
        }
        self.rows += more;
        Ok(None)
    }

    /// The product of the matrix with each row of `x`.
    pub(crate) fn apply(&self, x: &Rows) -> Result<Rows, Error> {
        match &self.weights {
            Weights::Tiled(tiled) => Ok(Rows::new(tiled.apply(x.values()), self.rows)),
            Weights::Stored(stored) => {
                let layout = Layout::contiguous(Shape::from((x.count(), self.columns)));
                let (storage, _) = stored.cpu_fwd(&x.storage, &layout)?;
                Ok(Rows { storage, width: self.rows })
            }
        }
    }
}

/// A matrix as the file has it.
fn stored(gguf: &mut Gguf, name: &str, rows: usize, columns: usize) -> Result<QTensor, Error> {
    let weights = gguf.tensor(name)?;
    if weights.shape().dims() != [rows, columns] {
        return Err(gguf.damaged(format!("the tensor `{name}` is not {rows} by {columns}")));
    }
    Ok(weights)
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
            let apart = match stack.matrices.last_mut() {
                Some(last) => last.append(matrix)?,
                None => Some(matrix),
            };
            stack.matrices.extend(apart);
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
        let tied = !gguf.has_tensor("output.weight");
        if tied {
            return Matrix::read(gguf, name, rows, columns).map(Self);
        }
        // Single rows are unpacked quickly from any format; only a product needs a fast kernel.
        let weights = Weights::Stored(stored(gguf, name, rows, columns)?);
        Ok(Self(Matrix { weights, rows, columns }))
    }

    /// One row per token.
    pub(crate) fn rows(&self, tokens: &[u32]) -> Result<Rows, Error> {
        let Matrix { weights, rows, columns } = &self.0;
        let numbers = match weights {
            Weights::Tiled(tiled) => {
                let mut numbers = Vec::with_capacity(tokens.len() * columns);
                for token in tokens {
                    let row = usize::try_from(*token).ok().filter(|row| row < rows);
                    tiled.unpack(row.ok_or_else(|| Error::broken("no such token"))?, &mut numbers);
                }
                numbers
            }
            Weights::Stored(stored) => {
                let ids = Tensor::from_slice(tokens, tokens.len(), &Device::Cpu)?;
                stored.embedding(&ids)?.flatten_all()?.to_vec1::<f32>()?
            }
        };
        Ok(Rows::new(numbers, *columns))
    }

    /// The same numbers as an output matrix.
    pub(crate) fn matrix(&self) -> &Matrix {
        &self.0
    }
}
