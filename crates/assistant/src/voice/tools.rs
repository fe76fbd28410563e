//! The tools a call's model may call: the desk's, which run here, and the client's.

use domain::{enforced, model, model::ToolCall, voice::ClientTool};

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

/// Whether a tool of ours is there: those of the desk serve customers, so they are in calls of the desk alone; ending
/// the call is in all of them.
const fn is_here(tool: Tool, desk: bool) -> bool {
    desk || matches!(tool, Tool::EndCall)
}

/// All tools the model is offered for `caller` now, in a call of the `desk` or in another. A tool of the client cannot
/// take the name of one of ours that is here.
pub(super) fn offered(own: &Tools, desk: bool, caller: &Caller, client: &[ClientTool]) -> Vec<model::Tool> {
    let here = |name: &str| Tool::named(name).is_some_and(|tool| is_here(tool, desk));
    let ours = own.offered(caller).into_iter().filter(|tool| here(&tool.name));
    let theirs = client.iter().filter(|client| !here(&client.tool.name));
    ours.chain(theirs.map(|client| client.tool.clone())).collect()
}

/// Whose tool this is.
pub(super) fn whose(call: &ToolCall, desk: bool, client: &[ClientTool]) -> Whose {
    if let Some(own) = Tool::named(&call.name) {
        if is_here(own, desk) {
            return Whose::Own(own);
        }
        enforced!(DSK01);
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
        for desk in [true, false] {
            assert_eq!(whose(&call("end_call"), desk, &tools), Whose::Own(Tool::EndCall));
            assert_eq!(whose(&call("weather"), desk, &tools), Whose::Client { waits: true });
            assert_eq!(whose(&call("bank"), desk, &tools), Whose::Nobodys);
        }
        assert_eq!(whose(&call("find_orders"), true, &tools), Whose::Own(Tool::FindOrders));
        assert_eq!(whose(&call("find_orders"), false, &tools), Whose::Nobodys);
    }
}
