//! The words our scripts say: some of the page's own, some only theirs.

use serde_json::{Map, Value, json};

use super::Words;

/// What only scripts say: its key, in English, in Hindi.
const OWN: [(&str, &str, &str); 18] = [
    ("undo", "Undo", "वापस लें"),
    ("archived", "Put away.", "संग्रह में रखा गया।"),
    ("unarchived", "Back among your chats.", "संग्रह से निकाला गया।"),
    ("deleted", "Deleted.", "मिटा दिया गया।"),
    ("moved", "Moved.", "रखा गया।"),
    ("name", "Name", "नाम"),
    ("deleteChat", "Delete this chat?", "यह बातचीत मिटाएँ?"),
    (
        "deleteChatText",
        "All its messages go, at once and for good. There is no undo.",
        "इसके सभी संदेश तुरंत और हमेशा के लिए मिट जाएँगे।",
    ),
    ("deleteMessage", "Delete this message?", "यह संदेश मिटाएँ?"),
    (
        "deleteMessageText",
        "It goes for good, with every answer below it.",
        "यह और इसके नीचे के सभी उत्तर हमेशा के लिए मिट जाएँगे।",
    ),
    ("deleteFolder", "Delete this folder?", "यह फ़ोल्डर मिटाएँ?"),
    ("deleteFolderText", "The chats in it stay.", "इसमें की बातचीत बनी रहेंगी।"),
    ("offline", "The connection is gone. Trying again…", "संपर्क टूट गया। फिर कोशिश हो रही है…"),
    ("back", "Connected again.", "फिर जुड़ गए।"),
    ("signedOut", "You are signed out. Sign in to go on.", "आप साइन आउट हैं। आगे बढ़ने के लिए साइन इन करें।"),
    (
        "unsaved",
        "What you are writing could not be saved. Copy it before you leave this page.",
        "जो आप लिख रहे हैं वह सहेजा नहीं जा सका। पृष्ठ छोड़ने से पहले उसे कॉपी कर लें।",
    ),
    ("wrong", "That did not work. Try again.", "यह नहीं हुआ। फिर कोशिश करें।"),
    ("palette", "Go to a chat or do something", "बातचीत पर जाएँ या कुछ करें"),
];

/// The keys of the keyboard: what for, in English, in Hindi; which.
const KEYS: [(&str, &str, &str); 7] = [
    ("Send", "भेजें", "Enter"),
    ("New line", "नई पंक्ति", "Shift Enter"),
    ("Stop the answer", "उत्तर रोकें", "Esc"),
    ("Find or do anything", "कुछ भी खोजें या करें", "Ctrl K"),
    ("New chat", "नई बातचीत", "Ctrl Shift O"),
    ("Edit your last message", "अपना पिछला संदेश बदलें", "↑"),
    ("Show this list", "यह सूची दिखाएँ", "?"),
];

impl Words {
    /// Everything the scripts of the chat say.
    #[must_use]
    pub fn for_scripts(&self) -> Value {
        let is_hindi = self.lang == "hi";
        let pick = |english, hindi| if is_hindi { hindi } else { english };
        let shared = [
            ("cancel", self.cancel),
            ("save", self.save),
            ("close", self.close),
            ("copied", self.copied),
            ("copyCode", self.copy_code),
            ("rename", self.rename),
            ("pin", self.pin),
            ("unpin", self.unpin),
            ("moveTo", self.move_to),
            ("noFolder", self.no_folder),
            ("newFolder", self.new_folder),
            ("putAway", self.put_away),
            ("takeBack", self.take_back),
            ("markdown", self.export_markdown),
            ("json", self.export_json),
            ("delete", self.delete),
            ("kept", self.kept),
            ("send", self.send),
            ("stop", self.stop),
            ("writing", self.writing),
            ("doneWriting", self.done_writing),
            ("waiting", self.waiting),
            ("shortcuts", self.shortcuts),
            ("newChat", self.new_chat),
            ("chats", self.chats),
            ("temporary", self.temporary),
            ("archive", self.archive),
            ("account", self.account),
            ("trust", self.trust),
            ("models", self.models),
            ("signOut", self.sign_out),
            ("search", self.search),
            ("message", self.message),
            ("answer", self.answer),
            ("you", self.you_said),
        ];
        let own = OWN.iter().map(|(key, english, hindi)| (*key, pick(*english, *hindi)));
        let mut all: Map<String, Value> =
            shared.into_iter().chain(own).map(|(key, word)| (key.to_owned(), word.into())).collect();
        let keys = KEYS.iter().map(|(english, hindi, keys)| json!([pick(*english, *hindi), keys]));
        all.insert("keyList".to_owned(), keys.collect());
        Value::Object(all)
    }
}
