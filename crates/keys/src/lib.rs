//! Key hierarchy and envelopes: keyring, wrapping, sealing, blind-index keys.
