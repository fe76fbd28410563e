//! The words of the page one talks on, and of its scripts. Reached as [`Words::talk`](super::Words::talk).

use serde_json::{Value, json};

use super::Words;

both_languages! { Talk,
    title: "Talk", "बात करें";
    disclosure: "You are talking to an AI, not a person. It can be wrong.", "आप एक AI से बात कर रहे हैं, किसी व्यक्ति से नहीं। यह ग़लत हो सकता है।";
    where_local: "Your voice is heard and answered on this server alone.", "आपकी आवाज़ केवल इसी सर्वर पर सुनी और समझी जाती है।";
    english_only: "It hears and speaks English.", "यह अंग्रेज़ी सुनता और बोलता है।";
    agree: "I agree, go on", "मैं सहमत हूँ, आगे बढ़ें";
    not_now: "Not now", "अभी नहीं";
    required: "needed", "ज़रूरी";
    superseded: "The wording has changed since you agreed, so you are asked again.", "आपकी सहमति के बाद शब्द बदले हैं, इसलिए फिर से पूछा जा रहा है।";
    nothing_hears: "Nothing can hear or speak here yet.", "यहाँ अभी कुछ भी सुन या बोल नहीं सकता।";
    nothing_hears_text: "The models of speech are fetched like the language model. The page Models says how far that is, and what to do if it stopped.", "बोली के मॉडल भाषा मॉडल की तरह लाए जाते हैं। \"मॉडल\" पृष्ठ बताता है कि काम कहाँ तक पहुँचा और रुकने पर क्या करना है।";
    needs_script: "Talking takes scripts: switch them on for this page, or write in the chat instead.", "बात करने के लिए स्क्रिप्ट चाहिए: इस पृष्ठ के लिए उन्हें चालू करें, या बातचीत में लिखें।";
    ready: "Ready when you are", "जब आप तैयार हों";
    start: "Start talking", "बात शुरू करें";
    again: "Talk again", "फिर बात करें";
    without: "Write only, no microphone", "केवल लिखें, माइक्रोफ़ोन नहीं";
    mute: "Mute", "आवाज़ बंद";
    interrupt: "Interrupt", "टोकें";
    hang_up: "Hang up", "कॉल समाप्त करें";
    captions: "What is said", "जो कहा गया";
    write: "Write instead", "बोलने के बजाय लिखें";
    send: "Send", "भेजें";
    you: "You", "आप";
    for_desk: "Serve a customer of the voice desk", "वॉयस डेस्क के किसी ग्राहक की सेवा करें";
    for_desk_text: "Who proves who they are hears about their orders and appointments. Staff may read along, which is said aloud and shown; nothing of it is kept among your chats.", "जो अपनी पहचान सिद्ध करे, वह अपने ऑर्डर और मुलाक़ातें सुन सकता है। कर्मचारी साथ पढ़ सकते हैं, यह बोला और दिखाया जाता है; इसमें से कुछ भी आपकी बातचीत में नहीं रखा जाता।";
    microphone: "Microphone", "माइक्रोफ़ोन";
    usual_microphone: "The usual one", "सामान्य वाला";
    details: "How long the last answer took", "पिछले उत्तर में कितना समय लगा";
    no_answer_yet: "Nothing has been answered yet.", "अभी कोई उत्तर नहीं दिया गया।";
    stage_pause: "Waiting whether you go on", "यह देखना कि आप बोल चुके";
    stage_words: "Your words", "आपके शब्द";
    stage_thought: "First thought", "पहला विचार";
    stage_sentence: "First sentence", "पहला वाक्य";
    stage_tools: "Looking things up", "जानकारी देखना";
    stage_voice: "Its voice", "उसकी आवाज़";
    stage_total: "Until you heard it", "आपके सुनने तक";
    agreed: "What you agreed to", "आपने किस पर सहमति दी";
    change: "Change", "बदलें";
    withdraw: "Take it all back", "सब वापस लें";
    withdraw_text: "A call that is running ends at once.", "चल रही कॉल तुरंत समाप्त होती है।";
    withdrawn: "Taken back. Nothing of your voice is used any more.", "वापस ले लिया। अब आपकी आवाज़ का कोई उपयोग नहीं होता।";
    transcript: "Read the call among your chats", "कॉल को अपनी बातचीत में पढ़ें";
    keys: "Esc interrupts, M mutes.", "Esc टोकता है, M आवाज़ बंद करता है।";
}

/// What only the scripts say: a key, in English, in Hindi. Those of `state-` are what the circle shows, of `ended-` why
/// a call ended, of `trouble-` what did not work in it.
const SAID: [(&str, &str, &str); 32] = [
    ("state-opening", "Calling…", "कॉल लग रही है…"),
    ("state-listening", "Listening", "सुन रहा है"),
    ("state-hearing", "Hearing you", "आपको सुन रहा है"),
    ("state-thinking", "Thinking", "सोच रहा है"),
    ("state-looking", "Looking it up", "जानकारी देख रहा है"),
    ("state-speaking", "Speaking", "बोल रहा है"),
    ("state-muted", "You are muted", "आपकी आवाज़ बंद है"),
    ("watched", "A member of staff reads along.", "एक कर्मचारी साथ पढ़ रहा है।"),
    ("held", "You are talking to a person.", "अब आप एक व्यक्ति से बात कर रहे हैं।"),
    ("not-heard", "(not understood)", "(समझ नहीं आया)"),
    (
        "no-microphone",
        "The browser gives no microphone. Allow it beside the address, or write instead.",
        "ब्राउज़र माइक्रोफ़ोन नहीं दे रहा। पते के पास अनुमति दें, या लिखें।",
    ),
    (
        "not-opened",
        "The call could not be opened: too many are held just now, or you are signed out. Try again in a moment.",
        "कॉल नहीं लग सकी: अभी बहुत सारी कॉल चल रही हैं, या आप साइन आउट हैं। थोड़ी देर में फिर कोशिश करें।",
    ),
    ("ended-hung_up", "You hung up.", "आपने कॉल समाप्त की।"),
    ("ended-agent", "The call is over.", "कॉल समाप्त हुई।"),
    ("ended-staff", "A member of staff ended the call.", "एक कर्मचारी ने कॉल समाप्त की।"),
    ("ended-handed_over", "A person will go on with this.", "अब कोई व्यक्ति आगे बात करेगा।"),
    ("ended-too_long", "The longest time of a call is over.", "कॉल का अधिकतम समय समाप्त हुआ।"),
    (
        "ended-idle",
        "Nobody spoke for long, so the call was ended.",
        "बहुत देर तक कोई नहीं बोला, इसलिए कॉल समाप्त की गई।",
    ),
    ("ended-used_up", "Your time for voice is used up for now.", "फ़िलहाल आपका बोलने का समय समाप्त हो गया है।"),
    (
        "ended-session_ended",
        "Ended: you are signed out, or you took your consent back.",
        "समाप्त: आप साइन आउट हैं, या आपने सहमति वापस ले ली।",
    ),
    (
        "ended-closing",
        "The server is being restarted. Call again in a moment.",
        "सर्वर फिर से शुरू हो रहा है। थोड़ी देर में फिर कॉल करें।",
    ),
    (
        "ended-busy",
        "Too much is going on here. Try again in a moment.",
        "यहाँ अभी बहुत काम है। थोड़ी देर में फिर कोशिश करें।",
    ),
    (
        "ended-broken",
        "The call broke off. Nothing is lost of what was kept.",
        "कॉल टूट गई। जो रखा गया था वह सुरक्षित है।",
    ),
    ("trouble-listening", "What you said could not be recognised.", "आपकी बात पहचानी नहीं जा सकी।"),
    ("trouble-thinking", "The answer did not come.", "उत्तर नहीं आया।"),
    ("trouble-stalled", "The answer took too long.", "उत्तर में बहुत समय लगा।"),
    ("trouble-speaking", "The voice failed; read the answer here.", "आवाज़ नहीं आ सकी; उत्तर यहाँ पढ़ें।"),
    ("trouble-tool", "Something could not be looked up.", "कुछ जानकारी नहीं देखी जा सकी।"),
    ("trouble-keeping", "This part could not be kept.", "यह भाग रखा नहीं जा सका।"),
    ("trouble-busy", "Too much at once. Try again in a moment.", "एक साथ बहुत कुछ। थोड़ी देर में फिर कोशिश करें।"),
    ("trouble-text", "That is empty or too long.", "यह ख़ाली है या बहुत लंबा।"),
    ("trouble-other", "Something did not work; the call goes on.", "कुछ ठीक नहीं हुआ; कॉल जारी है।"),
];

impl Words {
    /// Everything the scripts of a call say.
    #[must_use]
    pub fn for_calls(&self) -> Value {
        let own = SAID.iter().map(|(key, english, hindi)| {
            ((*key).to_owned(), Value::from(if self.lang == "hi" { *hindi } else { *english }))
        });
        let mut said: serde_json::Map<String, Value> = own.collect();
        said.extend([("you".to_owned(), json!(self.talk.you)), ("start".to_owned(), json!(self.talk.again))]);
        said.into()
    }
}
