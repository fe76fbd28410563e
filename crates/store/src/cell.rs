//! A sealed column: what goes in is sealed for its table, column and row, and opens nowhere else.

use domain::Entropy;
use keys::{Binding, Dek};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::Error;

/// A column whose values are sealed.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    table: &'static str,
    column: &'static str,
}

impl Cell {
    /// The column `column` of `table`.
    pub(crate) const fn new(table: &'static str, column: &'static str) -> Self {
        Self { table, column }
    }

    fn binding<'a>(&self, row: &'a str) -> Binding<'a> {
        Binding { table: self.table, column: self.column, row }
    }

    /// Seals `plain` for this column of `row`.
    pub(crate) fn seal(
        &self,
        dek: &Dek,
        row: &str,
        plain: &[u8],
        entropy: &Entropy,
    ) -> Result<Vec<u8>, Error> {
        Ok(dek.seal(&self.binding(row), plain, entropy)?)
    }

    /// Opens what stands in this column of `row`.
    pub(crate) fn open(&self, dek: &Dek, row: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        dek.open(&self.binding(row), sealed).map_err(|error| match error {
            keys::Error::Unsealed => {
                Error::damaged(format!("the sealed {} of a row of {} does not open", self.column, self.table))
            }
            other => other.into(),
        })
    }

    /// Opens text.
    pub(crate) fn open_text(&self, dek: &Dek, row: &str, sealed: &[u8]) -> Result<String, Error> {
        let plain = self.open(dek, row, sealed)?;
        std::str::from_utf8(&plain).map(str::to_owned).map_err(|_| self.misshapen())
    }

    /// Seals a structure as JSON.
    pub(crate) fn seal_json<T: Serialize>(
        &self,
        dek: &Dek,
        row: &str,
        value: &T,
        entropy: &Entropy,
    ) -> Result<Vec<u8>, Error> {
        let plain = Zeroizing::new(serde_json::to_vec(value).map_err(|_| self.misshapen())?);
        self.seal(dek, row, &plain, entropy)
    }

    /// Opens a structure kept as JSON.
    pub(crate) fn open_json<T: DeserializeOwned>(
        &self,
        dek: &Dek,
        row: &str,
        sealed: &[u8],
    ) -> Result<T, Error> {
        serde_json::from_slice(&self.open(dek, row, sealed)?).map_err(|_| self.misshapen())
    }

    fn misshapen(&self) -> Error {
        Error::damaged(format!("the {} of a row of {} has the wrong shape", self.column, self.table))
    }
}
