//! Local models: language models from GGUF files, sentence embeddings; no I/O but reading model files.
