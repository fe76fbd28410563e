//! The shape of a model, read from its metadata and checked before anything is built on it.

use crate::Error;
use crate::gguf::Gguf;

/// How pairs of numbers are chosen for the rotary position embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rope {
    /// The first half with the second half (Qwen2).
    Halves,
    /// Each with its neighbour (Llama as stored in GGUF).
    Neighbours,
}

/// The shape of a model.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) layers: usize,
    pub(crate) width: usize,
    pub(crate) feed_width: usize,
    pub(crate) heads: usize,
    pub(crate) kv_heads: usize,
    pub(crate) head_width: usize,
    pub(crate) vocabulary: usize,
    pub(crate) context: usize,
    pub(crate) epsilon: f32,
    pub(crate) rope: Rope,
    pub(crate) rope_base: f32,
}

impl Config {
    /// Reads and checks the shape.
    pub(crate) fn read(gguf: &Gguf) -> Result<Self, Error> {
        let (name, rope) = match gguf.text("general.architecture") {
            Some("qwen2") => ("qwen2", Rope::Halves),
            Some("llama") => ("llama", Rope::Neighbours),
            Some(other) => return Err(gguf.unsupported(format!("its architecture is `{other}`"))),
            None => return Err(gguf.damaged("`general.architecture` is missing")),
        };
        let key = |rest: &str| format!("{name}.{rest}");
        let scaled = gguf.text(&key("rope.scaling.type")).is_some_and(|kind| kind != "none");
        if scaled
            || gguf.has_tensor("rope_freqs.weight")
            || gguf.number(&key("expert_count")).is_some_and(|n| n > 0)
        {
            return Err(gguf.unsupported("it scales positions or has experts"));
        }

        let heads = gguf.needed_number(&key("attention.head_count"))?;
        let width = gguf.needed_number(&key("embedding_length"))?;
        let config = Self {
            layers: gguf.needed_number(&key("block_count"))?,
            width,
            feed_width: gguf.needed_number(&key("feed_forward_length"))?,
            heads,
            kv_heads: gguf.number(&key("attention.head_count_kv")).unwrap_or(heads),
            head_width: gguf
                .number(&key("attention.key_length"))
                .or_else(|| width.checked_div(heads))
                .unwrap_or(0),
            vocabulary: gguf.texts("tokenizer.ggml.tokens")?.len(),
            context: gguf.needed_number(&key("context_length"))?,
            epsilon: gguf.real(&key("attention.layer_norm_rms_epsilon")).unwrap_or(1e-5),
            rope,
            rope_base: gguf.real(&key("rope.freq_base")).unwrap_or(10_000.0),
        };
        config.check().map_err(|what| gguf.damaged(what))?;
        let turned = gguf.number(&key("rope.dimension_count")).unwrap_or(config.head_width);
        if turned != config.head_width {
            return Err(gguf.unsupported("it turns only a part of each head"));
        }
        Ok(config)
    }

    /// Numbers in one key, or one value, of all heads together.
    pub(crate) fn kv_width(&self) -> usize {
        self.kv_heads * self.head_width
    }

    fn check(&self) -> Result<(), String> {
        let sizes = [
            ("layers", self.layers, 512),
            ("width", self.width, 1 << 16),
            ("feed-forward width", self.feed_width, 1 << 18),
            ("heads", self.heads, 512),
            ("key heads", self.kv_heads, 512),
            ("head width", self.head_width, 512),
            ("vocabulary", self.vocabulary, 1 << 20),
            ("context", self.context, 1 << 24),
        ];
        for (what, size, most) in sizes {
            if size == 0 || size > most {
                return Err(format!("its number of {what} is {size}"));
            }
        }
        if !self.heads.is_multiple_of(self.kv_heads) || !self.head_width.is_multiple_of(8) {
            return Err("its heads do not divide evenly".into());
        }
        Ok(())
    }
}
