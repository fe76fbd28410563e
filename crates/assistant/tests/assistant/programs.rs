//! Completions and embeddings for programs.

use assistant::{Error, Limits};
use domain::{
    Actor,
    id::ApiKeyId,
    model::{Delta, Finish, Line, Prompt, Speaker},
    verifies,
};
use futures::StreamExt;
use testkit::Home;

use crate::house::{assistant, with_limits};

fn prompt(text: &str) -> Prompt {
    Prompt::new("scripted", vec![Line::new(Speaker::User, text)])
}

#[test]
fn a_program_is_answered_and_nothing_is_kept() {
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = assistant(&home);
        let key = ApiKeyId::fresh(&ann.ctx);
        let program =
            home.ctx(Actor::ApiKey { user: ann.id, key, scopes: domain::access::Role::User.rights() });
        let steps: Vec<_> = assistant.complete(&program, prompt("hello")).await.unwrap().collect().await;
        assert!(matches!(steps.last(), Some(Ok(Delta::Done { finish: Finish::Stop, .. }))));
        let (vectors, usage) = assistant.embed(&program, "scripted", vec!["a b".into()]).await.unwrap();
        assert_eq!((vectors.len(), usage.prompt_tokens), (1, 2));
        assert!(assistant.list(&ann.ctx, false).await.unwrap().is_empty());
        let unknown = Prompt { model: "gone".into(), ..prompt("hello") };
        assert!(matches!(assistant.complete(&program, unknown).await.map(drop), Err(Error::UnknownModel)));
        let nobody = home.ctx(Actor::Anonymous);
        assert!(matches!(assistant.complete(&nobody, prompt("x")).await.map(drop), Err(Error::Denied(_))));
    });
}

#[test]
fn programs_are_bounded_and_leaving_makes_room() {
    let _proof = verifies!(MOD03);
    testkit::run(async {
        let home = Home::sqlite().await;
        let ann = home.person("ann").await;
        let assistant = with_limits(&home, Limits { completions_per_person: 1, ..Limits::default() });
        let hanging = assistant.complete(&ann.ctx, prompt("hang")).await.unwrap();
        assert!(matches!(assistant.complete(&ann.ctx, prompt("x")).await.map(drop), Err(Error::Busy { .. })));
        drop(hanging);
        let long: Vec<_> = assistant.complete(&ann.ctx, prompt("long 100000")).await.unwrap().collect().await;
        assert!(matches!(long.last(), Some(Ok(Delta::Done { finish: Finish::Length, .. }))));
        let bytes: usize =
            long.iter().map(|step| if let Ok(Delta::Text(text)) = step { text.len() } else { 0 }).sum();
        assert!(bytes <= assistant::MAX_ANSWER_BYTES);
    });
}
