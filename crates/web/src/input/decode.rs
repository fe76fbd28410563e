//! Names and values as forms and addresses write them (`a=b&c=d%20e`), decoded strictly: what is not UTF-8,
//! or breaks off in the middle of an escape, is refused instead of mended.

use crate::Problem;

/// Most fields of one form.
const MOST_FIELDS: usize = 256;

pub(crate) fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, Problem> {
    let fields: Vec<_> = text.split(|byte| *byte == b'&').filter(|field| !field.is_empty()).collect();
    if fields.len() > MOST_FIELDS {
        return Err(Problem::bad_request("The form has more fields than any page of ours."));
    }
    fields.into_iter().map(pair).collect::<Option<_>>().ok_or_else(|| {
        Problem::bad_request(
            "The form is not written as forms are: `name=value`, in UTF-8, escaped with `%`.",
        )
    })
}

fn pair(field: &[u8]) -> Option<(String, String)> {
    let at = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
    let (name, value) = (field.get(..at)?, field.get(at + 1..).unwrap_or_default());
    Some((decoded(name)?, decoded(value)?))
}

fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: &u8) -> Option<u8> {
    char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let read = pairs("a=1&b=x+y%26%E2%82%ac&c&=d".as_bytes()).unwrap();
        let read: Vec<_> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("a", "1"), ("b", "x y&€"), ("c", ""), ("", "d")]);
        assert_eq!(pairs(b"").unwrap(), []);
    }

    #[test]
    fn what_is_broken_is_not_mended() {
        for broken in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"a=\xff", b"a=%c3%28", b"%80=a"] {
            assert!(pairs(broken).is_err(), "{broken:?}");
        }
        assert!(pairs("a&".repeat(257).as_bytes()).is_err());
    }
}
