//! A call in a real Chromium: the letter, a spoken question, an interruption, a written one, the end; and taking
//! the consent back in the midst of it. What hears and speaks are the models of this machine.

use std::time::Duration;

use domain::{Action, Job, Resource, authorize, model::Readiness, verifies};
use providers::speech::{Encoding, Format, Say, wav_head};
use server::Outside;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::house::{House, Look, target};

/// What the caller says first.
const QUESTION: &str = "Where is the order that I made last week?";
/// Silence before, so that the disclosure is over, in seconds.
const BEFORE: usize = 5;

/// An instance that hears and speaks, and a browser with a microphone.
async fn open(look: Look) -> House {
    let models = target().join("models");
    let more = format!("[models]\nmodels_folder = {models:?}\nlocal.fetch = false\nspeech.enabled = true\n");
    let house = House::open_hearing(look, &more, true).await;
    let speech = house.instance().providers().speech();
    let ready = async {
        while speech.readiness() != Readiness::Ready {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), ready).await.expect("the models are there");
    house
}

/// Has the microphone hear `text`, spoken by a voice of this machine, after some silence.
async fn will_say(house: &House, text: &str) {
    let ctx = Outside::real().ctx(Job::Turn);
    let permit = authorize(&ctx, Action::Speech, Resource::Instance).unwrap();
    let say = Say { text: Zeroizing::new(text.to_owned()), voice: None, pace: 1.0 };
    let speech = house.instance().providers().speech();
    let mut spoken = speech.speak(&permit, say, CancellationToken::new()).await.unwrap();
    let silence = spoken.rate as usize * BEFORE;
    let mut sound = vec![0_u8; silence * 2];
    while let Some(piece) = spoken.next().await {
        for sample in piece.unwrap().iter() {
            #[expect(clippy::cast_possible_truncation, reason = "within what 16 bits hold")]
            let sample = (sample.clamp(-1.0, 1.0) * 32_767.0) as i16;
            sound.extend_from_slice(&sample.to_le_bytes());
        }
    }
    sound.extend(std::iter::repeat_n(0, silence * 2));
    let format = Format { encoding: Encoding::Pcm16, rate: spoken.rate };
    let mut file = wav_head(format, Some(u32::try_from(sound.len()).unwrap()));
    file.extend_from_slice(&sound);
    std::fs::write(house.microphone(), file).unwrap();
}

/// Reads the letter and agrees to everything in it.
async fn agree(house: &House, picture: &str) {
    house.go("/voice").await;
    house.until("document.querySelector('.switches') !== null").await;
    house.look_at(&format!("{picture}-letter")).await;
    house.click("#process_call").await;
    house.click("#keep_transcript").await;
    house.click("form button[type=submit]").await;
    house.until("document.querySelector('#start') !== null").await;
    house.look_at(&format!("{picture}-before")).await;
}

fn said(who: &str, words: &str) -> String {
    format!(
        "[...document.querySelectorAll('#captions .{who} p')].some((one) => one.textContent.toLowerCase().includes('{words}'))"
    )
}

#[test]
fn somebody_talks_interrupts_writes_and_reads_it_afterwards() {
    let _proofs = (verifies!(VOI04), verifies!(STO03));
    testkit::run(async {
        let house = open(Look::Desk).await;
        house.set_up().await;
        agree(&house, "voice").await;
        will_say(&house, QUESTION).await;
        house.click("#start").await;
        house.until("document.querySelector('#talk').dataset.state === 'speaking'").await;
        house.until(&said("agent", "ai assistant")).await;
        house.until(&said("you", "order")).await;
        // The scripted model says back what it was told, aloud.
        house.until("document.querySelectorAll('#captions .agent').length >= 2").await;
        house.until("document.querySelector('#talk').dataset.state === 'speaking'").await;
        house.look_at("voice-speaking").await;
        house.press("Escape").await;
        house.until("document.querySelector('#captions .agent.cut') !== null").await;
        house.until("document.querySelector('#stages').hidden === false").await;
        house.js("document.querySelector('details').open = true").await;
        house.type_into("#text", "And in writing: the harbour.").await;
        house.click("#write button").await;
        house.until(&said("you", "harbour")).await;
        house.until(&said("agent", "harbour")).await;
        house.look_at("voice-written").await;
        house.click("#hang-up").await;
        house.until("document.querySelector('#talk').dataset.state === 'idle'").await;
        house.look_at("voice-over").await;
        house.click("#transcript").await;
        house.until("document.querySelectorAll('.message.user').length >= 2").await;
        let kept = house.js("return document.querySelector('main').innerText.toLowerCase()").await;
        let kept = kept.as_str().unwrap();
        assert!(kept.contains("order") && kept.contains("harbour"), "{kept}");
        house.look_at("voice-transcript").await;
        house.close().await;
    });
}

#[test]
fn a_call_ends_when_its_person_takes_the_consent_back() {
    let _proof = verifies!(CON03);
    testkit::run(async {
        let house = open(Look::PhoneInTheDark).await;
        house.set_up().await;
        agree(&house, "voice-phone").await;
        will_say(&house, QUESTION).await;
        house.click("#without").await;
        house.until("document.querySelector('#talk').dataset.state === 'listening'").await;
        house.look_at("voice-phone").await;
        // As another tab would.
        house.js("void fetch('/voice/withdraw', { method: 'POST' })").await;
        house.until("document.querySelector('#trouble').textContent.includes('consent')").await;
        house.go("/voice").await;
        house.until("document.querySelector('.switches') !== null").await;
        assert_eq!(house.count("#start").await, 0, "without a consent there is nothing to call with");
        house.close().await;
    });
}
