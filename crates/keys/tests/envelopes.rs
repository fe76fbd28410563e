//! Envelopes: what was sealed opens in its place, and nothing else does.

use std::sync::LazyLock;

use domain::{Entropy, id::DekId, verifies};
use keys::{Binding, Dek, Error, Keyring, Protector};
use proptest::prelude::*;

fn entropy() -> Entropy {
    Entropy::new(|buffer| aws_lc_rs::rand::fill(buffer).expect("randomness"))
}

fn id(number: u128) -> DekId {
    format!("{}-0000-7000-8000-{:012x}", "01890a5d", number).parse().expect("an identifier")
}

static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let protector = Protector::KeyFile(folder.path().join("root.key"));
    Keyring::create(&folder.path().join("keyring.json"), &protector, &entropy()).expect("a keyring")
});

fn dek(number: u128) -> Dek {
    KEYRING.new_dek(id(number), "somebody", &entropy()).expect("a key").0
}

const PLACE: Binding<'static> = Binding { table: "messages", column: "body", row: "m1" };

proptest! {
    #[test]
    fn what_was_sealed_opens(plain in proptest::collection::vec(any::<u8>(), 0..2000), row in "\\PC{0,20}") {
        let _proof = verifies!(CRY01);
        let (dek, place) = (dek(1), Binding { row: &row, ..PLACE });
        let sealed = dek.seal(&place, &plain, &entropy()).unwrap();
        let opened = dek.open(&place, &sealed).unwrap();
        prop_assert_eq!(opened.as_slice(), plain.as_slice());
        prop_assert_eq!(sealed.len(), plain.len() + 1 + 16 + 24 + 16);
        // A second seal of the same shares nothing but the head.
        let again = dek.seal(&place, &plain, &entropy()).unwrap();
        prop_assert_ne!(&sealed[17..], &again[17..]);
        if plain.len() > 8 {
            prop_assert!(!sealed.windows(plain.len()).any(|window| window == plain));
        }
    }

    #[test]
    fn any_flipped_bit_or_cut_is_refused(plain in proptest::collection::vec(any::<u8>(), 0..64), at: prop::sample::Index, bit in 0_u8..8) {
        let dek = dek(1);
        let sealed = dek.seal(&PLACE, &plain, &entropy()).unwrap();
        let at = at.index(sealed.len());
        let mut spoilt = sealed.clone();
        spoilt[at] ^= 1_u8 << bit;
        prop_assert!(matches!(dek.open(&PLACE, &spoilt), Err(Error::Unsealed)));
        prop_assert!(matches!(dek.open(&PLACE, &sealed[..at]), Err(Error::Unsealed)));
        let mut longer = sealed;
        longer.push(0);
        prop_assert!(matches!(dek.open(&PLACE, &longer), Err(Error::Unsealed)));
    }

    #[test]
    fn another_place_does_not_open(table in "[a-z]{0,9}", column in "[a-z]{0,9}", row in "[a-z0-9]{0,9}") {
        let dek = dek(1);
        let sealed = dek.seal(&PLACE, b"here only", &entropy()).unwrap();
        let other = Binding { table: &table, column: &column, row: &row };
        let same = (table.as_str(), column.as_str(), row.as_str()) == (PLACE.table, PLACE.column, PLACE.row);
        prop_assert_eq!(dek.open(&other, &sealed).is_ok(), same);
    }

    #[test]
    fn a_wrapped_key_opens_for_its_subject_alone(subject in "[a-z0-9-]{1,36}", other in "[a-z0-9-]{1,36}", at: prop::sample::Index) {
        let _proof = verifies!(CRY03);
        let (dek, wrapped) = KEYRING.new_dek(id(7), &subject, &entropy()).unwrap();
        let sealed = dek.seal(&PLACE, b"kept", &entropy()).unwrap();
        let opened = KEYRING.unwrap_dek(id(7), &subject, &wrapped).unwrap();
        let kept = opened.open(&PLACE, &sealed).unwrap();
        prop_assert_eq!(kept.as_slice(), b"kept");
        prop_assert_eq!(KEYRING.unwrap_dek(id(7), &other, &wrapped).is_ok(), subject == other);
        prop_assert!(KEYRING.unwrap_dek(id(8), &subject, &wrapped).is_err());
        let mut spoilt = wrapped.clone();
        spoilt[at.index(wrapped.len())] ^= 1;
        prop_assert!(KEYRING.unwrap_dek(id(7), &subject, &spoilt).is_err());
    }
}

#[test]
fn a_place_is_not_a_run_of_letters() {
    let dek = dek(1);
    let sealed = dek.seal(&Binding { table: "ab", column: "c", row: "d" }, b"x", &entropy()).unwrap();
    assert!(dek.open(&Binding { table: "a", column: "bc", row: "d" }, &sealed).is_err());
}

#[test]
fn another_key_does_not_open() {
    let sealed = dek(1).seal(&PLACE, b"mine", &entropy()).unwrap();
    assert!(matches!(dek(2).open(&PLACE, &sealed), Err(Error::Unsealed)));
    // Not even one that claims to be the same key.
    assert!(matches!(dek(1).open(&PLACE, &sealed), Err(Error::Unsealed)));
    assert!(matches!(dek(1).open(&PLACE, b""), Err(Error::Unsealed)));
}

#[test]
fn index_terms_depend_on_the_key_and_the_word() {
    let _proof = verifies!(CRY06);
    let (one, other) = (dek(1), dek(2));
    assert_eq!(one.index_key().term("cafe"), one.index_key().term("cafe"));
    assert_ne!(one.index_key().term("cafe"), one.index_key().term("caf"));
    assert_ne!(one.index_key().term("cafe"), other.index_key().term("cafe"));
}

#[test]
fn derived_keys_differ_by_purpose_and_keys_print_nothing() {
    assert_eq!(KEYRING.derive("one").expose(), KEYRING.derive("one").expose());
    assert_ne!(KEYRING.derive("one").expose(), KEYRING.derive("two").expose());
    assert_eq!(KEYRING.mac("one", b"x"), KEYRING.mac("one", b"x"));
    assert_ne!(KEYRING.mac("one", b"x"), KEYRING.mac("two", b"x"));
    assert_ne!(KEYRING.mac("one", b"x"), KEYRING.mac("one", b"y"));
    let printed = format!("{:?} {:?} {:?}", *KEYRING, dek(1), dek(1).index_key());
    assert_eq!(printed, format!("Keyring(…) Dek({}) IndexKey(…)", id(1)));
}
