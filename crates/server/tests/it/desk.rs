//! The live desk over HTTP: a program calls, a supervisor follows, takes over, gives back, ends and sorts.

use domain::verifies;
use reqwest::{Method, Response, StatusCode};
use testkit::Client;

use crate::{
    customers::{PASSWORD, supervisor},
    house::Place,
    line::Line,
};

/// Reads on in a stream of events until it holds `text`; gives all that came.
async fn until(events: &mut Response, text: &str) -> String {
    let mut all = String::new();
    let read = async {
        while !all.contains(text) {
            let chunk = events.chunk().await.unwrap().expect("the stream goes on");
            all.push_str(&String::from_utf8_lossy(&chunk));
        }
    };
    let came = tokio::time::timeout(std::time::Duration::from_secs(60), read).await;
    assert!(came.is_ok(), "`{text}` never came: {all}");
    all
}

async fn key(owner: &mut Client, label: &str, more: &[(&str, &str)]) -> String {
    let fields = [("label", label), ("chosen", "1"), ("use_model", "yes"), ("speech", "yes")];
    let page = owner.submit("/account/keys", &[&fields[..], more].concat()).await;
    page.expect_status(StatusCode::OK).between("id=\"key\">", "<")
}

#[test]
fn a_supervisor_follows_holds_and_ends_a_call_of_the_desk_and_no_other() {
    let (_who, _one) = (verifies!(DSK02), verifies!(DSK03));
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let authority = instance.authority().unwrap();
        let mut owner = Client::new(&instance.url(), &authority);
        owner.set_up(instance.setup_code().unwrap().expose(), "ann", PASSWORD).await;
        let mut sue = supervisor(&instance, &owner).await;
        let (own, desks) = (
            key(&mut owner, "my own", &[]).await,
            key(&mut owner, "the desk", &[("hold_desk", "yes")]).await,
        );

        let private = Line::call(&instance, &authority, &own).await;
        private.hears("You are speaking with an AI assistant").await;
        let empty = sue.open("/desk/calls").await.expect_status(StatusCode::OK);
        assert!(empty.text.contains("Nobody calls at the moment"), "{}", empty.text);

        let line = Line::call(&instance, &authority, &desks).await;
        line.hears("A member of staff may follow this call").await;
        let list = sue.open("/desk/calls").await.expect_status(StatusCode::OK);
        let id = list.between("href=\"/desk/calls/", "\"");
        assert_eq!(list.text.matches("href=\"/desk/calls/").count(), 1, "the other call is nobody's");
        let path = |what: &str| format!("/desk/calls/{id}{what}");
        let seen = owner.open(&path("")).await.expect_status(StatusCode::OK);
        assert!(seen.text.contains("and not what is said in it") && !seen.text.contains("id=\"captions\""));
        owner.open(&path("/events")).await.expect_status(StatusCode::FORBIDDEN);
        sue.submit::<&str, &str>(&path("/hold"), &[]).await.expect_status(StatusCode::CONFLICT);

        let mut events = sue.request(Method::GET, &path("/events")).send().await.unwrap();
        assert_eq!(events.status(), StatusCode::OK);
        until(&mut events, "event: call").await;
        line.warned("STAFF_FOLLOWS").await;
        line.write("Where is my parcel?");
        until(&mut events, "Where is my parcel?").await;

        sue.submit::<&str, &str>(&path("/hold"), &[]).await.expect_status(StatusCode::SEE_OTHER);
        line.warned("STAFF_HOLDS").await;
        line.hears("You are now talking to a person").await;
        sue.submit(&path("/say"), &[("text", "")]).await.expect_status(StatusCode::UNPROCESSABLE_ENTITY);
        sue.submit(&path("/say"), &[("text", "I am Sue, and I look.")])
            .await
            .expect_status(StatusCode::SEE_OTHER);
        line.hears("I am Sue, and I look.").await;
        assert!(until(&mut events, "I look.").await.contains("\"speaker\":\"staff\""));
        sue.submit::<&str, &str>(&path("/back"), &[]).await.expect_status(StatusCode::SEE_OTHER);
        line.hears("You are talking to the AI assistant again").await;
        sue.submit::<&str, &str>(&path("/end"), &[]).await.expect_status(StatusCode::CONFLICT);
        sue.submit::<&str, &str>(&path("/hold"), &[]).await.expect_status(StatusCode::SEE_OTHER);
        sue.submit::<&str, &str>(&path("/end"), &[]).await.expect_status(StatusCode::SEE_OTHER);
        line.ends().await;
        until(&mut events, "event: ended").await;

        let list = sue.open("/desk/calls").await.expect_status(StatusCode::OK);
        assert!(list.text.contains("Handed over") && list.text.contains("held by staff"), "{}", list.text);
        assert!(!list.text.contains("parcel"), "of what was said nothing is kept");
        let nonsense = sue.submit(&path("/sort"), &[("category", "gossip")]).await;
        nonsense.expect_status(StatusCode::UNPROCESSABLE_ENTITY);
        sue.submit(&path("/sort"), &[("category", "complaint")]).await.expect_status(StatusCode::SEE_OTHER);
        let list = sue.open("/desk/calls?done=sorted").await.expect_status(StatusCode::OK);
        assert!(list.text.contains("· Complaint"), "{}", list.text);
        sue.open(&path("")).await.expect_status(StatusCode::SEE_OTHER);
        instance.stop().await;
    });
}
