//! Customers of the voice desk as an operator and staff meet them: the terminal, the pages, the roles.

use std::fs;

use domain::{
    Action, Job, Resource,
    access::{Role, Roles},
    audit::{Act, Entry},
    authorize,
    id::UserId,
    verifies,
};
use reqwest::StatusCode;
use server::{Instance, Outside};
use store::{accounts, audit, credentials};
use testkit::Client;

use crate::house::Place;

pub(crate) const PASSWORD: &str = "Correct-Horse-7-Battery";
const FILE: &str = "customer_id,name,phone,email,date_of_birth,note\n\
    CUST0042,Dora Marked,+12025550142,dora@example.com,1970-01-31,marked note\n";

async fn acts(instance: &Instance, act: &str) -> usize {
    let ctx = Outside::real().ctx(Job::Checks);
    let permit = authorize(&ctx, Action::ReadInstance, Resource::Instance).unwrap();
    let entries = audit::list(instance.store(), &permit, 0, 100_000).await.unwrap();
    entries.iter().filter(|entry| entry.act == act).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_brings_customers_in_whole_and_samples_in_and_out() {
    let _proof = verifies!(CUS09);
    let place = Place::new();
    let instance = place.start("").await.unwrap();
    let troth = |arguments: &[&str]| {
        let output = place.troth(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code().unwrap(), said + &String::from_utf8_lossy(&output.stderr))
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let good = write("good.csv", FILE);
    let (code, said) = troth(&["customers", "import", &good, "--dry-run"]);
    assert!(code == 0 && said.contains("this was a dry run"), "{said}");
    let (code, said) = troth(&["customers", "import", &good]);
    assert_eq!((code, &*said), (0, "Taken: 1 customer, 0 orders, 0 appointments.\n"));
    let (code, said) = troth(&["customers", "import", &good]);
    assert!(code == 2 && said.contains("line 2  customer_id  is in the register already"), "{said}");
    assert!(!said.contains("Marked") && !said.contains("dora"), "{said}");
    let (code, json) = troth(&["customers", "import", &good, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["problems"][0]["at"]["line"].as_u64()), (2, Some(2)));
    for (name, words) in [("strange.txt", ".csv or .json"), ("absent.csv", "Cannot read")] {
        let file = folder.path().join(name).display().to_string();
        if name == "strange.txt" {
            write(name, "x");
        }
        let (code, said) = troth(&["customers", "import", &file]);
        assert!(code != 0 && said.contains(words), "{said}");
    }
    let pipe = folder.path().join("pipe.csv");
    fs::create_dir(&pipe).unwrap();
    let (code, said) = troth(&["customers", "import", &pipe.display().to_string()]);
    assert!(code == 2 && said.contains("no plain file"), "{said}");

    let (code, said) = troth(&["demo"]);
    assert!(code == 0 && said.contains("CUST0001 to CUST0024"), "{said}");
    let (code, said) = troth(&["demo", "--remove", "--json"]);
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&said).unwrap()["removed"], 24);
    assert_eq!(acts(&instance, "customers-imported").await, 2);
    instance.stop().await;
    assert_eq!(troth(&["demo"]).0, 4, "no instance runs");
}

/// Somebody who leads the desk, with the owner's password and authenticator, signed in.
pub(crate) async fn supervisor(instance: &Instance, owner: &Client) -> Client {
    let (setup, known) = (Outside::real().ctx(Job::Setup), Outside::real().ctx(Job::Authentication));
    let permit = authorize(&known, Action::Authenticate, Resource::Instance).unwrap();
    let ann = accounts::find(instance.store(), &permit, "ann").await.unwrap().unwrap();
    let reads = authorize(&known, Action::ReadAccount, Resource::Of(ann.id)).unwrap();
    let verifier = credentials::password(instance.store(), &reads).await.unwrap().unwrap().verifier;
    let totp = credentials::totp(instance.store(), &reads).await.unwrap().unwrap();
    let id = UserId::fresh(&setup);
    let writes = authorize(&setup, Action::WriteAccount, Resource::Of(id)).unwrap();
    let mut tx = instance.store().begin(&setup).await.unwrap();
    accounts::create(&mut tx, &writes, id, "Sue", Roles::NONE.with(Role::Supervisor)).await.unwrap();
    credentials::set_password(&mut tx, &writes, &verifier, setup.now()).await.unwrap();
    credentials::set_totp(&mut tx, &writes, &totp.secret, true).await.unwrap();
    tx.commit(Entry::new(Act::AccountCreated, id)).await.unwrap();
    let mut sue = owner.beside();
    sue.sign_in("Sue", PASSWORD).await;
    sue
}

#[test]
fn staff_find_open_and_erase_customers_as_their_roles_allow() {
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let mut owner = Client::new(&instance.url(), &instance.authority().unwrap());
        let code = instance.setup_code().unwrap().expose().clone();
        owner.set_up(&code, "ann", PASSWORD).await;
        let file = place.data().join("customers.csv");
        fs::write(&file, FILE).unwrap();
        let file = file.display().to_string();
        let done = place.troth(&["customers", "import", &file]).output().unwrap();
        assert!(done.status.success());

        let list = owner.open("/desk/customers").await.expect_status(StatusCode::OK);
        assert!(list.text.contains("CUST0042") && !list.text.contains("Dora"), "the list names nobody");
        let nobody = owner.submit("/desk/customers/find", &[("who", "CUST0043")]).await;
        nobody.expect_status(StatusCode::UNPROCESSABLE_ENTITY);
        let before = acts(&instance, "customer-opened").await;
        for who in ["cust 42", "(202) 555-0142", "Dora at example dot com"] {
            let found = owner.submit("/desk/customers/find", &[("who", who)]).await;
            let found = found.expect_status(StatusCode::SEE_OTHER);
            assert!(found.headers["location"].to_str().unwrap().starts_with("/desk/customers/"), "{who}");
        }
        let path = list.between("href=\"/desk/customers/", "\"");
        let path = format!("/desk/customers/{path}");
        let record = owner.open(&path).await.expect_status(StatusCode::OK);
        assert!(record.text.contains("Dora Marked") && record.text.contains("confidential"));
        assert!(!record.text.contains("1970") && !record.text.contains("marked note"));
        assert_eq!(acts(&instance, "customer-opened").await, before + 1);
        // Owners answer for the instance; what is restricted is for those who lead the desk.
        owner.open(&format!("{path}/restricted")).await.expect_status(StatusCode::FORBIDDEN);

        let asked = owner.submit(&format!("{path}/erase"), &[("sure", "no")]).await;
        asked.expect_status(StatusCode::UNPROCESSABLE_ENTITY);
        let receipt = owner.submit(&format!("{path}/erase"), &[("sure", "yes")]).await;
        let receipt = receipt.expect_status(StatusCode::OK);
        assert!(receipt.text.contains("Receipt") && !receipt.text.contains("Dora"));
        owner.open(&path).await.expect_status(StatusCode::NOT_FOUND);
        assert_eq!(acts(&instance, "customer-erased").await, 1);
        let nobody = owner.submit("/desk/customers/find", &[("who", "CUST0042")]).await;
        nobody.expect_status(StatusCode::UNPROCESSABLE_ENTITY);
        instance.stop().await;
    });
}

#[test]
fn a_supervisor_opens_what_is_restricted_and_it_is_written_down_by_itself() {
    let _proof = verifies!(CUS03);
    testkit::run(async {
        let place = Place::new();
        let instance = place.start("").await.unwrap();
        let mut owner = Client::new(&instance.url(), &instance.authority().unwrap());
        let code = instance.setup_code().unwrap().expose().clone();
        owner.set_up(&code, "ann", PASSWORD).await;
        let file = place.data().join("customers.csv");
        fs::write(&file, FILE).unwrap();
        let done = place.troth(&["customers", "import", &file.display().to_string()]).output().unwrap();
        assert!(done.status.success());
        let mut sue = supervisor(&instance, &owner).await;
        let list = sue.open("/desk/customers").await.expect_status(StatusCode::OK);
        let path = format!("/desk/customers/{}", list.between("href=\"/desk/customers/", "\""));
        let whole = sue.open(&format!("{path}/restricted")).await.expect_status(StatusCode::OK);
        assert!(whole.text.contains("1970-01-31") && whole.text.contains("marked note"));
        assert_eq!(acts(&instance, "restricted-opened").await, 1);
        instance.stop().await;
    });
}
