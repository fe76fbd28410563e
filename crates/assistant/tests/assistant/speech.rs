//! Speech for programs: streams that are listened to, quotas of voice, rooms for recordings.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use assistant::{
    Assistant, Counted, Error, Limits,
    speech::{Command, ListenWish, Listened, Say, Sound, SpeechKind, Words},
};
use domain::{
    Ctx,
    bounds::{Bounds, Quota},
    verifies,
};
use providers::speech::marked;
use testkit::{Home, Person};
use zeroize::Zeroizing;

use crate::house::{assistant, with_limits};

/// The whistling of a text as the ear takes it: 16 000 samples a second.
fn whistled(text: &str) -> Vec<f32> {
    use providers::speech::{Decoder, Encoder, Format};
    let format = Format::pcm(16_000);
    let mut encoder = Encoder::new(24_000, format).unwrap();
    let mut bytes = encoder.encode(&marked(text)).unwrap().to_vec();
    bytes.extend_from_slice(&encoder.finish().unwrap());
    Decoder::new(format).unwrap().decode(&bytes).unwrap().to_vec()
}

fn sound(samples: &[f32]) -> Sound {
    Sound { samples: Zeroizing::new(samples.to_vec()), model: None, language: None }
}

fn with_voice(person: &Person, seconds: u64) -> Ctx {
    let mut ctx = person.ctx.clone();
    let voice_seconds = Quota { a_day: Some(seconds), a_month: None };
    ctx.bounds = Arc::new(Bounds { voice_seconds, ..Bounds::default() });
    ctx
}

async fn left(assistant: &Assistant, ctx: &Ctx) -> u64 {
    let all = assistant.allowances(ctx).await.unwrap();
    all.into_iter().find(|one| one.what == Counted::VoiceSeconds).expect("a quota").left
}

fn wish() -> ListenWish {
    ListenWish {
        model: None,
        language: None,
        interim: true,
        endpointing: Some(Duration::from_millis(300)),
        utterance_end: Some(Duration::from_secs(1)),
        begins: true,
    }
}

#[test]
fn a_quota_of_voice_is_taken_from_and_kept_to() {
    let _proof = verifies!(GRP02);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let (assistant, ctx) = (assistant(&home), with_voice(&ann, 5));
        let heard = assistant.transcribe(&ctx, sound(&vec![0.0; 16_000 * 2 + 1])).await.unwrap();
        assert!(heard.text.is_empty());
        assert_eq!(left(&assistant, &ctx).await, 2, "begun seconds count");
        let refused =
            assistant.transcribe(&ctx, Sound { model: Some("nobody".into()), ..sound(&[0.0]) }).await;
        assert!(matches!(refused.err(), Some(Error::UnknownModel)));
        assert_eq!(left(&assistant, &ctx).await, 2, "what was refused costs nothing");
        let say = || Say { text: Zeroizing::new("a".repeat(100)), voice: None, pace: 1.0 };
        let mut speaking = assistant.speak(&ctx, say()).await.unwrap();
        assert!(speaking.next().await.unwrap().is_ok() && speaking.next().await.is_none());
        drop(speaking);
        assert!(matches!(assistant.speak(&ctx, say()).await.err(), Some(Error::UsedUp { .. })));
        assert!(matches!(assistant.transcribe(&ctx, sound(&[0.0])).await.err(), Some(Error::UsedUp { .. })));
        assert!(matches!(assistant.listen(&ctx, wish()).await.err(), Some(Error::UsedUp { .. })));
    });
}

#[test]
fn a_stream_is_told_as_it_is_said_and_for_good() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let mut listening = assistant.listen(&ann.ctx, wish()).await.unwrap();
        assert_eq!(listening.model, "scripted-ear");
        let mut stream = vec![0.0; 8_000];
        stream.extend(whistled("The first thing somebody says here."));
        stream.extend(vec![0.0; 24_000]);
        stream.extend(whistled("And the second"));
        let commands = listening.commands.clone();
        tokio::spawn(async move {
            for piece in stream.chunks(777) {
                commands.send(Command::Sound(Zeroizing::new(piece.to_vec()))).await.ok().unwrap();
            }
            commands.send(Command::Finalize).await.ok().unwrap();
            commands.send(Command::Close).await.ok().unwrap();
        });
        let (mut kinds, mut said, mut interim) = (String::new(), Vec::new(), 0);
        while let Some(heard) = listening.heard.recv().await {
            match heard {
                Listened::Began(at) => {
                    kinds.push('b');
                    assert!(at > 0.3, "{at}");
                }
                Listened::Words(Words { is_final: false, .. }) => interim += 1,
                Listened::Words(words) => {
                    kinds.push(if words.from_finalize { 'f' } else { 'w' });
                    said.push(words.text.to_string());
                }
                Listened::UtteranceEnd(_) => kinds.push('u'),
                Listened::Ended(seconds) => {
                    kinds.push('e');
                    assert!(seconds > 3.0, "{seconds}");
                }
                Listened::Failed(error) => panic!("{error}"),
            }
        }
        assert_eq!(kinds, "bwubfe");
        assert_eq!(said, ["The first thing somebody says here.", "And the second"]);
        assert!(interim > 0);
    });
}

#[test]
fn a_stream_ends_when_the_quota_is_used_up() {
    let _proof = verifies!(SPE03);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let (assistant, ctx) = (assistant(&home), with_voice(&ann, 20));
        let mut listening = assistant.listen(&ctx, wish()).await.unwrap();
        let commands = listening.commands.clone();
        let sending = tokio::spawn(async move {
            for _ in 0..60 {
                if commands.send(Command::Sound(Zeroizing::new(vec![0.0; 16_000]))).await.is_err() {
                    return;
                }
            }
        });
        let failed = listening.heard.recv().await;
        assert!(matches!(failed, Some(Listened::Failed(Error::UsedUp { .. }))));
        assert!(listening.heard.recv().await.is_none());
        sending.await.unwrap();
    });
}

#[test]
fn recordings_have_rooms_and_a_list_of_models_keeps_vendors_out_alone() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let one = with_limits(&home, Limits { recordings_per_person: 1, ..Limits::default() });
        let room = one.room_for_recording(&ann.ctx).unwrap();
        assert!(matches!(one.room_for_recording(&ann.ctx).err(), Some(Error::Busy { .. })));
        drop(room);
        assert!(one.room_for_recording(&ann.ctx).is_ok());
        let mut ctx = ann.ctx.clone();
        let models = Some(BTreeSet::from(["another".to_owned()]));
        ctx.bounds = Arc::new(Bounds { models, ..Bounds::default() });
        assert!(one.speech_model(&ctx, SpeechKind::Recognition, None).is_ok(), "it stays on this machine");
        assert_eq!(one.speech_models_for(&ctx).len(), 2);
    });
}
