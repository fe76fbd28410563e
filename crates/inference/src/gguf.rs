//! Opening a GGUF file: its table of contents, checked against the file itself.
//!
//! GGUF (the ggml project's model format, versions 1 to 3) is a header of metadata and tensor
//! descriptions followed by the tensors. Everything read here comes from a file somebody may have cut short
//! or damaged, so sizes are checked before they are used, and every failure says what to do.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use candle_core::Device;
use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::quantized::{GgmlDType, QTensor};

use crate::Error;

/// An open model file whose tensors are all present.
pub(crate) struct Gguf {
    path: PathBuf,
    file: BufReader<File>,
    content: Content,
}

impl Gguf {
    /// Opens `path` and checks that every tensor it promises lies inside it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let unreadable = |source| Error::Unreadable { path: path.into(), source };
        let not_a_model = |what: String| Error::NotAModel { path: path.into(), what };

        let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(unreadable)?);
        let present = file.get_ref().metadata().map_err(unreadable)?.len();
        let mut magic = [0; 4];
        if file.read_exact(&mut magic).is_err() || &magic != b"GGUF" {
            return Err(not_a_model("it does not begin like a GGUF file".into()));
        }
        file.rewind().map_err(unreadable)?;
        let content = Content::read(&mut file)
            .map_err(|_| not_a_model("its table of contents is damaged or cut short".into()))?;

        let needed =
            end_of_tensors(&content).ok_or_else(|| not_a_model("a tensor has an impossible size".into()))?;
        if present < needed {
            return Err(Error::CutShort { path: path.into(), present, needed });
        }
        Ok(Self { path: path.into(), file, content })
    }

    /// The error for something this program does not run.
    pub(crate) fn unsupported(&self, what: impl Into<String>) -> Error {
        Error::Unsupported { path: self.path.clone(), what: what.into() }
    }

    /// The error for metadata that is missing or makes no sense.
    pub(crate) fn damaged(&self, what: impl Into<String>) -> Error {
        Error::NotAModel { path: self.path.clone(), what: what.into() }
    }

    /// A text in the metadata.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.content.metadata.get(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// A whole number in the metadata, however wide it was written.
    pub(crate) fn number(&self, key: &str) -> Option<usize> {
        whole(self.content.metadata.get(key)?)
    }

    /// A whole number the model cannot do without.
    pub(crate) fn needed_number(&self, key: &str) -> Result<usize, Error> {
        self.number(key).ok_or_else(|| self.damaged(format!("`{key}` is missing")))
    }

    /// A real number in the metadata.
    pub(crate) fn real(&self, key: &str) -> Option<f32> {
        self.content.metadata.get(key)?.to_f32().ok()
    }

    /// A list of texts in the metadata.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<&str>, Error> {
        let missing = || self.damaged(format!("`{key}` is missing or not a list of texts"));
        let Some(Value::Array(values)) = self.content.metadata.get(key) else { return Err(missing()) };
        values
            .iter()
            .map(|value| match value {
                Value::String(text) => Ok(text.as_str()),
                _ => Err(missing()),
            })
            .collect()
    }

    /// A list of whole numbers in the metadata; empty if it is not there.
    pub(crate) fn numbers(&self, key: &str) -> Vec<usize> {
        match self.content.metadata.get(key) {
            Some(Value::Array(values)) => values.iter().filter_map(whole).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether the file has a tensor called `name`.
    pub(crate) fn has_tensor(&self, name: &str) -> bool {
        self.content.tensor_infos.contains_key(name)
    }

    /// A tensor, as quantised in the file.
    pub(crate) fn tensor(&mut self, name: &str) -> Result<QTensor, Error> {
        if !self.has_tensor(name) {
            return Err(self.damaged(format!("the tensor `{name}` is missing")));
        }
        self.content
            .tensor(&mut self.file, name, &Device::Cpu)
            .map_err(|error| self.damaged(format!("the tensor `{name}` cannot be read: {error}")))
    }

    /// A vector of `length` numbers, unpacked.
    pub(crate) fn vector(&mut self, name: &str, length: usize) -> Result<Vec<f32>, Error> {
        let numbers = self.tensor(name)?.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        if numbers.len() != length {
            return Err(
                self.damaged(format!("the tensor `{name}` has {} numbers, not {length}", numbers.len()))
            );
        }
        Ok(numbers)
    }
}

/// The first byte after the last tensor, or `None` if a size overflows.
fn end_of_tensors(content: &Content) -> Option<u64> {
    let mut end = content.tensor_data_offset;
    for info in content.tensor_infos.values() {
        let numbers = info.shape.dims().iter().try_fold(1_usize, |all, dim| all.checked_mul(*dim))?;
        let block = info.ggml_dtype.block_size();
        if !numbers.is_multiple_of(block) {
            return None;
        }
        let bytes = (numbers / block).checked_mul(info.ggml_dtype.type_size())?;
        end = end.max(content.tensor_data_offset.checked_add(info.offset)?.checked_add(bytes as u64)?);
    }
    Some(end)
}

/// Whether candle multiplies this format one number at a time, several times slower than it could.
pub(crate) fn is_slow(format: GgmlDType) -> bool {
    matches!(format, GgmlDType::Q5_0 | GgmlDType::Q4_1 | GgmlDType::Q5_1)
}

fn whole(value: &Value) -> Option<usize> {
    match *value {
        Value::U8(n) => Some(n.into()),
        Value::U16(n) => Some(n.into()),
        Value::U32(n) => usize::try_from(n).ok(),
        Value::U64(n) => usize::try_from(n).ok(),
        Value::I8(n) => usize::try_from(n).ok(),
        Value::I16(n) => usize::try_from(n).ok(),
        Value::I32(n) => usize::try_from(n).ok(),
        Value::I64(n) => usize::try_from(n).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tiny;

    fn refusal(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.gguf");
        std::fs::write(&path, bytes).unwrap();
        Gguf::open(&path).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_whole_file_is_opened_and_a_cut_one_refused() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = std::fs::read(tiny::write(folder.path(), tiny::Style::Qwen)).unwrap();
        assert_eq!(refusal(&bytes), "");
        assert!(refusal(&bytes[..bytes.len() - 200]).contains("is cut short"));
        assert!(refusal(&bytes[..300]).contains("table of contents is damaged or cut short"));
        assert!(refusal(b"GG").contains("does not begin like a GGUF file"));
        assert!(refusal(b"<!doctype html><title>404</title>").contains("does not begin like a GGUF file"));
    }

    #[test]
    fn a_missing_file_says_so() {
        let error = Gguf::open(Path::new("/nowhere/model.gguf")).err().unwrap();
        assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    }

    #[test]
    fn no_damage_to_the_header_panics() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = std::fs::read(tiny::write(folder.path(), tiny::Style::Qwen)).unwrap();
        for at in 4..400 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0xff;
            let _ = refusal(&damaged);
        }
    }
}
