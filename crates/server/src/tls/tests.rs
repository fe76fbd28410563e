//! The life of certificates, with a clock that obeys.

use domain::{Actor, Job, verifies};
use keys::Protector;
use tempfile::TempDir;

use super::*;

struct Place {
    home: TempDir,
    keyring: Arc<Keyring>,
    clock: testkit::Clockwork,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let clock = testkit::Clockwork::default();
        let protector = Protector::KeyFile(home.path().join("root.key"));
        let data = Folder::prepare(&home.path().join("data")).unwrap();
        let keyring = Keyring::create(&data.file(folder::KEYRING), &protector, &testkit::entropy()).unwrap();
        Self { home, keyring: Arc::new(keyring), clock }
    }

    fn ctx(&self) -> Ctx {
        Ctx::new(Actor::System(Job::Setup), self.clock.clock(), testkit::entropy())
    }

    fn desk(&self, hosts: &[&str], days: u32) -> Desk {
        let web = WebSection {
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            ..WebSection::default()
        };
        let folder = Folder::prepare(&self.home.path().join("data")).unwrap();
        Desk::new(folder, self.keyring.clone(), &web, days)
    }

    fn leaf(&self, desk: &Desk) -> (Vec<u8>, Facts, bool) {
        let issued = desk.certificate(&self.ctx()).unwrap();
        (issued.key.cert[0].to_vec(), Facts::read(&issued.key.cert[0]).unwrap(), issued.is_new_authority)
    }
}

#[test]
fn a_certificate_is_for_our_hosts_and_ninety_days_at_most() {
    let _proof = verifies!(CRY05);
    let place = Place::new();
    let (_, facts, is_new) = place.leaf(&place.desk(&["troth.example", "10.0.0.7"], 90));
    assert!(is_new);
    assert_eq!(facts.days(), 90);
    assert_eq!(facts.names, ["localhost", "127.0.0.1", "::1", "troth.example", "10.0.0.7"]);
}

#[test]
fn it_stays_until_a_third_is_left_and_then_is_renewed_by_the_same_authority() {
    let _proof = verifies!(CRY05);
    let place = Place::new();
    let desk = place.desk(&[], 90);
    let (first, ..) = place.leaf(&desk);
    place.clock.advance(59 * DAY);
    assert_eq!(place.leaf(&desk).0, first);
    place.clock.advance(2 * DAY);
    let (renewed, facts, is_new) = place.leaf(&desk);
    assert!(renewed != first && !is_new);
    assert!(facts.not_after.seconds_since(place.ctx().now()) > 89 * DAY);
}

#[test]
fn new_hosts_need_a_new_authority_and_fewer_do_not() {
    let place = Place::new();
    place.leaf(&place.desk(&["a.example", "b.example"], 90));
    assert!(!place.leaf(&place.desk(&["a.example"], 90)).2);
    assert!(place.leaf(&place.desk(&["c.example"], 90)).2);
}

#[test]
fn a_shorter_life_in_the_policy_takes_effect_at_once() {
    let _proof = verifies!(CRY05);
    let place = Place::new();
    let (first, ..) = place.leaf(&place.desk(&[], 90));
    let (second, facts, _) = place.leaf(&place.desk(&[], 30));
    assert!(first != second && facts.days() == 30);
}

#[test]
fn the_authority_may_sign_for_these_hosts_only_and_makes_no_others() {
    use x509_parser::prelude::*;
    let place = Place::new();
    let issued = place.desk(&["troth.example"], 90).certificate(&place.ctx()).unwrap();
    let (_, authority) = X509Certificate::from_der(&issued.key.cert[1]).unwrap();
    let constraints = authority.basic_constraints().unwrap().unwrap();
    assert!(constraints.critical && constraints.value.ca);
    assert_eq!(constraints.value.path_len_constraint, Some(0));
    let names = authority.name_constraints().unwrap().unwrap();
    assert!(names.critical);
    assert_eq!(names.value.permitted_subtrees.as_ref().unwrap().len(), 4);
}

#[test]
fn keys_lie_sealed_and_a_damaged_one_is_left_as_it_is() {
    let place = Place::new();
    let desk = place.desk(&[], 90);
    place.leaf(&desk);
    let path = desk.file(&key_name("authority"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("wrapped") && !text.contains("PRIVATE KEY"));
    let damaged = text.replacen("\"sealed\": \"01", "\"sealed\": \"02", 1);
    std::fs::write(&path, &damaged).unwrap();
    let failure = desk.certificate(&place.ctx()).err().unwrap();
    assert_eq!(failure.exit, Exit::Keys);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged);
}

#[test]
fn an_operators_own_certificate_is_used_as_it_is() {
    let place = Place::new();
    let made = rcgen::generate_simple_self_signed(vec!["troth.example".to_owned()]).unwrap();
    let (chain, key) = (place.home.path().join("c.pem"), place.home.path().join("k.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let web =
        WebSection { certificate: Some(chain.clone()), certificate_key: Some(key), ..WebSection::default() };
    let folder = Folder::prepare(&place.home.path().join("data")).unwrap();
    let desk = Desk::new(folder.clone(), place.keyring.clone(), &web, 90);
    let shown = desk.certificate(&place.ctx()).unwrap();
    assert_eq!(Facts::read(&shown.key.cert[0]).unwrap().names, ["troth.example"]);
    assert!(desk.authority_file().is_none());

    let wrong = WebSection { certificate_key: Some(chain), ..web };
    let desk = Desk::new(folder, place.keyring.clone(), &wrong, 90);
    assert_eq!(desk.certificate(&place.ctx()).err().unwrap().exit, Exit::Configuration);
}
