//! The blocklist: what guessers try first, and the ways people dress it up.
//!
//! Called by the rules of the classic profile alone. A password of twelve characters and four
//! classes cannot be on the usual lists as it stands; what is common there is a common word in
//! capitals with digits and signs around it. So this looks at what the password is *made of*: it is
//! common when nothing but listed words, digits and signs are in it, substitutes such as `@` for
//! `a` undone. A word beside them that is not listed makes it uncommon.

use zeroize::Zeroizing;

/// Words that make up the passwords found most often in published leaks, and runs of keys.
const WORDS: &str = "\
    abc abcd abcdef abcdefgh abcdefghij access account admin administrator alexander andrew angel apple \
    april asdf asdfgh asdfghjkl ashley assistant august autumn azerty baby bailey banana baseball basketball \
    batman biteme buster charlie cheese chelsea chocolate computer cookie daniel december default demo \
    diamond donald dragon family february flower football forever freedom friday friend friends fuck fuckyou \
    george ginger google guest hallo hannah harley heaven hello hockey hunter iloveyou indian india internet \
    jackson january jasmine jennifer jesus jessica jordan joshua july june justin killer letme letmein \
    liverpool login london love lovely loveyou maggie manager march master matrix matthew maverick merlin \
    michael michelle monday monkey mother mustang mypassword nicole ninja november october office orange \
    owner pass passw passwd passwort password passphrase peanut pepper phone pokemon princess private purple \
    qazwsx qwe qwer qwert qwerty qwertyuiop qwertz qwertzuiop rainbow ranger robert root samantha samsung \
    saturday secret secure security september server shadow silver soccer sommer spring starwars summer \
    sunday sunshine super superman support sweet system taylor temp temporary test testing thomas thunder \
    thursday tiger trust trustno troth trothtroth tuesday user username wednesday welcome whatever william \
    willkommen winner winter wizard xxx xyz yankees zaq zxcvbn zxcvbnm my is the your you me in it no one \
    new old i a";

/// Whether `password` is made of nothing but listed words, digits and signs.
pub(super) fn is_common(password: &str) -> bool {
    let text: Zeroizing<Vec<char>> = Zeroizing::new(password.chars().flat_map(char::to_lowercase).collect());
    // reached[at]: the text up to `at` is covered, without (1) or with (2) a word of four letters or more.
    let mut reached = vec![0_u8; text.len() + 1];
    reached[0] = 1;
    for at in 0..text.len() {
        let way = reached[at];
        if way == 0 {
            continue;
        }
        if !text[at].is_alphabetic() {
            reached[at + 1] |= way;
        }
        for word in WORDS.split_ascii_whitespace() {
            if starts_with(&text[at..], word) {
                let weighty = if word.len() >= 4 { 2 } else { 0 };
                // Once a weighty word is in, the way stays weighty.
                reached[at + word.len()] |= way | weighty;
            }
        }
    }
    reached[text.len()] & 2 != 0
}

/// Whether `text` begins with `word`, substitutes undone.
fn starts_with(text: &[char], word: &str) -> bool {
    text.len() >= word.len() && word.chars().zip(text).all(|(letter, typed)| stands_for(*typed, letter))
}

/// Whether people write `typed` for `letter`.
fn stands_for(typed: char, letter: char) -> bool {
    typed == letter
        || match typed {
            '0' => letter == 'o',
            '1' | '!' | '|' => letter == 'i' || letter == 'l',
            '2' => letter == 'z',
            '3' | '€' => letter == 'e',
            '4' | '@' => letter == 'a',
            '5' | '$' => letter == 's',
            '6' | '9' => letter == 'g',
            '7' | '+' => letter == 't',
            '8' => letter == 'b',
            '(' => letter == 'c',
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_words_are_seen_through_their_dress() {
        for common in [
            "Password123!",
            "P@ssw0rd!2024",
            "1234Welcome!!",
            "Qwerty123456!",
            "Summer-Winter-2025",
            "L3tm31n!L3tm31n",
            "My$ecretP4ssword",
            "!Adm1n!Adm1n!",
            "TrothTroth2026!",
            "IloveYou-2-me!",
        ] {
            assert!(is_common(common), "{common}");
        }
    }

    #[test]
    fn one_unlisted_word_makes_it_uncommon() {
        for fine in
            ["Password-Harbour-9", "Zebra-Summer-22", "12345678!!!!", "xK9#mPq2$vLw8", "", "The-1-2-3-4-5"]
        {
            assert!(!is_common(fine), "{fine}");
        }
    }
}
