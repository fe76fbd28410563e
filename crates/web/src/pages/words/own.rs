//! The words of the pages about oneself: the account, its factors, its keys, what a person is told. Both languages
//! side by side, so that none is without the other.
//!
//! Reached as [`Words::own`](super::Words::own). `{}` stands for a value, put in by [`filled`](super::filled).

both_languages! { Own,
    // The account page.
    since: "Your account since {}.", "आपका खाता {} से है।";
    leave: "Leave", "छोड़ना";
    looks_title: "How it looks", "दिखावट";
    looks_text: "Hindi covers signing in, chatting and your account; administration and the trust page are in English so far.", "हिंदी में साइन इन, बातचीत और आपका खाता है; प्रबंधन और भरोसे के पृष्ठ अभी अंग्रेज़ी में हैं।";
    language: "Language", "भाषा";
    by_browser: "As the browser asks", "जैसा ब्राउज़र चाहे";
    theme: "Theme", "रंग-रूप";
    by_system: "As the system prefers", "जैसा सिस्टम चाहे";
    light: "Light", "उजला";
    dark: "Dark", "गहरा";
    ways_title: "Ways to sign in", "साइन इन करने के तरीक़े";
    password_due: "To be changed before {}", "{} से पहले बदलना है";
    set: "Set", "तय है";
    none_yet: "None yet", "अभी कोई नहीं";
    passkeys: "Passkeys", "पासकी";
    passkeys_kept: "{} kept", "{} रखी हुई";
    authenticator: "Authenticator app", "ऑथेंटिकेटर ऐप";
    authenticator_short: "Six digits, asked for after the password", "छह अंक, जो पासवर्ड के बाद माँगे जाते हैं";
    codes: "Recovery codes", "रिकवरी कोड";
    codes_short: "{} left; each opens your account once", "{} शेष; हर कोड एक बार खाता खोलता है";
    codes_later: "With your first factor", "पहले कारक के साथ";
    codes_few: "Few left", "कम बचे हैं";
    to_factors: "Passkeys and authenticator", "पासकी और ऑथेंटिकेटर";
    confirm_change: "Change the password or the codes", "पासवर्ड या कोड बदलें";
    confirm_hint: "You are asked to confirm that it is you.", "आपसे पुष्टि माँगी जाएगी कि यह आप ही हैं।";
    change_password: "Change the password", "पासवर्ड बदलें";
    password_now: "Password now", "अभी का पासवर्ड";
    elsewhere_out: "Everywhere else you will be signed out.", "बाकी हर जगह से आप साइन आउट हो जाएँगे।";
    change_it: "Change it", "बदलें";
    new_codes: "Make new recovery codes", "नए रिकवरी कोड बनाएँ";
    digits_of_yours: "Six digits of your authenticator", "आपके ऑथेंटिकेटर के छह अंक";
    old_codes_end: "The old codes end at once.", "पुराने कोड तुरंत बेकार हो जाते हैं।";
    make_them: "Make them", "बनाएँ";
    rules_classic: "Passwords follow the classic rules: characters of four kinds, changed from time to time. NIST SP 800-63B-4 advises against both; this server keeps them because its published policies promise them.", "पासवर्ड पुराने नियमों पर चलते हैं: चार तरह के अक्षर, समय-समय पर बदलाव। NIST SP 800-63B-4 दोनों के विरुद्ध सलाह देता है; यह सर्वर इन्हें इसलिए रखता है कि इसकी प्रकाशित नीतियाँ इनका वादा करती हैं।";
    rules_nist: "Passwords follow NIST SP 800-63B-4: length and a list of refused ones instead of kinds of characters, and a change only when a password may be known to others.", "पासवर्ड NIST SP 800-63B-4 पर चलते हैं: अक्षरों के प्रकार के बजाय लंबाई और अस्वीकृत पासवर्डों की सूची, और बदलाव तभी जब पासवर्ड दूसरों को पता हो सकता है।";
    data_title: "Your data", "आपका डेटा";
    data_text: "Your chats are sealed with a key of your own and kept until you delete them.", "आपकी बातचीत आपकी अपनी कुंजी से सीलबंद है और तब तक रखी जाती है जब तक आप मिटा न दें।";
    take_json: "Take all chats along (JSON)", "सारी बातचीत साथ ले जाएँ (JSON)";
    take_markdown: "To read (Markdown)", "पढ़ने के लिए (Markdown)";
    bring: "Bring chats in", "बातचीत अंदर लाएँ";
    bring_file: "A file that Troth exported (JSON)", "Troth से निर्यात की हुई फ़ाइल (JSON)";
    bring_them: "Bring them in", "अंदर लाएँ";
    delete_chats: "Delete all chats", "सारी बातचीत मिटाएँ";
    delete_chats_sure: "Delete every chat of mine, archived ones too. This cannot be undone.", "मेरी हर बातचीत मिटाएँ, संग्रह वाली भी। यह वापस नहीं लिया जा सकता।";
    done_looks: "Saved.", "सहेजा गया।";
    done_password: "The password is changed. Everywhere else you are signed out.", "पासवर्ड बदल गया। बाकी हर जगह से आप साइन आउट हैं।";
    done_session: "That session is ended.", "वह सत्र समाप्त हुआ।";
    done_key: "The key is revoked. It opens nothing any more.", "कुंजी रद्द हुई। अब वह कुछ नहीं खोलती।";
    done_address: "A link is on its way to that address. Follow it, and the address is yours here.", "उस पते पर एक लिंक भेजा गया है। उसे खोलें, और यहाँ वह पता आपका हो जाएगा।";
    done_no_address: "The address is forgotten.", "पता भुला दिया गया।";
    done_deleted: "All chats are deleted.", "सारी बातचीत मिटा दी गई।";
    done_imported: "The chats are in.", "बातचीत आ गई।";

    // About me, and leaving.
    me_title: "Me", "मैं";
    me_text: "An address lets you choose a new password when you forget yours, and hear of sign-ins from new devices.", "पता हो तो पासवर्ड भूलने पर आप नया चुन सकते हैं, और नए डिवाइस से साइन इन की सूचना पाते हैं।";
    confirmed: "Confirmed", "पुष्ट";
    another_address: "Another address; leave it empty to have none", "दूसरा पता; कोई न रखना हो तो ख़ाली छोड़ें";
    your_address: "Your address", "आपका पता";
    no_mail: "No mail server is configured here, so an address cannot be confirmed.", "यहाँ कोई मेल सर्वर तय नहीं है, इसलिए पते की पुष्टि नहीं हो सकती।";
    quota_title: "What is left of your quota", "आपके कोटे में शेष";
    quota_today: "{} of {} {} today", "आज {} / {} {}";
    quota_month: "{} of {} {} this month", "इस महीने {} / {} {}";
    quota_left: "{} left", "शेष {}";
    quota_low: "Little left", "कम बचा है";
    messages: "messages", "संदेश";
    tokens: "tokens", "टोकन";
    voice_seconds: "seconds of voice", "सेकंड आवाज़";
    delete_account: "Delete my account", "मेरा खाता मिटाएँ";
    delete_account_sure: "Delete my account, my chats, my keys and everything else that is mine, and destroy the key that opens it. This cannot be undone.", "मेरा खाता, मेरी बातचीत, मेरी कुंजियाँ और मेरा बाकी सब कुछ मिटाएँ, और उसे खोलने वाली कुंजी नष्ट करें। यह वापस नहीं लिया जा सकता।";

    // Where one is signed in, and what one was told.
    sessions_title: "Where you are signed in", "आप कहाँ साइन इन हैं";
    sessions_text: "A session ends after {} quiet minutes, or after {} hours however busy.", "सत्र {} मिनट शांत रहने पर, या {} घंटे बाद हर हाल में समाप्त होता है।";
    session_since: "Since {}, from {}", "{} से, यहाँ से: {}";
    session_seen: "Last seen {}", "पिछली बार {}";
    session_seen_from: ", from {}", ", यहाँ से: {}";
    second_factor_shown: "second factor shown", "दूसरा कारक दिखाया गया";
    password_alone: "password alone", "केवल पासवर्ड";
    this_one: "This one", "यही";
    end_session: "End", "समाप्त करें";
    end_session_on: "End the session on {}", "{} पर सत्र समाप्त करें";
    end_others: "End all others", "बाकी सब समाप्त करें";
    place_unknown: "a place that is not known", "अज्ञात जगह";
    place_here: "this machine", "यही मशीन";
    place_near: "the local network ({})", "स्थानीय नेटवर्क ({})";
    told_title: "Since your last visit", "आपके पिछले आने के बाद से";
    told_not_you: "Was it not you? End that session below, then change your password.", "क्या यह आप नहीं थे? नीचे वह सत्र समाप्त करें, फिर अपना पासवर्ड बदलें।";
    told_stays: "What was told since you signed in stays until you read it after another sign-in: so nobody can sign in here and hide that they did.", "आपके साइन इन के बाद जो बताया गया, वह अगले साइन इन के बाद पढ़ने तक रहता है: ताकि कोई साइन इन करके इसे छिपा न सके।";
    told_read: "I have read this", "मैंने पढ़ लिया";
    told_device: "A sign-in with {}, from {}. It was not seen before.", "{} से साइन इन हुआ, जगह: {}। यह पहले नहीं देखा गया था।";
    told_token: "The session in {} was ended: somebody showed a copy of what it is carried by.", "{} का सत्र समाप्त किया गया: किसी ने उसकी पहचान की नक़ल दिखाई।";
    told_password: "Your password was changed.", "आपका पासवर्ड बदला गया।";
    told_factors: "An authenticator, a passkey or your recovery codes were added, replaced or taken away.", "कोई ऑथेंटिकेटर, पासकी या आपके रिकवरी कोड जोड़े, बदले या हटाए गए।";
    told_address: "The e-mail address of your account was changed or taken away.", "आपके खाते का ईमेल पता बदला या हटाया गया।";
    told_recovery: "Somebody who knows your password asked to replace your factors. That cannot be done before {}.", "आपका पासवर्ड जानने वाले किसी ने आपके कारक बदलने की माँग की। यह {} से पहले नहीं हो सकता।";
    told_recovered: "Your factors were replaced through a recovery.", "आपके कारक वापसी के रास्ते से बदले गए।";

    // What one agreed to about one's voice.
    consents_title: "My consents", "मेरी सहमतियाँ";
    consents_text: "What your voice may be used for, as you said before a call. Take any of it back here: a call that rests on it ends at once.", "आपकी आवाज़ किस काम में आ सकती है, जैसा आपने कॉल से पहले बताया। इनमें से कुछ भी यहाँ वापस लें: उस पर टिकी कॉल तुरंत समाप्त हो जाती है।";
    consents_none: "You agree to nothing at the moment. You are asked before a call.", "अभी आपकी कोई सहमति नहीं है। कॉल से पहले आपसे पूछा जाता है।";
    consents_old: "The letter has a new wording since you answered it. You are asked again before your next call; until then your voice is used for nothing.", "आपके उत्तर के बाद पत्र के शब्द बदल गए हैं। अगली कॉल से पहले आपसे फिर पूछा जाएगा; तब तक आपकी आवाज़ किसी काम में नहीं आती।";
    consents_process_call: "Hear me and answer", "मुझे सुनिए और उत्तर दीजिए";
    consents_keep_transcript: "Keep what was said", "जो कहा गया उसे रखिए";
    consents_keep_audio: "Keep the sound", "आवाज़ रखिए";
    consents_share_speech: "Let a third party hear or speak", "किसी तीसरे पक्ष को सुनने या बोलने दीजिए";
    consents_since: "Since {}, in wording {}", "{} से, पत्र के रूप {} में";
    consents_with: "With {}", "इनके साथ: {}";
    consents_withdraw: "Take back", "वापस लें";
    consents_withdraw_named: "Take back: {}", "वापस लें: {}";
    consents_withdraw_all: "Take everything back", "सब कुछ वापस लें";
    consents_hint: "Nothing holds without the first: to take that back is to take back everything.", "पहली सहमति के बिना कुछ भी लागू नहीं: उसे वापस लेना सब कुछ वापस लेना है।";
    consents_history: "History ({})", "इतिहास ({})";
    consents_given: "Agreed: {}", "सहमति दी: {}";
    consents_taken_back: "Taken back: {}", "वापस ली: {}";
    consents_line: "{}, wording {}, read in {}", "{}, पत्र का रूप {}, भाषा {}";
    consents_file: "Take this along (JSON)", "इसे साथ ले जाएँ (JSON)";
    done_consent: "It is taken back. What rested on it has ended.", "वापस ले लिया गया। जो उस पर टिका था वह समाप्त हुआ।";

    // API keys.
    keys_title: "API keys", "API कुंजियाँ";
    keys_text: "A key lets a program ask the models in your name, at {} in OpenAI's format. It cannot read your chats.", "कुंजी से कोई प्रोग्राम आपके नाम से {} पर OpenAI के प्रारूप में मॉडल से पूछ सकता है। वह आपकी बातचीत नहीं पढ़ सकता।";
    keys_confirm: "Make or replace a key", "कुंजी बनाएँ या बदलें";
    may_ask: "Ask models", "मॉडल से पूछना";
    may_embed: "Make embeddings", "एम्बेडिंग बनाना";
    may_speak: "Hear and speak", "सुनना और बोलना";
    may_list: "List the models", "मॉडल की सूची देखना";
    may_hold_desk: "Hold calls for the voice desk: with its tools, and open to its staff", "वॉइस डेस्क की कॉल लेना: उसके साधनों के साथ, और उसके कर्मचारियों के लिए खुली";
    key_good: "Made {} · good until {}", "{} को बनी · {} तक मान्य";
    key_over: "Made {} · ended {}", "{} को बनी · {} को समाप्त";
    key_used: "Last used {}, from {}", "पिछली बार {}, यहाँ से: {}";
    key_unused: "Never used", "कभी इस्तेमाल नहीं हुई";
    key_revoke: "Revoke", "रद्द करें";
    key_revoke_named: "Revoke the key {}", "कुंजी {} रद्द करें";
    key_remove: "Remove", "हटाएँ";
    key_replaced: "Replaced", "बदली गई";
    key_ends_soon: "Ends soon", "जल्द समाप्त";
    key_idle: "Unused for {} days: revoke it?", "{} दिन से बेकार: रद्द करें?";
    key_ended: "Ended", "समाप्त";
    key_replace: "Replace", "बदलें";
    key_replace_named: "Replace the key {}", "कुंजी {} बदलें";
    key_overlap: "The old key goes on for", "पुरानी कुंजी इतने समय चलेगी";
    key_overlap_none: "not at all", "बिल्कुल नहीं";
    key_overlap_day: "a day", "एक दिन";
    key_overlap_days: "{} days", "{} दिन";
    key_successor: "Make its successor", "अगली कुंजी बनाएँ";
    key_new: "A new key for", "नई कुंजी किसके लिए";
    key_new_hint: "my notebook", "मेरा लैपटॉप";
    key_days: "Good for (days)", "मान्यता (दिन)";
    key_may: "It may", "यह कर सकती है";
    key_make: "Make a key", "कुंजी बनाएँ";
    key_shown_title: "Your key for {}", "{} के लिए आपकी कुंजी";
    key_shown_text: "Copy it now. It is shown this one time, and only its hash is kept. It is good until {}.", "इसे अभी कॉपी करें। यह केवल इसी बार दिखाई जा रही है, और इसका केवल हैश रखा जाता है। यह {} तक मान्य है।";
    key_yours: "Your key", "आपकी कुंजी";
    back_to_account: "Back to the account", "खाते पर वापस";

    // Who asked to read one's chats.
    glass_title: "Who asked to read your chats", "आपकी बातचीत पढ़ने की माँग किसने की";
    glass_nobody: "Nobody. When staff must read them, one asks with a reason, another agrees, and it stands here.", "किसी ने नहीं। जब कर्मचारियों को पढ़ना पड़े, तो एक कारण बताकर माँगता है, दूसरा सहमत होता है, और वह यहाँ लिखा रहता है।";
    glass_open: "Somebody may read your chats at the moment.", "इस समय कोई आपकी बातचीत पढ़ सकता है।";
    glass_asked: "{} asked {}", "{} ने माँगा, {}";
    glass_waiting: "Nobody has agreed.", "कोई सहमत नहीं हुआ।";
    glass_refused: "{} refused or called it off.", "{} ने मना किया या रद्द किया।";
    glass_agreed: "{} agreed.", "{} सहमत हुए।";
    glass_until: "Open until {}.", "{} तक खुला।";
    glass_ended: "It ended {}.", "{} को समाप्त हुआ।";
    glass_opened: "Opened: {}", "खोला गया: {}";
    glass_chat: "this chat", "यह बातचीत";
    glass_list: "the list of your chats", "आपकी बातचीत की सूची";

    // The page of the factors.
    factors_needed: "Your account needs a second factor: the last one stays.", "आपके खाते को दूसरा कारक चाहिए: अंतिम वाला बना रहता है।";
    factors_none: "Your password alone opens this account. A second factor keeps it shut when the password leaks.", "केवल पासवर्ड से यह खाता खुल जाता है। दूसरा कारक हो तो पासवर्ड लीक होने पर भी यह बंद रहता है।";
    factors_some: "Beside your password. A passkey also opens your account by itself.", "आपके पासवर्ड के साथ। पासकी अकेले भी आपका खाता खोलती है।";
    factors_confirm: "To change anything here, first confirm that it is you.", "यहाँ कुछ बदलने से पहले पुष्टि करें कि यह आप ही हैं।";
    passkeys_text: "Your device asks for your finger, your face or a PIN, and signs you in. Nothing can be copied from a screen.", "आपका डिवाइस उँगली, चेहरा या पिन माँगकर आपको साइन इन करता है। स्क्रीन से कुछ भी नक़ल नहीं हो सकता।";
    passkey_used: "Made {} · last used {} · works at {}", "{} को बनी · पिछली बार {} · यहाँ चलती है: {}";
    passkey_unused: "Made {} · never used · works at {}", "{} को बनी · कभी इस्तेमाल नहीं · यहाँ चलती है: {}";
    passkey_suspended: "May be copied: out of use", "नक़ल हुई हो सकती है: बंद";
    name: "Name", "नाम";
    remove: "Remove", "हटाएँ";
    passkey_remove: "Remove the passkey {}", "पासकी {} हटाएँ";
    passkey_name: "A name for the new passkey", "नई पासकी का नाम";
    passkey_name_hint: "my telephone", "मेरा फ़ोन";
    passkey_add: "Add a passkey", "पासकी जोड़ें";
    authenticator_text: "An app on your telephone shows six digits that change every half minute.", "आपके फ़ोन का ऐप छह अंक दिखाता है जो हर आधे मिनट में बदलते हैं।";
    authenticator_replace: "Replace it", "बदलें";
    authenticator_add: "Add an authenticator", "ऑथेंटिकेटर जोड़ें";
    authenticator_remove: "Remove it", "हटाएँ";
    codes_none: "They come with your first factor, for the day you lose it.", "ये पहले कारक के साथ आते हैं, उस दिन के लिए जब वह खो जाए।";
    codes_text: "{} left; each opens your account once, after the password.", "{} शेष; हर कोड पासवर्ड के बाद एक बार खाता खोलता है।";
    codes_make_new: "Few are left. Make new ones on the account page, and keep them where your telephone is not.", "कम बचे हैं। खाते के पृष्ठ पर नए बनाएँ, और उन्हें फ़ोन से अलग रखें।";
    done_passkey: "The passkey is added.", "पासकी जुड़ गई।";
    done_authenticator: "The authenticator is added.", "ऑथेंटिकेटर जुड़ गया।";
    done_removed: "It is removed. Everywhere else you are signed out.", "हटा दिया गया। बाकी हर जगह से आप साइन आउट हैं।";
    done_called_off: "The recovery is called off. Change your password if somebody else asked for it.", "वापसी का रास्ता रद्द हुआ। यदि किसी और ने माँगा था तो अपना पासवर्ड बदलें।";
    not_accepted: "That was not accepted. Try again.", "यह स्वीकार नहीं हुआ। फिर कोशिश करें।";
    name_it: "Give it a name of 1 to 60 characters, so that you know it again.", "इसे 1 से 60 अक्षरों का नाम दें, ताकि आप इसे पहचान सकें।";

    // What stands above every page.
    notice_operator: "Whoever runs this server made a way to replace your factors, at {}.", "इस सर्वर को चलाने वाले ने {} पर आपके कारक बदलने का रास्ता बनाया।";
    notice_asked: "Somebody who knows your password asked to replace your factors, at {}.", "आपका पासवर्ड जानने वाले किसी ने {} पर आपके कारक बदलने की माँग की।";
    notice_ready: "It can be used from {}.", "यह {} से काम करेगा।";
    notice_waits: "Two people have not agreed to it yet.", "दो लोग अभी इससे सहमत नहीं हुए हैं।";
    notice_not_you: "If that was not you, call it off and change your password.", "यदि यह आप नहीं थे, तो इसे रद्द करें और अपना पासवर्ड बदलें।";
    call_off: "Call it off", "रद्द करें";
    notice_news: "Something happened to your sign-ins since your last visit.", "आपके पिछले आने के बाद आपके साइन इन में कुछ हुआ है।";
    read_it: "Read it", "पढ़ें";
    notice_due: "Your password must be changed before {}.", "आपका पासवर्ड {} से पहले बदलना ज़रूरी है।";
    change_now: "Change it now", "अभी बदलें";
    notice_factor: "Your roles let you administer this server once you have shown a second factor.", "दूसरा कारक दिखाने पर आपकी भूमिकाएँ आपको यह सर्वर चलाने देती हैं।";
}
