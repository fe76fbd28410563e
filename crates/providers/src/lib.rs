//! Vendors of language models behind one closed enum: local, OpenAI-compatible, scripted; and the fetching of model files.
