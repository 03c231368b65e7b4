//! Texts and numbers of a user's files as people see them: of any length and content, with the digits that count, at the
//! places where they stand.

use std::fs;

use serde_json::Value;

use crate::cli::{Output, Place, finished, refused};

/// What a terminal would obey, or hide.
const OBEYED: [char; 6] = ['\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{202e}', '\u{2028}'];

/// A command with an argument that holds spaces.
fn with(place: &Place, words: &str, more: &[&str]) -> std::process::Command {
    let mut command = place.command(words);
    command.args(more);
    command
}

/// What a command that must succeed shows to people, all of it in lines of bearable length without obeyed characters.
fn shown(place: &Place, words: &str) -> String {
    let Output { code, stdout, stderr } = place.run(words);
    assert_eq!(code, Some(0), "mlp {words}\n{}", stderr.chars().take(2000).collect::<String>());
    let all = stdout + &stderr;
    let longest = all.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(longest < 1200, "mlp {words}: a line of {longest} characters");
    assert!(!all.contains(OBEYED), "mlp {words}: {all:?}");
    all
}

/// A feature, a category and two classes with texts that are made of `text`.
fn table_of(place: &Place, text: &str) {
    let rows: String = (0..40)
        .map(|i| format!("{},\"{text}{}\",\"{}{text}\"\n", i * 7 % 11, i % 3, ["no", "yes"][i * 7 % 11 / 6]))
        .collect();
    place.file("t.csv", &format!("\"n{text}\",\"c{text}\",y\n{rows}"));
}

/// All that is done with a table, and that its data come out as they are.
fn check(place: &Place, text: &str) {
    table_of(place, text);
    let train = "train t.csv --target y --device cpu --epochs 2 --hidden 3 --out run";
    for words in ["data t.csv --target y", train, "inspect run", "eval run t.csv --device cpu", "plot run"] {
        shown(place, words);
    }
    shown(place, "predict run t.csv --device cpu --out p.csv");
    let written = fs::read_to_string(place.path().join("p.csv")).unwrap();
    let quoted = |name: String| if text.contains(['\n', '\r', ',', '"']) { format!("\"{name}\"") } else { name };
    let heading = format!("prediction,{},{}\n", quoted(format!("p_no{text}")), quoted(format!("p_yes{text}")));
    assert!(written.starts_with(&heading), "the heading is another");
    assert_eq!(place.json("data t.csv")["columns"][0]["name"], Value::from(format!("n{text}")));
    let page = fs::read_to_string(place.path().join("run/report.html")).unwrap();
    assert!(!page.contains(OBEYED) && page.len() < 2_000_000, "{} bytes", page.len());
    let error = place.refuses("train t.csv --target z --device cpu", 2, &["t.csv: no column `z`; the table has `n"]);
    assert!(error.chars().count() < 1200 && !error.contains(OBEYED), "{error:?}");
    let error = place.refuses("eval run shuffled.csv --device cpu", 2, &["no column `n"]);
    assert!(error.chars().count() < 1200 && !error.contains(OBEYED), "{error:?}");
}

#[test]
fn texts_of_any_length_are_shown() {
    let place = Place::new();
    for length in [0, 1, 58, 59, 60, 61, 65_534, 65_535, 65_536, 200_000] {
        check(&place, &"x".repeat(length));
    }
    check(&place, &"高".repeat(70_000));
}

#[test]
fn no_character_that_a_terminal_obeys_gets_there() {
    let place = Place::new();
    for text in ["\u{1b}[31m red \u{1b}[0m.", "a\u{202e}b", "a\u{7f}b\u{85}c\u{9b}d", "a\u{2028}b\u{7}\u{8}c"] {
        check(&place, text);
    }
    table_of(&place, "\u{1b}[31m.");
    let told = shown(&place, "data t.csv --target y");
    assert!(told.contains("c\\u{1b}[31m."), "{told}");
    // What a configuration and a file's name say.
    place.file("c.toml", "data = 'moons'\nhidden = \"\\u001b[31m\"");
    let error = place.refuses("train --config c.toml", 2, &["c.toml: line 2"]);
    assert!(!error.contains(OBEYED), "{error:?}");
    let error = refused(with(&place, "data", &["a\u{1b}[31m.csv"]), "data", 2, &["a\\u{1b}[31m.csv: cannot read"]);
    assert!(!error.contains(OBEYED), "{error:?}");
}

/// Nothing of it in the streams for people nor in what a browser or a viewer shows.
fn assert_harmless(what: &str, text: &str) {
    let found = text.chars().find(|&char| OBEYED.contains(&char) || (char.is_control() && char != '\n'));
    assert!(found.is_none(), "{what}: {found:?} in {text:?}");
}

/// Names of files and folders, which others may have chosen, in all that is said of them.
#[cfg(unix)]
#[test]
fn names_of_files_are_shown_and_not_obeyed() {
    const EVIL: &str = "\u{1b}]0;x\u{7}\r\u{202e}\u{9b}31m\u{1}";
    let place = Place::new();
    let folder = format!("d{EVIL}");
    fs::create_dir(place.path().join(&folder)).unwrap();
    // A name goes not over the end of a line.
    const TEXT: &str = "\u{1b}]0;x\u{7}\u{202e}\u{9b}31m\u{1}";
    table_of(&place, TEXT);
    let name = |file: &str| format!("{folder}/{file}{EVIL}");
    let [table, run, out, onnx, bare, broken, constant] =
        ["t.csv", "run", "p.csv", "m.onnx", "bare.csv", "broken", "constant.csv"].map(name);
    fs::rename(place.path().join("t.csv"), place.path().join(&table)).unwrap();
    let write = |name: &str, text: &str| fs::write(place.path().join(name), text).unwrap();
    write(&bare, "1,2\n3,4\n5,6\n");
    write(&broken, "\u{1b}[31m\n\u{7},\u{9b}\n");
    write(&constant, &format!("\"a{TEXT}\",y\n1,0\n1,1\n"));
    let guess = name("guess.csv");
    write(&guess, ",c,b\n0,5,4\n1,6,5\n2,7,5\n");
    let unseen = name("unseen.csv");
    write(&unseen, &format!("\"n{TEXT}\",\"c{TEXT}\",y\n1,\"new{TEXT}\",\"no{TEXT}\"\n"));
    let run_words = |words: &str, more: &[&str], code: i32| {
        let Output { code: found, stdout, stderr } = finished(with(&place, words, more));
        assert_eq!(found, Some(code), "mlp {words} {more:?}\n{stderr}");
        assert_harmless(words, &stdout);
        assert_harmless(words, &stderr);
        assert!(!stderr.contains("panicked"), "{stderr}");
    };
    let train = "train --target y --device cpu --epochs 2 --hidden 3 --checkpoint-every 1 --out";
    for (words, more) in [
        ("data --target y", &[&*table][..]),
        ("data", &[&bare]),
        (train, &[&run, &table]),
        ("inspect", &[&run]),
        ("eval --device cpu", &[&run, &table]),
        ("eval --device cpu", &[&run, &unseen]),
        ("predict --device cpu --out", &[&out, &run, &table]),
        ("plot", &[&run]),
        ("export --onnx", &[&onnx, &run]),
        ("import --out", &[&name("m"), &onnx]),
        ("train --device cpu --resume", &[&run]),
    ] {
        run_words(words, more, 0);
    }
    let absent = name("absent");
    for (words, more) in [
        ("train --strict --device cpu --target b", &[&*guess][..]),
        ("data", &[&absent]),
        ("data", &[&folder]),
        ("data --target", &[EVIL, &table]),
        ("data --features", &[EVIL, &table]),
        ("train --device cpu --target y", &[&constant]),
        ("train --device cpu --target y", &[&bare]),
        ("train --device cpu --target y --out", &[&format!("{table}/run"), &table]),
        ("train --resume", &[&absent]),
        ("train --resume", &[&broken]),
        ("train --config", &[&broken]),
        ("train --device cpu --init-from", &[&broken, &table]),
        ("train --device", &[EVIL, &table]),
        ("train --lr", &[EVIL, &table]),
        ("inspect", &[&broken]),
        ("eval --device cpu --unseen error", &[&run, &unseen]),
        ("eval --device cpu", &[&run, &bare]),
        ("predict --device cpu --unseen error", &[&run, &unseen]),
        ("plot", &[&folder]),
        ("import --out", &[&name("n"), &broken]),
        // A shell that finds several files hands over more than one.
        ("data", &[&table, &bare]),
        (EVIL, &[]),
    ] {
        run_words(words, more, 2);
    }
    for entry in fs::read_dir(place.path().join(&run)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "svg" || kind == "html") {
            assert_harmless(&path.display().to_string(), &fs::read_to_string(&path).unwrap());
        }
    }
}

/// Beside wide characters columns are where they are beside narrow ones.
#[test]
fn columns_stand_below_each_other() {
    let place = Place::new();
    place.file("wide.csv", "高さ,b\n1.5,x\n2.5,y\n");
    let told = place.stdout("data wide.csv");
    let lines: Vec<&str> = told.lines().skip(2).collect();
    assert!(lines[0].starts_with("column  type ") && lines[1].starts_with("高さ    number "), "{told}");
}

#[test]
fn a_thousand_columns_are_listed_in_short() {
    let place = Place::new();
    let names: Vec<String> = (0..1000).map(|i| format!("a column with a long name {i}")).collect();
    place.file("many.csv", &format!("{}\n{}\n", names.join(","), vec!["1"; 1000].join(",")));
    let error = place.refuses("data many.csv --target y", 2, &["no column `y`", "and 988 more"]);
    assert!(error.len() < 1000, "{error}");
}

/// The number behind a name in the first row of a table, or in a sentence.
fn cell(text: &str, name: &str) -> String {
    let rows: Vec<Vec<&str>> =
        text.lines().map(|line| line.split("  ").filter(|cell| !cell.is_empty()).collect()).collect();
    let heading = rows.iter().position(|row| row.iter().any(|cell| cell.trim() == name)).unwrap();
    // The corner above the rows' names is empty.
    let at = rows[heading].iter().position(|cell| cell.trim() == name).unwrap() + rows[heading + 1].len()
        - rows[heading].len();
    rows[heading + 1][at].trim().to_string()
}

/// Whatever the unit of the target, what people read of its errors are the figures that programs get.
#[test]
fn errors_have_digits_in_every_unit() {
    let place = Place::new();
    for power in [-30, -12, -7, -4, -2, 0, 3, 6, 9, 30] {
        let rows: String = (0..60)
            .map(|i| format!("{},{:e}\n", f64::from(i) / 7.0, f64::from(i * 37 % 60) * 10_f64.powi(power)))
            .collect();
        place.file("t.csv", &format!("a,y\n{rows}"));
        place.json("train t.csv --target y --device cpu --epochs 1 --hidden none --out run");
        let words = "eval run t.csv --device cpu";
        let (text, json) = (place.stdout(words), place.json(words));
        for name in ["loss", "rmse", "mae"] {
            let (read, exact) = (cell(&text, name), json[name].as_f64().unwrap());
            let off = (read.parse::<f64>().unwrap() / exact - 1.0).abs();
            assert!(off <= 5.1e-5, "{name} is {exact:e}, shown as {read}");
            assert!(read.len() <= 10, "{read}");
        }
        assert!(!text.contains("-0.0000"), "{text}");
        let told = place.stdout("inspect run");
        let mean = told.split("a number, mean ").nth(1).unwrap().split(',').next().unwrap();
        let exact = place.json("inspect run")["encoder"]["target"]["kind"]["mean"].as_f64().unwrap();
        assert!((mean.parse::<f64>().unwrap() / exact - 1.0).abs() < 1e-5, "{exact:e}, shown as {mean}");
        // The tiles of the report.
        let page = fs::read_to_string(place.path().join("run/report.html")).unwrap();
        let kept: Value =
            serde_json::from_str(&fs::read_to_string(place.path().join("run/report.json")).unwrap()).unwrap();
        let exact = kept["run"]["test"]["rmse"].as_f64().unwrap();
        let shown = page.split("<b>").nth(1).unwrap().split("</b>").next().unwrap();
        assert!((shown.parse::<f64>().unwrap() / exact - 1.0).abs() < 5.1e-5, "{exact:e}, shown as {shown}");
    }
}

#[test]
fn a_median_of_an_even_count_is_between_the_middle_two() {
    let place = Place::new();
    place.file("m.csv", "a,b,c\n1,1e308,1\n2,1.7e308,\n3,1.1e308,3\n10,1.5e308,2\n");
    let columns = &place.json("data m.csv")["columns"];
    for (at, median) in [(0, 2.5), (1, 1.3e308), (2, 2.0)] {
        assert_eq!(columns[at]["median"], median, "{columns}");
    }
}

/// The temporary file beside a file that is being written is nobody's business.
#[test]
fn an_error_names_the_file_that_was_named() {
    let place = Place::new();
    place.json("train classes.csv --target answer --device cpu --epochs 1 --out run");
    let long = format!("{}.csv", "p".repeat(300));
    for out in ["absent/p.csv", long.as_str()] {
        let words = format!("predict run shuffled.csv --device cpu --out {out}");
        let error = place.refuses(&words, 2, &[&out[..12], "cannot write the predictions"]);
        assert!(!error.contains(".tmp") && !error.contains("at path"), "{error}");
    }
}

/// Rows are shuffled and split before they are looked at.
#[test]
fn an_error_of_a_row_names_its_line() {
    let place = Place::new();
    let file = |name: &str, odd: &str| {
        let row = |i: i32| format!("{i},{}\n", if i == 17 { odd.to_string() } else { (i % 5).to_string() });
        place.file(name, &format!("a,y\n{}", (0..40).map(row).collect::<String>()));
    };
    file("negative.csv", "-2");
    file("counts.csv", "3");
    file("huge.csv", "1e145");
    let train = "--target y --device cpu --epochs 1 --out run";
    let poisson = ["negative.csv: target `y` is `-2` in line 19", "0 or more", "poisson"];
    place.refuses(&format!("train negative.csv --loss poisson {train}"), 2, &poisson);
    place.json(&format!("train counts.csv --loss poisson {train}"));
    place.refuses("eval run negative.csv --device cpu", 2, &poisson);
    place.refuses(&format!("train huge.csv {train}"), 2, &["huge.csv: target `y` is `1e145` in line 19", "1e140"]);
    // Weights whose products f32 does not hold, and weights that are all 0.
    let rows: String = (0..40).map(|i| format!("{i},{},{}\n", ["u", "v"][i % 2], ["1e38", "0"][i % 2])).collect();
    place.file("w.csv", &format!("a,y,w\n{rows}"));
    let weighted = format!("train w.csv --weight-column w {train} --class-weight");
    place.json(&format!("{weighted} u=1e300,v=1e-300"));
    let error = place.refuses(&format!("{weighted} u=0"), 2, &["--weight-column", "0 for all training rows"]);
    assert!(!error.contains("in row"), "{error}");
}

/// A name or a label with a comma, wherever a list of them is taken.
#[test]
fn a_name_may_have_a_comma() {
    let place = Place::new();
    let rows: String =
        (0..40).map(|i| format!("{i},{},{},\"{}\"\n", i * 7 % 11, i % 4, ["a,b", "c=1,d"][i * 7 % 11 / 6])).collect();
    place.file("w.csv", &format!("\"Weight, kg\",b,\"x,y\",z\n{rows}"));
    let train = "train w.csv --target z --device cpu --epochs 1 --hidden 2 --out run";
    let features = |more: &[&str]| {
        let Output { code, stderr, .. } = finished(with(&place, train, more));
        assert_eq!(code, Some(0), "{more:?}\n{stderr}");
        let inspected = place.json("inspect run");
        let features = inspected["encoder"]["features"].as_array().unwrap().clone();
        features.iter().map(|feature| feature["name"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    for more in [
        &["--ignore", "Weight, kg"][..],
        &["--ignore", "\"Weight, kg\""],
        &["--features", "b,x,y"],
        &["--features", "b", "--features", "x,y"],
        &["--features", "\"x,y\",b", "--categorical", "\"x,y\""],
    ] {
        assert_eq!(features(more), ["b", "x,y"], "{more:?}");
        let config = fs::read_to_string(place.path().join("run/config.toml")).unwrap();
        let command = with(&place, "train --config run/config.toml --dump-config", &[]);
        // In front stands the run's name.
        assert_eq!(finished(command).stdout, config.split_once('\n').unwrap().1);
    }
    assert_eq!(features(&["--ignore", "Weight, kg", "--ignore", "b"]), ["x,y"]);
    assert_eq!(features(&["--class-weight", "\"a,b=2\",\"c=1,d=3\"", "--ignore", "\"x,y\",b"]), ["Weight, kg"]);
    let config = fs::read_to_string(place.path().join("run/config.toml")).unwrap();
    for line in ["ignore = [\"x,y\", \"b\"]\n", "class-weight = [\"a,b=2\", \"c=1,d=3\"]\n"] {
        assert!(config.contains(line), "{config}");
    }
    // A list in TOML is a list, and a flag takes its place.
    place.file(
        "c.toml",
        "data = 'w.csv'\ntarget = 'z'\nignore = [\"Weight, kg\", 'x,y']\nepochs = 1\nout = 'run'\ndevice = 'cpu'",
    );
    place.stdout("train --config c.toml");
    assert_eq!(place.json("inspect run")["encoder"]["features"].as_array().unwrap().len(), 1);
    let dumped = finished(with(&place, "train --config c.toml --dump-config", &["--ignore", "b"])).stdout;
    assert!(dumped.contains("ignore = [\"b\"]\n"), "{dumped}");
    // The advice is what a shell takes.
    place.file("constant.csv", "\"Weight, kg\",b\n1,2\n1,3\n");
    assert!(place.stdout("data constant.csv").contains("--ignore '\"Weight, kg\"'"));
    // The page shows the command in the same way.
    features(&["--ignore", "\"Weight, kg\""]);
    let page = fs::read_to_string(place.path().join("run/report.html")).unwrap();
    assert!(page.contains("--ignore &apos;&quot;Weight, kg&quot;&apos;"), "{page}");
}
