//! Search over sealed history.

use domain::{Action, verifies};
use store::{conversations, search};
use testkit::{Home, Person, both_engines};

use crate::{begin_conversation, say};

async fn snippets(home: &Home, person: &Person, query: &str) -> Vec<String> {
    let hits = search::find(&home.store, &person.permit(Action::ReadChat), query, 50).await.unwrap();
    hits.into_iter().map(|hit| hit.snippet).collect()
}

both_engines!(words_are_found_as_they_are_typed, |home| {
    let _proof = verifies!(CRY06);
    let ada = home.person("Ada").await;
    let conversation = begin_conversation(&home, &ada).await;
    say(&home, &ada, conversation, None, "Where do I buy a good Café crème?").await;
    say(&home, &ada, conversation, None, "The encyclopaedia of unusual teapots").await;
    say(&home, &ada, conversation, None, "हिन्दी में लिखो").await;
    let queries = [
        ("ca", 1),
        ("cafe", 1),
        ("CAFÉ CRÈME", 1),
        ("creme good", 1),
        ("good creme x", 0),
        ("cafes", 0),
        ("encyclopae", 1),
        ("encyclopedia", 0),
        ("teapots unusu", 1),
        ("teapot unusual", 0),
        ("हिन्", 1),
        ("a", 1),
        ("", 0),
        ("?!", 0),
    ];
    for (query, found) in queries {
        assert_eq!(snippets(&home, &ada, query).await.len(), found, "{query:?} while pending");
    }
    // The store's own task may have been quicker; afterwards nothing is left to do for either.
    home.store.settle_index(&ada.ctx).await.unwrap();
    assert_eq!(home.store.settle_index(&ada.ctx).await.unwrap(), 0);
    for (query, found) in queries {
        assert_eq!(snippets(&home, &ada, query).await.len(), found, "{query:?} when sorted");
    }
});

both_engines!(the_newest_come_first_and_the_limit_holds, |home| {
    let ada = home.person("Ada").await;
    let conversation = begin_conversation(&home, &ada).await;
    for number in 0..150 {
        // Every second one shares the first eight letters only, and must be told apart by reading it.
        let word = if number % 2 == 0 { "lighthouse" } else { "lighthoused" };
        say(&home, &ada, conversation, None, &format!("{word} {number}")).await;
        if number == 70 {
            home.store.settle_index(&ada.ctx).await.unwrap();
        }
    }
    let read = ada.permit(Action::ReadChat);
    let hits = search::find(&home.store, &read, "lighthouse 1", 100).await.unwrap();
    let numbers: Vec<&str> = hits.iter().filter_map(|hit| hit.snippet.split(' ').nth(1)).collect();
    assert_eq!(&numbers[..3], ["148", "146", "144"]);
    assert_eq!(numbers.len(), 30, "10, 12..18 and 100..148: {numbers:?}");
    let few = search::find(&home.store, &read, "lighthouse 1", 2).await.unwrap();
    assert_eq!(few, hits[..2]);
    assert_eq!(hits[0].conversation.id, conversation);
    home.store.settle_index(&ada.ctx).await.unwrap();
    assert_eq!(search::find(&home.store, &read, "lighthouse 1", 100).await.unwrap(), hits);
});

both_engines!(the_store_sorts_its_index_by_itself, |home| {
    let ada = home.person("Ada").await;
    let conversation = begin_conversation(&home, &ada).await;
    say(&home, &ada, conversation, None, "soon to be sorted").await;
    let begun = std::time::Instant::now();
    // The look itself is the event waited for: each round asks the database.
    while home.spoil("UPDATE search_pending SET moved = moved").await > 0 {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "it is still pending");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(snippets(&home, &ada, "sorted").await.len(), 1);
});

both_engines!(a_long_message_is_indexed_whole, |home| {
    let ada = home.person("Ada").await;
    let conversation = begin_conversation(&home, &ada).await;
    let text: String = (0..4000).map(|number| format!("word{number:04} ")).collect();
    say(&home, &ada, conversation, None, &text).await;
    let found = snippets(&home, &ada, "word0000 word3999").await;
    assert_eq!(found.len(), 1);
    home.store.settle_index(&ada.ctx).await.unwrap();
    assert_eq!(snippets(&home, &ada, "word0000 word3999").await, found);
    assert!(found[0].chars().count() < 200, "{}", found[0]);
});

both_engines!(a_conversation_is_found_by_its_title, |home| {
    let (ada, eve) = (home.person("Ada").await, home.person("Eve").await);
    let (first, second) = (begin_conversation(&home, &ada).await, begin_conversation(&home, &ada).await);
    say(&home, &ada, first, None, "Which boat floats?").await;
    let head = say(&home, &ada, first, None, "The wooden one.").await;
    say(&home, &ada, second, None, "Which voyage is long?").await;
    let empty = begin_conversation(&home, &ada).await;
    for (id, title) in
        [(first, "A Voyage to Zürich"), (second, "The long voyage"), (empty, "Voyage of nobody")]
    {
        let mut tx = home.store.begin(&ada.ctx).await.unwrap();
        conversations::rename(&mut tx, &ada.permit(Action::WriteChat), id, title).await.unwrap();
        tx.commit(crate::entry()).await.unwrap();
    }
    let read = ada.permit(Action::ReadChat);
    let hits = search::find(&home.store, &read, "voyage zuri", 50).await.unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!((hits[0].conversation.id, hits[0].message), (first, head), "it leads to the last message");
    assert_eq!(hits[0].snippet, "A Voyage to Zürich");
    // Found by a message already: not shown again for its title. One without messages leads nowhere.
    let hits = search::find(&home.store, &read, "voyage", 50).await.unwrap();
    let found: Vec<_> = hits.iter().map(|hit| (hit.conversation.id, hit.snippet.as_str())).collect();
    assert_eq!(found, [(first, "A Voyage to Zürich"), (second, "Which voyage is long?")]);
    assert_eq!(search::find(&home.store, &read, "voyage", 1).await.unwrap().len(), 1);
    assert!(
        snippets(&home, &ada, "boat zurich").await.is_empty(),
        "not half in the title, half in a message"
    );
    assert!(snippets(&home, &eve, "voyage").await.is_empty());
});
