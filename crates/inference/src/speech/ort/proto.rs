//! Writes Protocol Buffers, as far as an ONNX file needs them.

/// A message being written.
#[derive(Default)]
pub(super) struct Message(Vec<u8>);

/// How a field is laid down.
const VARINT: u64 = 0;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

impl Message {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, how: u64) {
        self.varint(field << 3 | how);
    }

    pub(super) fn integer(&mut self, field: u64, value: i64) {
        self.key(field, VARINT);
        self.varint(value.cast_unsigned());
    }

    pub(super) fn float(&mut self, field: u64, value: f32) {
        self.key(field, FIXED32);
        self.0.extend(value.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, field: u64, value: &[u8]) {
        self.key(field, BYTES);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    pub(super) fn text(&mut self, field: u64, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    pub(super) fn message(&mut self, field: u64, value: &Self) {
        self.bytes(field, &value.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_format_says() {
        let mut message = Message::default();
        message.integer(1, 150);
        message.text(2, "testing");
        message.float(15, 1.0);
        assert_eq!(message.into_bytes(), b"\x08\x96\x01\x12\x07testing\x7d\0\0\x80\x3f");
        let mut negative = Message::default();
        negative.integer(1, -1);
        assert_eq!(negative.into_bytes().len(), 11);
    }
}
