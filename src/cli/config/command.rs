//! What was said, as a line to be typed again.

use super::{GivenArg, GivenArgs, find, has_type, subcommand};
use crate::error::shell_word;

impl GivenArgs {
    /// The line, for a POSIX shell.
    pub fn command(&self) -> String {
        let command = subcommand(self.of);
        let data =
            || self.all.iter().filter(|said| said.flag == "data").map(|said| shell_word(&said.word).into_owned());
        let dashed = data().any(|word| word.starts_with('-'));
        let mut words: Vec<String> = ["mlp".into(), self.of.into()].into();
        words.extend(data().filter(|_| !dashed));
        for GivenArg { flag, word, .. } in self.all.iter().filter(|said| said.explicit && said.flag != "data") {
            let is_switch = find(&command, flag).is_some_and(|arg| has_type::<bool>(arg.get_value_parser()));
            words.push(match word.as_str() {
                "true" if is_switch => format!("--{flag}"),
                word if is_switch || word.starts_with('-') => format!("--{flag}={}", shell_word(word)),
                word => format!("--{flag} {}", shell_word(word)),
            });
        }
        if dashed {
            words.push("--".into());
            words.extend(data());
        }
        words.join(" ")
    }
}
