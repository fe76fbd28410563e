//! Reads FlatBuffers: tables of optional fields, found by number.
//!
//! Only what the `.ort` format needs. Every offset is checked: what does not lie inside the bytes is
//! not there, and reading never fails, loops or panics. The fields' numbers stand in [`super::lower`].

use std::ops::Range;

/// A table within the bytes of a file.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Table<'a> {
    /// The outermost table, if the file carries `mark` as its identifier.
    pub(super) fn root(bytes: &'a [u8], mark: &[u8; 4]) -> Option<Self> {
        (bytes.get(4..8)? == mark).then_some(())?;
        let at = follow(bytes, 0)?;
        Some(Self { bytes, at })
    }

    /// Where the value of a field begins.
    fn slot(self, field: usize) -> Option<usize> {
        let back = i32::from_le_bytes(array(self.bytes, self.at)?);
        let names = usize::try_from(i64::try_from(self.at).ok()? - i64::from(back)).ok()?;
        let length = usize::from(u16::from_le_bytes(array(self.bytes, names)?));
        let entry = 4 + 2 * field;
        if entry + 2 > length {
            return None;
        }
        let offset = usize::from(u16::from_le_bytes(array(self.bytes, names.checked_add(entry)?)?));
        (offset != 0).then_some(self.at.checked_add(offset)?)
    }

    pub(super) fn i32(self, field: usize) -> i32 {
        self.slot(field).and_then(|at| array(self.bytes, at)).map_or(0, i32::from_le_bytes)
    }

    pub(super) fn i64(self, field: usize) -> i64 {
        self.slot(field).and_then(|at| array(self.bytes, at)).map_or(0, i64::from_le_bytes)
    }

    pub(super) fn f32(self, field: usize) -> f32 {
        self.slot(field).and_then(|at| array(self.bytes, at)).map_or(0.0, f32::from_le_bytes)
    }

    pub(super) fn table(self, field: usize) -> Option<Self> {
        let at = follow(self.bytes, self.slot(field)?)?;
        Some(Self { bytes: self.bytes, at })
    }

    pub(super) fn text(self, field: usize) -> &'a str {
        self.slot(field).and_then(|at| text(self.bytes, at)).unwrap_or_default()
    }

    /// Where a vector of `width`-byte elements lies; empty if it is not there.
    fn range(self, field: usize, width: usize) -> Range<usize> {
        let found = || {
            let start = follow(self.bytes, self.slot(field)?)?;
            let count = usize::try_from(u32::from_le_bytes(array(self.bytes, start)?)).ok()?;
            let first = start.checked_add(4)?;
            let end = first.checked_add(count.checked_mul(width)?)?;
            (end <= self.bytes.len()).then_some(first..end)
        };
        found().unwrap_or_default()
    }

    fn vector(self, field: usize, width: usize) -> &'a [u8] {
        self.bytes.get(self.range(field, width)).unwrap_or_default()
    }

    pub(super) fn bytes(self, field: usize) -> &'a [u8] {
        self.vector(field, 1)
    }

    pub(super) fn i64s(self, field: usize) -> Vec<i64> {
        self.vector(field, 8).as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()
    }

    pub(super) fn f32s(self, field: usize) -> Vec<f32> {
        self.vector(field, 4).as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
    }

    /// Where each element of a vector of offsets is written.
    fn places(self, field: usize) -> impl Iterator<Item = usize> {
        self.range(field, 4).step_by(4)
    }

    pub(super) fn tables(self, field: usize) -> Vec<Self> {
        let bytes = self.bytes;
        self.places(field).filter_map(|at| follow(bytes, at)).map(|at| Self { bytes, at }).collect()
    }

    pub(super) fn texts(self, field: usize) -> Vec<&'a str> {
        let bytes = self.bytes;
        self.places(field).map(|at| text(bytes, at).unwrap_or_default()).collect()
    }
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// Where the offset written at `at` points.
fn follow(bytes: &[u8], at: usize) -> Option<usize> {
    let offset = usize::try_from(u32::from_le_bytes(array(bytes, at)?)).ok()?;
    at.checked_add(offset).filter(|target| *target < bytes.len())
}

fn text(bytes: &[u8], at: usize) -> Option<&str> {
    let start = follow(bytes, at)?;
    let length = usize::try_from(u32::from_le_bytes(array(bytes, start)?)).ok()?;
    let first = start.checked_add(4)?;
    std::str::from_utf8(bytes.get(first..first.checked_add(length)?)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A root table with one field, a vector of two 64-bit numbers.
    fn file() -> Vec<u8> {
        let mut bytes = vec![16, 0, 0, 0];
        bytes.extend(b"ORTM");
        bytes.extend([6, 0, 8, 0, 4, 0, 0, 0]); // names: length 6, table 8, field 0 at 4; padding
        bytes.extend(8_i32.to_le_bytes()); // the table: names lie 8 bytes before
        bytes.extend(4_u32.to_le_bytes()); // field 0: the vector begins 4 bytes on
        bytes.extend(2_u32.to_le_bytes());
        bytes.extend(7_i64.to_le_bytes());
        bytes.extend((-9_i64).to_le_bytes());
        bytes
    }

    #[test]
    fn fields_are_found_by_number() {
        let bytes = file();
        let root = Table::root(&bytes, b"ORTM").expect("a root");
        assert_eq!(root.i64s(0), [7, -9]);
        assert_eq!((root.i64s(1).len(), root.text(5)), (0, ""));
        assert!(Table::root(&bytes, b"ABCD").is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_lead_outside(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), plain: bool) {
            if plain && bytes.len() >= 8 {
                bytes[..8].copy_from_slice(b"\x08\0\0\0ORTM");
            }
            if let Some(root) = Table::root(&bytes, b"ORTM") {
                for field in 0..12 {
                    let _ = (root.i32(field), root.i64(field), root.f32(field), root.text(field));
                    let _ = (root.bytes(field), root.i64s(field), root.f32s(field), root.texts(field));
                    for table in root.tables(field) {
                        let _ = (table.text(0), table.tables(1).len());
                    }
                }
            }
        }
    }
}
