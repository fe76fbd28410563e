//! The conversation as the client sees it: its items, in their order, under the names the client knows.
//!
//! What was said is kept for `conversation.item.retrieve` alone, wiped when it goes, and bounded.

use std::collections::{HashMap, VecDeque};

use domain::{enforced, id::ItemId};
use zeroize::Zeroizing;

use super::server::{Content, Item, Kind, Role, Status};

/// Most items that can be asked for again, and most of their bytes; older ones are forgotten here, not by the model.
const MOST: usize = 500;
const MOST_BYTES: usize = 2 << 20;

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
    fn bytes(&self) -> usize {
        match self {
            Self::Heard(text) => text.as_ref().map_or(0, |text| text.len()),
            Self::Written(_, text) | Self::Said { text, .. } => text.len(),
            Self::Call { name, call, arguments } => name.len() + call.len() + arguments.len(),
            Self::Output { call, output } => call.len() + output.len(),
        }
    }

    /// As the wire says it.
    fn kind(&self) -> Kind {
        let message = |role, content| Kind::Message { role, content: vec![content] };
        match self {
            Self::Heard(text) => {
                let transcript = text.as_ref().map(|text| text.as_str().into());
                message(Role::User, Content::InputAudio { transcript })
            }
            Self::Written(Role::Assistant, text) => {
                message(Role::Assistant, Content::OutputText { text: text.as_str().into() })
            }
            Self::Written(role, text) => message(*role, Content::InputText { text: text.as_str().into() }),
            Self::Said { text, spoken: true } => {
                message(Role::Assistant, Content::OutputAudio { transcript: text.as_str().into() })
            }
            Self::Said { text, spoken: false } => {
                message(Role::Assistant, Content::OutputText { text: text.as_str().into() })
            }
            Self::Call { name, call, arguments } => Kind::FunctionCall {
                name: name.clone(),
                call_id: call.clone(),
                arguments: arguments.as_str().into(),
            },
            Self::Output { call, output } => {
                Kind::FunctionCallOutput { call_id: call.clone(), output: output.as_str().into() }
            }
        }
    }
}

/// The items of a conversation.
#[derive(Default)]
pub(super) struct Items {
    order: VecDeque<ItemId>,
    held: HashMap<ItemId, (Status, Held)>,
    /// What they hold together.
    bytes: usize,
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
        self.bytes += held.bytes();
        self.held.insert(item, (status, held));
        self.shorten();
        before
    }

    /// Forgets the oldest while there are too many, or too much of them. The newest stays.
    fn shorten(&mut self) {
        while self.order.len() > MOST || (self.bytes > MOST_BYTES && self.order.len() > 1) {
            enforced!(VOI01);
            let Some(oldest) = self.order.pop_front() else { break };
            self.forget(oldest);
        }
    }

    /// Takes the client's own name away from an item that did not come to be.
    pub(super) fn unname(&mut self, item: ItemId) {
        if let Some(name) = self.names.remove(&item) {
            self.named.remove(&name);
        }
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
        if let Some((_, held)) = self.held.remove(&item) {
            self.bytes -= held.bytes();
        }
        self.unname(item);
    }

    /// An item as it is now.
    pub(super) fn get(&self, item: ItemId) -> Option<Item> {
        let (status, held) = self.held.get(&item)?;
        Some(Item::new(self.name(item), *status, held.kind()))
    }

    /// Changes what an item holds.
    pub(super) fn change(&mut self, item: ItemId, change: impl FnOnce(&mut Status, &mut Held)) {
        if let Some((status, held)) = self.held.get_mut(&item) {
            let before = held.bytes();
            change(status, held);
            self.bytes = self.bytes - before + held.bytes();
            self.shorten();
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::verifies;

    use super::*;

    fn item(number: usize) -> ItemId {
        ItemId(uuid::Uuid::from_u128(number as u128))
    }

    fn output(bytes: usize) -> Held {
        Held::Output { call: String::new(), output: Zeroizing::new("x".repeat(bytes)) }
    }

    #[test]
    fn items_are_bounded_by_their_number_and_their_bytes() {
        let _proof = verifies!(VOI01);
        let mut items = Items::default();
        for number in 0..2 * MOST {
            items.put(item(number), Status::Completed, output(10));
        }
        assert_eq!((items.order.len(), items.held.len(), items.bytes), (MOST, MOST, 10 * MOST));
        for number in 0..100 {
            assert!(items.call(item(number), number.to_string()), "their names are forgotten with them");
            items.put(item(number), Status::Completed, output(128 << 10));
        }
        assert!(items.bytes <= MOST_BYTES && items.held.len() == 16 && items.names.len() == 16);
        assert!(items.find("99").is_some() && items.find("0").is_none(), "the newest stay");
        items.change(item(99), |_, held| *held = output(MOST_BYTES + 1));
        assert_eq!((items.held.len(), items.bytes), (1, MOST_BYTES + 1), "the newest one always");
        items.remove(item(99));
        assert_eq!((items.held.len(), items.bytes, items.names.len()), (0, 0, 0));
    }
}
