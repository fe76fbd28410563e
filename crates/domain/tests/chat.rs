//! The tree of messages: paths, branches, siblings, deletion; also over trees nobody meant to make.

use std::collections::HashSet;

use domain::{
    Timestamp,
    chat::{Author, Body, Message, Tree},
    id::MessageId,
};
use proptest::prelude::*;

fn id(n: u128) -> MessageId {
    MessageId(uuid::Uuid::from_u128(n))
}

fn message(n: u128, parent: Option<u128>, author: Author) -> Message {
    let at = Timestamp(i64::try_from(n).unwrap_or(i64::MAX));
    Message { id: id(n), parent: parent.map(id), author, body: Body::default(), at }
}

/// 1 ask ─ 2 answer ─ 3 ask ─ 4 answer
///    │                    └─ 5 answer again
///    └─ 6 answer again ─ 7 ask          8 ask, a second root
fn tree() -> Tree {
    use Author::{Assistant as A, User as U};
    Tree::new(vec![
        message(5, Some(3), A),
        message(1, None, U),
        message(3, Some(2), U),
        message(2, Some(1), A),
        message(4, Some(3), A),
        message(7, Some(6), U),
        message(6, Some(1), A),
        message(8, None, U),
    ])
}

fn numbers<'a>(messages: impl IntoIterator<Item = &'a Message>) -> Vec<u128> {
    messages.into_iter().map(|message| message.id.0.as_u128()).collect()
}

#[test]
fn messages_are_kept_oldest_first_whatever_order_they_came_in() {
    assert_eq!(numbers(tree().messages()), [1, 2, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn a_path_leads_from_the_root_to_the_leaf() {
    assert_eq!(numbers(tree().path(id(5))), [1, 2, 3, 5]);
    assert_eq!(numbers(tree().path(id(8))), [8]);
    assert!(tree().path(id(99)).is_empty());
}

#[test]
fn choosing_a_branch_arrives_at_its_newest_leaf() {
    assert_eq!(tree().newest_leaf(id(2)), id(5));
    assert_eq!(tree().newest_leaf(id(1)), id(7));
    assert_eq!(tree().newest_leaf(id(4)), id(4));
}

#[test]
fn shown_messages_know_their_siblings_and_their_place_among_them() {
    let tree = tree();
    let shown = tree.shown(id(5));
    let places: Vec<_> = shown.iter().map(|s| (s.ordinal(), s.siblings.len())).collect();
    assert_eq!(places, [(1, 2), (1, 2), (1, 1), (2, 2)]);
}

#[test]
fn deleting_takes_everything_below_along_and_nothing_else() {
    let below = |n| tree().below(id(n)).into_iter().map(|id| id.0.as_u128()).collect::<HashSet<_>>();
    assert_eq!(below(3), HashSet::from([3, 4, 5]));
    assert_eq!(below(1), HashSet::from([1, 2, 3, 4, 5, 6, 7]));
    assert_eq!(below(7), HashSet::from([7]));
}

#[test]
fn a_tree_that_runs_in_a_circle_ends_anyway() {
    let tree = Tree::new(vec![
        message(1, Some(3), Author::User),
        message(2, Some(1), Author::Assistant),
        message(3, Some(2), Author::User),
        message(4, Some(4), Author::User),
    ]);
    assert!(tree.path(id(3)).is_empty());
    assert!(tree.path(id(4)).is_empty());
    let _ = tree.newest_leaf(id(1));
    assert_eq!(tree.below(id(1)).len(), 3);
    assert_eq!(tree.below(id(4)), [id(4)]);
}

#[test]
fn a_conversation_of_the_greatest_length_is_walked_at_once() {
    let long = u128::try_from(domain::chat::MAX_MESSAGES).unwrap();
    let messages = (1..=long).map(|n| message(n, (n > 1).then(|| n - 1), Author::User)).collect();
    let tree = Tree::new(messages);
    // Walks whose cost grows with the square would take minutes here; the test's own limit catches them.
    assert_eq!(tree.shown(id(long)).len(), domain::chat::MAX_MESSAGES);
    assert_eq!(tree.newest_leaf(id(1)), id(long));
    assert_eq!(tree.below(id(1)).len(), domain::chat::MAX_MESSAGES);
}

proptest! {
    /// Trees in which each message follows an earlier one, as all honest ones do.
    #[test]
    fn every_leaf_of_an_honest_tree_can_be_shown(parents in proptest::collection::vec(0_u128..30, 1..30)) {
        let messages: Vec<_> = parents
            .iter()
            .zip(1_u128..)
            .map(|(parent, n)| message(n, (*parent != 0).then(|| (parent % n).max(1)).filter(|p| *p < n), Author::User))
            .collect();
        let tree = Tree::new(messages.clone());
        for one in &messages {
            let path = tree.path(one.id);
            prop_assert_eq!(path.last().map(|m| m.id), Some(one.id));
            prop_assert_eq!(path[0].parent, None);
            prop_assert!(path.windows(2).all(|pair| pair[1].parent == Some(pair[0].id)));
            let leaf = tree.newest_leaf(one.id);
            prop_assert!(tree.path(leaf).iter().any(|m| m.id == one.id));
            let below: HashSet<_> = tree.below(one.id).into_iter().collect();
            for other in &messages {
                let under = tree.path(other.id).iter().any(|m| m.id == one.id);
                prop_assert_eq!(below.contains(&other.id), under);
            }
            for shown in tree.shown(one.id) {
                prop_assert!(shown.siblings.contains(&shown.message.id));
                prop_assert_eq!(shown.siblings[shown.ordinal() - 1], shown.message.id);
            }
        }
    }

    /// Parents chosen without any sense: circles, strangers, oneself.
    #[test]
    fn no_tree_hangs_or_stumbles(parents in proptest::collection::vec(proptest::option::of(0_u128..12), 0..12)) {
        let messages: Vec<_> =
            parents.into_iter().zip(0_u128..).map(|(parent, n)| message(n, parent, Author::User)).collect();
        let tree = Tree::new(messages);
        for n in 0..12 {
            prop_assert!(tree.path(id(n)).len() <= tree.messages().len());
            prop_assert!(tree.below(id(n)).len() <= tree.messages().len() + 1);
            let _ = (tree.newest_leaf(id(n)), tree.shown(id(n)));
        }
    }
}
