//! A turn, by text: conversations, streaming, search, export.
