//! The speech models of this machine in this process: for sounds to be sent, and to ask them alone.

use std::{path::Path, time::Duration};

use anyhow::Context;
use domain::{
    Action, Actor, Clock, Ctx, Entropy, Job, Permit, Resource, Timestamp, authorize, model::Readiness,
};
use providers::{
    Config, LocalConfig, Providers,
    speech::{Hearing, RATE, Samples, Say, Sound, Speech, SpeechConfig},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::sound::converted;

/// How long files may take to be looked at.
const LOADING: Duration = Duration::from_secs(60);

/// The models.
#[derive(Clone)]
pub(super) struct Lab {
    providers: Providers,
    permit: Permit,
}

/// How a sentence is spoken: the one voice there is, slower, faster or deeper.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) pace: f32,
    pub(super) deep: bool,
}

impl Manner {
    pub(super) const PLAIN: Self = Self { pace: 1.0, deep: false };
}

impl Lab {
    /// Takes up the models in `folder`.
    pub(super) async fn open(folder: &Path) -> anyhow::Result<Self> {
        let config = Config {
            models_folder: folder.to_owned(),
            local: LocalConfig { enabled: false, fetch: false, ..LocalConfig::default() },
            speech: SpeechConfig { enabled: Some(true), ..SpeechConfig::default() },
            ..Config::default()
        };
        let clock = Clock::new(|| Timestamp(0));
        let providers = Providers::start(config, &TaskTracker::new(), clock.clone())?;
        let ctx = Ctx::new(Actor::System(Job::Turn), clock, Entropy::new(|bytes| bytes.fill(7)));
        let permit =
            authorize(&ctx, Action::Speech, Resource::Instance).ok().context("speech is not allowed")?;
        let lab = Self { providers, permit };
        let ready = async {
            while lab.speech().readiness() != Readiness::Ready {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(LOADING, ready)
            .await
            .with_context(|| format!("the speech models are not in {}", folder.display()))?;
        Ok(lab)
    }

    fn speech(&self) -> &Speech {
        self.providers.speech()
    }

    /// An ear for one stream.
    pub(super) async fn ear(&self) -> anyhow::Result<Hearing> {
        Ok(self.speech().hearing(&self.permit).await?)
    }

    /// `text` as the local voice says it, [`RATE`] samples a second.
    pub(super) async fn say(&self, text: &str, manner: Manner) -> anyhow::Result<Vec<f32>> {
        let say = Say { text: text.to_owned().into(), voice: None, pace: manner.pace };
        let mut spoken = self.speech().speak(&self.permit, say, CancellationToken::new()).await?;
        let mut all = Vec::new();
        while let Some(piece) = spoken.next().await {
            all.extend_from_slice(&piece?);
        }
        // Played slower than it was made it is a deeper voice.
        let rate = if manner.deep { 22_050 } else { spoken.rate };
        converted(&all, rate, RATE)
    }

    /// The words in `samples`.
    pub(super) async fn words(&self, samples: &[f32]) -> anyhow::Result<String> {
        let sound = Sound { samples: Samples::new(samples.to_vec()), model: None, language: None };
        let heard = self.speech().recognise(&self.permit, sound, CancellationToken::new()).await?;
        Ok(heard.text.to_string())
    }
}
