//! The tools a call's model may call: the desk's, which run here, and the client's.

use domain::{model, model::ToolCall, voice::ClientTool};

use crate::{
    Caller,
    tools::{Tool, Tools},
};

/// Whose tool a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Own(Tool),
    Client {
        /// Whether it waits until the turn is over for certain.
        waits: bool,
    },
    Nobodys,
}

/// All tools the model is offered for `caller` now. A tool of the client cannot take the name of one of ours.
pub(super) fn offered(own: &Tools, caller: &Caller, client: &[ClientTool]) -> Vec<model::Tool> {
    let theirs = client.iter().filter(|client| Tool::named(&client.tool.name).is_none());
    own.offered(caller).into_iter().chain(theirs.map(|client| client.tool.clone())).collect()
}

/// Whose tool this is.
pub(super) fn whose(call: &ToolCall, client: &[ClientTool]) -> Whose {
    if let Some(own) = Tool::named(&call.name) {
        return Whose::Own(own);
    }
    let theirs = client.iter().find(|client| client.tool.name == call.name);
    theirs.map_or(Whose::Nobodys, |client| Whose::Client { waits: client.waits })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_cannot_take_a_name_of_ours() {
        let client = |name: &str| {
            let tool = model::Tool { name: name.into(), description: String::new(), parameters: json!({}) };
            ClientTool { tool, waits: true }
        };
        let tools = [client("end_call"), client("weather")];
        let call = |name: &str| ToolCall { id: "1".into(), name: name.into(), arguments: "{}".into() };
        assert_eq!(whose(&call("end_call"), &tools), Whose::Own(Tool::EndCall));
        assert_eq!(whose(&call("weather"), &tools), Whose::Client { waits: true });
        assert_eq!(whose(&call("bank"), &tools), Whose::Nobodys);
    }
}
