//! "My consents" over the real router: what was agreed to is told, taken back with one form, and taken along.

use domain::{
    Actor, Ctx, Job,
    access::Standing,
    consent::Purpose,
    id::{SessionId, UserId},
};
use reqwest::StatusCode;
use server::Outside;

use crate::{house::Place, matrix::Maker};

/// Circumstances in which this person acts, as the page with the letter would have them.
fn acting(user: UserId) -> Ctx {
    let ctx = Outside::real().ctx(Job::Setup);
    let session = SessionId::fresh(&ctx);
    ctx.acting_as(Actor::Person { user, session, standing: Standing::default() })
}

#[test]
fn people_see_and_take_back_what_they_agreed_to() {
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let (maker, mut browser) = Maker::new(&instance).await;
        let (privacy, asha) = (instance.privacy(), acting(maker.owner));
        let account = browser.open("/account").await.expect_status(StatusCode::OK);
        assert!(account.text.contains("You agree to nothing at the moment."));
        let nothing = browser.open("/account/consents").await.expect_status(StatusCode::OK).json();
        assert_eq!(nothing["records"].as_array().unwrap().len(), 0);

        let letter = privacy.letter("en");
        let both = [Purpose::ProcessCall, Purpose::KeepTranscript];
        privacy.agree(&asha, letter.version, &both, "en").await.unwrap();
        let account = browser.open("/account").await.expect_status(StatusCode::OK);
        for asked in &letter.purposes {
            assert!(account.text.contains(&asked.title), "{}", asked.title);
        }
        let (call, kept) =
            (privacy.hold(&asha, &[]).await.unwrap(), privacy.hold(&asha, &both).await.unwrap());
        let withdraw = "/account/consents/withdraw";
        for wrong in [&[("purpose", "everything")][..], &[("purpose", "")], &[("all", "yes")]] {
            browser.submit(withdraw, wrong).await.expect_status(StatusCode::BAD_REQUEST);
        }
        let done = browser.submit(withdraw, &[("purpose", "keep_transcript")]).await;
        let done = done.expect_status(StatusCode::SEE_OTHER);
        assert_eq!(done.headers["location"], "/account?done=consent#consents");
        assert!(kept.token().is_cancelled() && !call.token().is_cancelled(), "what needed it, at once");
        browser.submit::<&str, &str>(withdraw, &[]).await.expect_status(StatusCode::SEE_OTHER);
        assert!(call.token().is_cancelled());
        assert_eq!(privacy.standing(&asha).await.unwrap().agreed().count(), 0);

        let file = browser.open("/account/consents").await.expect_status(StatusCode::OK);
        assert!(file.headers["content-disposition"].to_str().unwrap().starts_with("attachment"));
        let file = file.json();
        let lines: Vec<_> = file["records"].as_array().unwrap().iter().collect();
        let told: Vec<_> =
            lines.iter().map(|line| (line["purpose"].as_str().unwrap(), line["given"] == true)).collect();
        let (call, keep) = ("process_call", "keep_transcript");
        assert_eq!(told, [(call, false), (keep, false), (call, true), (keep, true)]);
        assert!(lines.iter().all(|line| line["wording"] == letter.version && line["language"] == "en"));
        instance.stop().await;
    });
}
