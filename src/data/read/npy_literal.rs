//! Python's literals, as far as the headers of numpy's files have them. In: text. Out: words, whole numbers, truth values,
//! lists and dictionaries.

/// A literal; tuples are lists.
#[derive(PartialEq)]
pub(in crate::data) enum Literal {
    Text(String),
    Whole(usize),
    Bool(bool),
    List(Vec<Self>),
    Dict(Vec<(Self, Self)>),
}

impl Literal {
    /// What a text holds and nothing else; none where it is no literal, or lists lie in more lists than headers have.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser(text);
        parser.value(DEPTH).filter(|_| parser.0.trim().is_empty())
    }

    pub fn whole(&self) -> Option<usize> {
        if let Self::Whole(value) = self { Some(*value) } else { None }
    }
}

/// Lists in lists that are followed: a shape in a field in fields in the dictionary, and one more.
const DEPTH: usize = 5;

/// What is still to be read of a literal.
struct Parser<'a>(&'a str);

impl Parser<'_> {
    fn takes(&mut self, char: char) -> bool {
        let rest = self.0.trim_start().strip_prefix(char);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    /// None for what is no literal.
    fn value(&mut self, depth: usize) -> Option<Literal> {
        self.0 = self.0.trim_start();
        let first = self.0.chars().next()?;
        match first {
            '\'' | '"' => {
                self.takes(first);
                self.text(first).map(Literal::Text)
            }
            '(' | '[' => {
                self.takes(first);
                let (close, mut values) = (if first == '(' { ')' } else { ']' }, Vec::new());
                while !self.takes(close) {
                    values.push(self.value(depth.checked_sub(1)?)?);
                    if !self.takes(',') {
                        return self.takes(close).then_some(Literal::List(values));
                    }
                }
                Some(Literal::List(values))
            }
            '{' => {
                self.takes(first);
                let mut entries = Vec::new();
                while !self.takes('}') {
                    let key = self.value(depth.checked_sub(1)?)?;
                    let value = if self.takes(':') { self.value(depth - 1)? } else { return None };
                    entries.push((key, value));
                    if !self.takes(',') {
                        return self.takes('}').then_some(Literal::Dict(entries));
                    }
                }
                Some(Literal::Dict(entries))
            }
            _ => {
                let end = self.0.find(|char: char| !char.is_ascii_alphanumeric()).unwrap_or(self.0.len());
                let (word, rest) = self.0.split_at(end);
                self.0 = rest;
                match word {
                    "True" => Some(Literal::Bool(true)),
                    "False" => Some(Literal::Bool(false)),
                    _ => word.parse().ok().map(Literal::Whole),
                }
            }
        }
    }

    fn text(&mut self, quote: char) -> Option<String> {
        let (mut text, mut escaped) = (String::new(), false);
        for (at, char) in self.0.char_indices() {
            match char {
                '\\' | '\'' | '"' if escaped => {
                    text.push(char);
                    escaped = false;
                }
                _ if escaped => return None,
                '\\' => escaped = true,
                _ if char == quote => {
                    self.0 = &self.0[at + 1..];
                    return Some(text);
                }
                _ => text.push(char),
            }
        }
        None
    }
}
