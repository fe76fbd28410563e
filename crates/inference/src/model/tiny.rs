//! A random model of a few kilobytes, written as a real GGUF file: for tests only.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

/// Which architecture to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Qwen2, with biases and its own output matrix; rows of 256 numbers.
    Qwen,
    /// Llama, with tied embeddings and a slow number format.
    Llama,
}

const FEED: usize = 512;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;

/// The character that stands for `byte` in GPT-2 vocabularies.
pub(crate) fn disguise(byte: u8) -> char {
    let plain = |b: u8| matches!(b, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if plain(byte) {
        return char::from(byte);
    }
    let hidden = (0..byte).filter(|b| !plain(*b)).count();
    char::from_u32(0x100 + u32::try_from(hidden).unwrap()).unwrap()
}

/// Writes the model into `folder`: the 256 bytes are its tokens, then a few merged ones and the control tokens.
pub(crate) fn write(folder: &Path, style: Style) -> PathBuf {
    let (name, width, format) = match style {
        Style::Qwen => ("qwen2", 256, GgmlDType::Q8_0),
        Style::Llama => ("llama", 64, GgmlDType::Q4_1),
    };
    let words: Vec<String> = (0..=255)
        .map(|byte| disguise(byte).to_string())
        .chain(["he".into(), "ll".into(), "hell".into()])
        .collect();
    let controls = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
    let types = (0..words.len()).map(|_| 1).chain(controls.map(|_| 3)).map(Value::I32).collect();
    let vocabulary = words.len() + controls.len();
    let texts = |list: Vec<String>| Value::Array(list.into_iter().map(Value::String).collect());
    let mut metadata: HashMap<String, Value> = HashMap::new();
    let mut set = |key: &str, value: Value| metadata.insert(key.replace('*', name), value);
    set("general.architecture", Value::String(name.into()));
    set("*.block_count", Value::U32(2));
    set("*.context_length", Value::U32(2048));
    set("*.embedding_length", Value::U32(width as u32));
    set("*.feed_forward_length", Value::U32(FEED as u32));
    set("*.attention.head_count", Value::U32(HEADS as u32));
    set("*.attention.head_count_kv", Value::U32(KV_HEADS as u32));
    set("*.attention.layer_norm_rms_epsilon", Value::F32(1e-6));
    set("*.rope.freq_base", Value::F32(10_000.0));
    set("tokenizer.ggml.model", Value::String("gpt2".into()));
    set("tokenizer.ggml.pre", Value::String(if style == Style::Qwen { "qwen2" } else { "smollm" }.into()));
    set("tokenizer.ggml.tokens", texts(words.into_iter().chain(controls.map(str::to_owned)).collect()));
    set("tokenizer.ggml.token_type", Value::Array(types));
    set("tokenizer.ggml.merges", texts(vec!["h e".into(), "l l".into(), "he ll".into()]));
    set("tokenizer.ggml.eos_token_id", Value::U32(vocabulary as u32 - 1));

    let tensors = tensors(style, width, vocabulary, format);
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<(&str, &QTensor)> =
        tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    let path = folder.join(format!("tiny-{name}.gguf"));
    gguf_file::write(&mut std::fs::File::create(&path).unwrap(), &metadata, &tensors).unwrap();
    path
}

fn tensors(style: Style, width: usize, vocabulary: usize, format: GgmlDType) -> Vec<(String, QTensor)> {
    let mut random = Random(7);
    let mut tensors = Vec::new();
    let mut matrix = |name: String, rows: usize, columns: usize| {
        tensors.push((name, random.tensor(&[rows, columns], 1.5 / (columns as f32).sqrt(), 0.0, format)));
    };
    let kv = width / HEADS * KV_HEADS;
    matrix("token_embd.weight".into(), vocabulary, width);
    if style == Style::Qwen {
        matrix("output.weight".into(), vocabulary, width);
    }
    for layer in 0..2 {
        for (part, rows, columns) in [
            ("attn_q", width, width),
            ("attn_k", kv, width),
            ("attn_v", kv, width),
            ("attn_output", width, width),
            ("ffn_gate", FEED, width),
            ("ffn_up", FEED, width),
            ("ffn_down", width, FEED),
        ] {
            matrix(format!("blk.{layer}.{part}.weight"), rows, columns);
        }
    }
    for layer in 0..2 {
        for part in ["attn_norm", "ffn_norm"] {
            let name = format!("blk.{layer}.{part}.weight");
            tensors.push((name, random.tensor(&[width], 0.1, 1.0, GgmlDType::F32)));
        }
        if style == Style::Qwen {
            for (part, length) in [("attn_q", width), ("attn_k", kv), ("attn_v", kv)] {
                let name = format!("blk.{layer}.{part}.bias");
                tensors.push((name, random.tensor(&[length], 0.3, 0.0, GgmlDType::F32)));
            }
        }
    }
    tensors.push(("output_norm.weight".into(), random.tensor(&[width], 0.1, 1.0, GgmlDType::F32)));
    tensors
}

/// A small generator (xorshift), so that the model is the same in every run.
struct Random(u64);

impl Random {
    fn tensor(&mut self, shape: &[usize], spread: f32, middle: f32, format: GgmlDType) -> QTensor {
        let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| middle + spread * self.next()).collect();
        QTensor::quantize(&Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap(), format).unwrap()
    }

    /// Between -1 and 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / 8_388_608.0 - 1.0
    }
}
