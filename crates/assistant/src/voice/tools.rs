//! The tools a call's model may call: the engine's own, and the client's.

use domain::{
    model::{Tool, ToolCall},
    voice::{ClientTool, Why},
};
use serde_json::json;

/// The engine's own tools. Both cannot be undone: they wait until the caller's turn is over for certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// Ends the call once what is being said has been heard.
    EndCall,
    /// The same, for a person to go on.
    HandOver,
}

impl Own {
    const ALL: [Self; 2] = [Self::EndCall, Self::HandOver];

    const fn name(self) -> &'static str {
        match self {
            Self::EndCall => "end_call",
            Self::HandOver => "hand_over",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::EndCall => {
                "End the call, when the caller has said goodbye or wants to end it. Say goodbye afterwards."
            }
            Self::HandOver => {
                "Hand the caller over to a person, when they ask for one or you cannot help. Tell them afterwards."
            }
        }
    }

    /// What a call it was used in ends of.
    pub(super) const fn why(self) -> Why {
        match self {
            Self::EndCall => Why::Agent,
            Self::HandOver => Why::HandedOver,
        }
    }

    /// What the model is told came of it.
    pub(super) const fn result(self) -> &'static str {
        match self {
            Self::EndCall => "The call ends after your next words. Say goodbye in one sentence.",
            Self::HandOver => {
                "A person takes over after your next words. Tell the caller so in one sentence."
            }
        }
    }
}

/// Whose tool a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Own(Own),
    Client {
        /// Whether it waits until the turn is over for certain.
        waits: bool,
    },
    Nobodys,
}

/// All tools the model is offered. A tool of the client cannot take the name of one of ours.
pub(super) fn offered(client: &[ClientTool]) -> Vec<Tool> {
    let own = Own::ALL.into_iter().map(|own| Tool {
        name: own.name().to_owned(),
        description: own.description().to_owned(),
        parameters: json!({ "type": "object", "properties": {}, "additionalProperties": false }),
    });
    let theirs = client.iter().filter(|client| named(&client.tool.name).is_none());
    own.chain(theirs.map(|client| client.tool.clone())).collect()
}

/// Whose tool this is.
pub(super) fn whose(call: &ToolCall, client: &[ClientTool]) -> Whose {
    if let Some(own) = named(&call.name) {
        return Whose::Own(own);
    }
    let theirs = client.iter().find(|client| client.tool.name == call.name);
    theirs.map_or(Whose::Nobodys, |client| Whose::Client { waits: client.waits })
}

fn named(name: &str) -> Option<Own> {
    Own::ALL.into_iter().find(|own| own.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(name: &str) -> ClientTool {
        let tool = Tool { name: name.into(), description: String::new(), parameters: json!({}) };
        ClientTool { tool, waits: true }
    }

    #[test]
    fn a_client_cannot_take_a_name_of_ours() {
        let tools = [client("end_call"), client("weather")];
        let names: Vec<_> = offered(&tools).into_iter().map(|tool| tool.name).collect();
        assert_eq!(names, ["end_call", "hand_over", "weather"]);
        let call = |name: &str| ToolCall { id: "1".into(), name: name.into(), arguments: "{}".into() };
        assert_eq!(whose(&call("end_call"), &tools), Whose::Own(Own::EndCall));
        assert_eq!(whose(&call("weather"), &tools), Whose::Client { waits: true });
        assert_eq!(whose(&call("bank"), &tools), Whose::Nobodys);
    }
}
