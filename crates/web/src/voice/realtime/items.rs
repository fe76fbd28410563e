//! The conversation as the client sees it: its items, in their order, under the names the client knows.
//!
//! What was said is kept for `conversation.item.retrieve` alone, wiped when it goes, and bounded.

use std::collections::{HashMap, VecDeque};

use domain::id::ItemId;
use zeroize::Zeroizing;

use super::server::{Content, Item, Kind, Role, Status};

/// Most items that can be asked for again; older ones are forgotten here, not by the model.
const MOST: usize = 500;

/// What an item holds.
#[derive(Clone)]
pub(super) enum Held {
    /// Words of the caller; `None` until they were recognised.
    Heard(Option<Zeroizing<String>>),
    /// What somebody wrote.
    Written(Role, Zeroizing<String>),
    /// What the agent says, spoken or not.
    Said {
        /// The words.
        text: Zeroizing<String>,
        /// Whether they are heard.
        spoken: bool,
    },
    /// A call of a tool.
    Call {
        /// The tool.
        name: String,
        /// Which call.
        call: String,
        /// What it is given.
        arguments: Zeroizing<String>,
    },
    /// What came of it.
    Output {
        /// Which call.
        call: String,
        /// What came.
        output: Zeroizing<String>,
    },
}

impl Held {
    /// As the wire says it.
    fn kind(&self) -> Kind {
        let message = |role, content| Kind::Message { role, content: vec![content] };
        match self {
            Self::Heard(text) => {
                let transcript = text.as_ref().map(|text| text.to_string());
                message(Role::User, Content::InputAudio { transcript })
            }
            Self::Written(Role::Assistant, text) => {
                message(Role::Assistant, Content::OutputText { text: text.to_string() })
            }
            Self::Written(role, text) => message(*role, Content::InputText { text: text.to_string() }),
            Self::Said { text, spoken: true } => {
                message(Role::Assistant, Content::OutputAudio { transcript: text.to_string() })
            }
            Self::Said { text, spoken: false } => {
                message(Role::Assistant, Content::OutputText { text: text.to_string() })
            }
            Self::Call { name, call, arguments } => Kind::FunctionCall {
                name: name.clone(),
                call_id: call.clone(),
                arguments: arguments.to_string(),
            },
            Self::Output { call, output } => {
                Kind::FunctionCallOutput { call_id: call.clone(), output: output.to_string() }
            }
        }
    }
}

/// The items of a conversation.
#[derive(Default)]
pub(super) struct Items {
    order: VecDeque<ItemId>,
    held: HashMap<ItemId, (Status, Held)>,
    /// Names clients gave, and what they stand for here.
    names: HashMap<ItemId, String>,
    named: HashMap<String, ItemId>,
    last: Option<ItemId>,
}

impl Items {
    /// The name the client knows an item by.
    pub(super) fn name(&self, item: ItemId) -> String {
        self.names.get(&item).cloned().unwrap_or_else(|| format!("item_{}", item.0.simple()))
    }

    /// The item the client calls this, if there is one.
    pub(super) fn find(&self, name: &str) -> Option<ItemId> {
        let made = || {
            let item = ItemId(uuid::Uuid::try_parse(name.strip_prefix("item_")?).ok()?);
            self.held.contains_key(&item).then_some(item)
        };
        self.named.get(name).copied().or_else(made)
    }

    /// Gives an item the client's own name. `false`: another one has it.
    pub(super) fn call(&mut self, item: ItemId, name: String) -> bool {
        if self.find(&name).is_some() {
            return false;
        }
        self.names.insert(item, name.clone());
        self.named.insert(name, item);
        true
    }

    /// The name of the newest item.
    pub(super) fn last_name(&self) -> Option<String> {
        self.last.map(|last| self.name(last))
    }

    /// Puts an item at the end, and says the name of the one before it.
    pub(super) fn put(&mut self, item: ItemId, status: Status, held: Held) -> Option<String> {
        let before = self.last_name();
        self.last = Some(item);
        self.order.push_back(item);
        self.held.insert(item, (status, held));
        while self.order.len() > MOST {
            let Some(oldest) = self.order.pop_front() else { break };
            self.forget(oldest);
        }
        before
    }

    /// The name of the item before this one.
    pub(super) fn before(&self, item: ItemId) -> Option<String> {
        let at = self.order.iter().rposition(|one| *one == item)?;
        self.order.get(at.checked_sub(1)?).map(|before| self.name(*before))
    }

    /// Forgets an item.
    pub(super) fn remove(&mut self, item: ItemId) {
        self.order.retain(|one| *one != item);
        self.forget(item);
        if self.last == Some(item) {
            self.last = self.order.back().copied();
        }
    }

    fn forget(&mut self, item: ItemId) {
        self.held.remove(&item);
        if let Some(name) = self.names.remove(&item) {
            self.named.remove(&name);
        }
    }

    /// An item as it is now.
    pub(super) fn get(&self, item: ItemId) -> Option<Item> {
        let (status, held) = self.held.get(&item)?;
        Some(Item::new(self.name(item), *status, held.kind()))
    }

    /// Changes what an item holds.
    pub(super) fn change(&mut self, item: ItemId, change: impl FnOnce(&mut Status, &mut Held)) {
        if let Some((status, held)) = self.held.get_mut(&item) {
            change(status, held);
        }
    }
}
