//! `.ort` files become ONNX in memory: Moonshine is published only in the format of one runtime.
//!
//! The format is a FlatBuffer of the same graph an ONNX file holds ([`flat`] reads it), with operators
//! already fused for that runtime. [`lower`] takes those apart into standard ones, which our runtime
//! fuses again in its own way, and [`proto`] writes the result. Nothing is written to disk: no hash on
//! the list would vouch for a derived file.

mod flat;
mod lower;
mod proto;

use flat::Table;
use proto::Message;

/// The bytes of an ONNX file with the graph of this `.ort` file.
///
/// # Errors
/// What is wrong with the file, in a few words.
pub(super) fn to_onnx(ort: &[u8]) -> Result<Vec<u8>, &'static str> {
    let session = Table::root(ort, b"ORTM").ok_or("it does not carry the mark of an `.ort` file")?;
    let model = session.table(1).ok_or("it holds no model")?;
    let graph = model.table(7).ok_or("it holds no graph")?;

    let mut onnx = Message::default();
    onnx.integer(1, 9);
    for import in model.tables(1).into_iter().filter(|import| import.text(0).is_empty()) {
        let mut opset = Message::default();
        opset.text(1, "");
        opset.integer(2, import.i64(1));
        onnx.message(8, &opset);
    }
    onnx.message(7, &lower::graph(graph)?);
    Ok(onnx.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_refused() {
        for bytes in [&b""[..], b"ORTM", b"\x08\0\0\0ORTM", b"\x08\0\0\0ORTM\0\0\0\0\0\0\0\0", &[0xff; 64]] {
            assert!(to_onnx(bytes).is_err(), "{bytes:?}");
        }
    }
}
