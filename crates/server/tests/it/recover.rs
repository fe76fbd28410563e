//! `troth recover`: a way back given on the machine itself, through the running instance.

use reqwest::StatusCode;
use testkit::Client;

use crate::house::Place;

const NAME: &str = "Ada Lovelace";
const PASSWORD: &str = "Quiet-Harbour-47";

#[test]
fn the_operator_gives_a_way_back_that_everybody_sees() {
    testkit::run(async {
        let place = Place::new();
        let nobody = place.troth(&["recover", NAME]).output().unwrap();
        assert!(!nobody.status.success(), "nothing runs here yet");
        let instance = place.start("").await.unwrap();
        let mut person = Client::new(&instance.url(), &instance.authority().unwrap());
        let code = instance.setup_code().unwrap().expose().clone();
        person.set_up(&code, NAME, PASSWORD).await;

        let mut command = place.troth(&["recover", "Nobody Atall"]);
        let unknown = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(unknown.status.code(), Some(2));
        let mut command = place.troth(&["recover", NAME]);
        let given = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(given.status.success(), "{given:?}");
        let said = String::from_utf8(given.stdout).unwrap();
        let code = said.lines().find_map(|line| line.strip_prefix("Code: ")).unwrap().to_owned();
        assert!(person.open("/account").await.text.contains("Whoever runs this server made a way"));

        let who = [("name", NAME), ("password", PASSWORD)];
        let factor = person.submit("/sign-in", &who).await.expect_status(StatusCode::OK);
        let ticket = factor.between("name=\"ticket\" value=\"", "\"");
        let fields = [("ticket", ticket.as_str()), ("code", code.as_str())];
        let enrol = person.submit("/sign-in/factor", &fields).await.expect_status(StatusCode::OK);
        assert!(enrol.text.contains("action=\"/sign-in/enrol\""));
        // The person calls it off; the code is worth nothing any more.
        person.submit::<&str, &str>("/account/recovery/off", &[]).await.expect_status(StatusCode::SEE_OTHER);
        assert!(!person.open("/account").await.text.contains("Whoever runs this server made a way"));
        instance.stop().await;
    });
}
