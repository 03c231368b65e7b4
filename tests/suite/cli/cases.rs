//! Tables as people have them, from the command line: what is misread, dropped or passed over nowhere, and what is said of it.

use serde_json::Value;

use crate::cli::{Output, Place, finished};

/// Rows of two features and what follows from them.
fn rows(count: usize, row: impl Fn(usize, f64, f64) -> String) -> String {
    (0..count).map(|i| row(i, (i * 37 % 101) as f64 / 10.0, (i * 53 % 89) as f64 / 10.0) + "\n").collect()
}

fn y(a: f64, b: f64) -> f64 {
    3.0 * a - 2.0 * b
}

/// Stdout and stderr of a command that must succeed.
fn both(place: &Place, words: &str) -> (String, String) {
    let Output { code, stdout, stderr } = place.run(words);
    assert_eq!(code, Some(0), "mlp {words}\n{stderr}");
    // A build for tests says that it is one.
    (stdout, stderr.lines().filter(|line| !line.contains("debug build")).map(|line| format!("{line}\n")).collect())
}

const QUICK: &str = "--device cpu --no-baseline --seed 1";

fn r2(found: &Value) -> f64 {
    found["test"]["r2"].as_f64().unwrap()
}

#[test]
fn a_stray_text_leaves_a_column_of_numbers_one() {
    let place = Place::new();
    place.file("clean.csv", &format!("a,b,y\n{}", rows(200, |_, a, b| format!("{a},{b},{}", y(a, b)))));
    let stray = |i: usize, a: f64| if i == 17 { "unknown".into() } else { a.to_string() };
    place.file("stray.csv", &format!("a,b,y\n{}", rows(200, |i, a, b| format!("{},{b},{}", stray(i, a), y(a, b)))));
    let clean = place.json(&format!("train clean.csv --target y --epochs 60 {QUICK}"));
    assert!(r2(&clean) > 0.9 && clean["notes"].as_array().unwrap().is_empty(), "{clean}");
    let (stdout, stderr) = both(&place, &format!("train stray.csv --target y --epochs 60 --out run --json {QUICK}"));
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert!(r2(&found) > 0.9, "{found}");
    let note = "note: other texts among numbers or dates count as missing: `a` (1 of 200, first `unknown` in line 19)";
    assert_eq!(stderr.lines().filter(|line| line.starts_with(note)).count(), 1, "{stderr}");
    let [note] = &found["notes"].as_array().unwrap()[..] else { panic!("{found}") };
    assert_eq!(
        (note["kind"].as_str(), note["guess"].as_bool(), note["count"].as_u64()),
        (Some("stray-texts"), Some(true), Some(1))
    );
    // A flag decides otherwise, each way.
    place.refuses(
        &format!("train stray.csv --target y --strict {QUICK}"),
        2,
        &["stray.csv: a guess was needed", "`unknown` in line 19"],
    );
    let texts = place.json("data stray.csv --categorical a");
    assert_eq!(texts["columns"][0]["type"], "text");
    let forced = place.json("data stray.csv --numeric a --strict");
    assert_eq!((&forced["columns"][0]["type"], &forced["columns"][0]["missing"]), (&"number".into(), &1.into()));
    let words = place.json("data stray.csv --missing unknown --strict");
    assert!(words["notes"].as_array().unwrap().is_empty(), "{words}");
    // The model knows what was said: on its own file nothing is guessed.
    place.stdout(&format!("train stray.csv --target y --numeric a --strict --epochs 2 --out forced --quiet {QUICK}"));
    assert!(both(&place, "eval forced stray.csv --strict --device cpu").1.contains("`a` (1 of 200"));
    // What is wrong with a target is told as before.
    place.refuses(
        &format!("train stray.csv --target a {QUICK}"),
        2,
        &["contains mostly numbers", "`unknown` in line 19"],
    );
    // The model takes such cells as missing, too, and counts them.
    place.file("new.csv", "b,a\n1,2\n1,soon\n2,\"1,5\"\n");
    let (stdout, stderr) = both(&place, "predict run new.csv --device cpu");
    assert_eq!(stdout.lines().count(), 4);
    assert!(stderr.contains("count as missing: `a` (2 of 3, first `soon` in line 3)"), "{stderr}");
    place.refuses("predict run new.csv --device cpu --strict", 2, &["`soon` in line 3"]);
    place.file("gap.csv", "b,a\n1,2\n1,\n2,\n");
    assert_eq!(place.stdout("predict run gap.csv --device cpu"), stdout);
}

#[test]
fn numbers_in_another_form_train_the_same_network() {
    let place = Place::new();
    let plain = |a: f64| format!("{a:.2}");
    let comma = |a: f64| plain(a).replace('.', ",");
    place.file(
        "plain.csv",
        &format!("a,b,y\n{}", rows(120, |_, a, b| format!("{},{},{}", plain(a), plain(b), plain(y(a, b))))),
    );
    place.file(
        "comma.csv",
        &format!("a;b;y\n{}", rows(120, |_, a, b| format!("{};{} %;{}", comma(a), comma(b), comma(y(a, b))))),
    );
    let train = |name: &str| {
        let (_, stderr) = both(&place, &format!("train {name}.csv --target y --epochs 5 --out {name} --quiet {QUICK}"));
        assert_eq!(stderr, "");
        place.stdout(&format!("eval {name} {name}.csv --device cpu"))
    };
    assert_eq!(train("plain"), train("comma"));
    // Each model reads tables as its own was written; flags go before.
    place.file("new.csv", "a;b\n1,50;2,00 %\n");
    place.file("new_plain.csv", "a,b\n1.50,2.00\n");
    place.file("new_signs.csv", "a,b\n1.50,2.00 %\n");
    place.file("new_points.csv", "a,b\n1.5,2%\n");
    assert_eq!(
        place.stdout("predict comma new.csv --device cpu"),
        place.stdout("predict plain new_plain.csv --device cpu")
    );
    place.refuses("predict comma new_plain.csv --device cpu", 2, &["`a`", "`1.50`: --decimal . reads it"]);
    let message =
        "no cell of `b` is a number, the first is `2.00`: expected numbers as in training, with percent signs";
    place.refuses("predict comma new_plain.csv --decimal . --device cpu", 2, &[message]);
    assert_eq!(
        place.stdout("predict comma new_signs.csv --decimal . --device cpu"),
        place.stdout("predict comma new_points.csv --decimal . --device cpu")
    );
    // Marks that a user gives.
    place.file("points.csv", "x,y\n1.234,1\n5.678,2\n");
    assert_eq!(place.json("data points.csv --thousands .")["columns"][0]["max"], 5678.0);
    place.refuses("data points.csv --decimal x", 2, &["--decimal"]);
    place.refuses("data points.csv --decimal . --thousands .", 2, &["--thousands"]);
}

#[test]
fn every_row_in_is_a_row_out() {
    let place = Place::new();
    place.file("train.csv", &format!("x,y\n{}", rows(60, |_, a, _| format!("{a},{}", 2.0 * a))));
    place.stdout(&format!("train train.csv --target y --epochs 5 --out run --quiet {QUICK}"));
    for text in ["x\n1\n\"\"\n3\n\"\"\n5\n", "x\n1\n\n3\n\n5\n", "x\r\n1\r\n\r\n3\r\n\"\"\r\n5\r\n\r\n"] {
        place.file("new.csv", text);
        let found = place.stdout("predict run new.csv --device cpu");
        let lines: Vec<&str> = found.lines().collect();
        assert_eq!((lines.len(), lines[2]), (6, lines[4]), "{text:?}");
    }
    // With columns of the input in front, as they are written there.
    place.file("ids.csv", "id,name,x\n007,\"a, b\",1\n8,NA, 2.50\n");
    let found = place.stdout("predict run ids.csv --copy id,x --copy name --row-numbers --device cpu");
    let cells: Vec<Vec<String>> = csv::Reader::from_reader(found.as_bytes())
        .records()
        .map(|row| row.unwrap().iter().map(String::from).collect())
        .collect();
    assert!(found.starts_with("row,id,x,name,prediction\n"), "{found}");
    assert_eq!([&cells[0][..4], &cells[1][..4]], [["1", "007", "1", "a, b"], ["2", "8", "2.50", "NA"]]);
    let alone = place.stdout("predict run ids.csv --device cpu");
    assert_eq!(cells[1][4], alone.lines().nth(2).unwrap());
    place.refuses("predict run ids.csv --copy ident --device cpu", 2, &["`ident`"]);
}

/// What is copied is a matter of the output alone: features among it are read as if they were not.
#[test]
fn copied_columns_change_no_prediction() {
    let place = Place::new();
    let row = |i: usize, a: f64, b: f64| {
        let (kind, day) = (["u", "v", "none"][i % 3], 1 + i % 28);
        format!("{a:.3},{b:.3},{kind},2024-01-{day:02},{}", y(a, b) + (i % 3) as f64)
    };
    place.file("t.csv", &format!("a,b,kind,when,y\n{}", rows(90, row)));
    place.stdout(&format!("train t.csv --target y --not-missing none --epochs 5 --out run --quiet {QUICK}"));
    let same = |file: &str, flags: &str, first: &str| {
        let words = format!("predict run {file} --device cpu {flags}");
        let (alone, copied) = (place.stdout(&words), place.stdout(&format!("{words} --copy a,b,kind,when")));
        let table = csv::ReaderBuilder::new().from_reader(copied.as_bytes()).into_records().map(Result::unwrap);
        let cells: Vec<Vec<String>> = table.map(|row| row.iter().map(String::from).collect()).collect();
        assert_eq!(cells[0][..4].join("|"), first, "{file}");
        let predictions: Vec<&str> = cells.iter().map(|row| row[4].as_str()).collect();
        assert_eq!(predictions, alone.lines().skip(1).collect::<Vec<_>>(), "{file} {flags}");
        predictions.join(" ")
    };
    place.file("points.csv", "a;b;kind;when\n2.075;1234.5;u;2024-01-02\n1.5;;v;\n0.5;-;gone;soon\n");
    let points = same("points.csv", "", "2.075|1234.5|u|2024-01-02");
    place.file("commas.csv", "a;b;kind;when\n2,075;1.234,5;u;2024/01/02\n1,5;;v;\n0,5;-;gone;soon\n");
    assert_eq!(same("commas.csv", "--decimal , --thousands .", "2,075|1.234,5|u|2024/01/02"), points);
    // Words for missing cells, in numbers and in categories, of the flags and of the model.
    place.file("words.csv", "a;b;kind;when\n2.075;-999.0;gone;NA\n1.5;NA;none;2024-01-03\n");
    let words = same("words.csv", "--missing gone,-999", "2.075|-999.0|gone|NA");
    place.file("empty.csv", "a;b;kind;when\n2.075;;;\n1.5;;none;2024-01-03\n");
    assert_eq!(same("empty.csv", "", "2.075|||"), words);
}

/// A column of which nothing can be read says nothing, and its model neither; one that is empty is a user's own choice.
#[test]
fn a_column_without_a_readable_cell_is_refused() {
    let place = Place::new();
    let row = |i: usize, a: f64, b: f64| format!("{a:.3},{b:.3},2024-01-{:02},{}", 1 + i % 28, y(a, b));
    place.file("t.csv", &format!("a,b,when,y\n{}", rows(60, row)));
    place.stdout(&format!("train t.csv --target y --epochs 5 --out run --quiet {QUICK}"));
    for (row, message) in [
        ("2,075;1.5;2024-01-02;1", "line 2: no cell of `a` is a number, the first is `2,075`: --decimal , reads it"),
        ("1.5;many;2024-01-02;1", "line 2: no cell of `b` is a number, the first is `many`: expected numbers such as"),
        ("1.5;1.5;02.06.2024;1", "line 2: no cell of `when` is a date, the first is `02.06.2024`: expected dates"),
    ] {
        place.file("new.csv", &format!("a;b;when;y\n{row}\n{row}\n;;;1\n"));
        for words in ["eval run new.csv", "predict run new.csv", "predict run new.csv --copy a,when --out new.out"] {
            place.refuses(&format!("{words} --device cpu"), 2, &["new.csv: ", message]);
        }
        assert!(!place.names().contains(&"new.out".to_string()));
        // A cell that can be read at the very end makes all others missing, however many parts of the file come before.
        place.file("new.csv", &format!("a;b;when;y\n{}1.5;1.5;2024-01-02;1\n", format!("{row}\n").repeat(100_000)));
        let (stdout, stderr) = both(&place, "predict run new.csv --device cpu");
        assert_eq!(stdout.lines().count(), 100_002);
        assert!(stderr.contains("count as missing: `") && stderr.contains("(100000 of 10000"), "{stderr}");
    }
    place.file("new.csv", "a;b;when;y\n;-;;1\n;-;NA;1\n");
    for words in ["eval run new.csv", "predict run new.csv", "predict run new.csv --copy a,b"] {
        place.stdout(&format!("{words} --device cpu"));
    }
}

/// A row that is taken for the header is lost as data, so what looks like one is told.
#[test]
fn a_header_that_looks_like_data_is_told() {
    let place = Place::new();
    place.file("t.csv", &rows(60, |i, a, b| format!("{a},{b},{}", ["u", "v"][i % 2])));
    let note = "note: the first row looks like data and is taken as the header: first `0` in line 1; --no-header or --header decides\n";
    for words in ["data t.csv", "train t.csv --target u --device cpu --epochs 1"] {
        assert!(both(&place, words).1.contains(note), "{words}");
        assert!(!both(&place, &format!("{words} --header")).1.contains("looks like data"), "{words}");
        place.refuses(&format!("{words} --strict"), 2, &["the first row looks like data"]);
    }
    assert_eq!(place.json("data t.csv --no-header --strict")["rows"], 60);
}

#[test]
fn codes_and_dates_in_other_forms_are_told() {
    let place = Place::new();
    let zip = |i: usize| format!("{:05}", 501 + i * 977 % 20_000);
    let row = |i: usize, a: f64, b: f64| {
        let stray = if i == 50 { "none yet".into() } else { zip(i) };
        format!("{},{stray},{:02}.06.2024,{}/{}/2024 10:00,{a},{}", zip(i), 1 + i % 28, 1 + i % 12, 1 + i % 28, y(a, b))
    };
    place.file("t.csv", &format!("zip,area,Datum,day,a,y\n{}", rows(60, row)));
    let told = both(&place, "data t.csv").1;
    let codes = (0..60).filter(|&i| zip(i).starts_with('0')).count();
    let note = format!(
        "note: numbers with zeros in front are taken as numbers, without the zeros: `zip` ({codes} of 60, first `00501` in line 2, \
         --categorical zip keeps the zeros), `area` ("
    );
    assert!(told.contains(&note) && told.contains("--categorical area keeps the zeros)\n"), "{told}");
    let note = "note: texts that look like dates are taken as texts, since only ISO dates (2024-06-02) are read as dates: `Datum` (as \
                DD.MM.YYYY), `day` (as MM/DD/YYYY)\n";
    assert!(told.contains(note), "{told}");
    // What a user has decided is not told.
    let told = both(&place, "data t.csv --categorical zip,Datum,day --numeric area").1;
    assert!(!told.contains("zeros") && !told.contains("dates"), "{told}");
    // Days and months that leave the order open; times, versions and zeros that are no codes.
    place.file("t.csv", "a,b,c,y\n1/2/2024,1.2.3,00,01\n3/4/2024,1.2.4,01,0\n");
    let told = both(&place, "data t.csv --target y").1;
    assert!(told.contains("`a` (as DD/MM/YYYY or MM/DD/YYYY)\n") && !told.contains("zeros"), "{told}");
}

#[test]
fn columns_do_not_vanish_unseen() {
    let place = Place::new();
    let row = |i: usize, a: f64, b: f64| format!("{a},{b},7,shop{i},{},{}", ["u", "v"][i % 2], y(a, b));
    place.file("t.csv", &format!("a,b,same,shop,kind,y\n{}", rows(300, row)));
    let (_, stderr) = both(&place, &format!("train t.csv --target y --epochs 5 --out run {QUICK}"));
    assert!(stderr.contains("note: columns that are the same in all training rows are left out: `same`"), "{stderr}");
    assert!(stderr.contains("note: columns whose categories are all rare are left out: `shop`"), "{stderr}");
    let text = place.stdout("inspect run");
    assert!(text.contains("left out") && text.contains("same") && text.contains("shop"), "{text}");
    // A new value of one of them changes nothing, and neither does its absence.
    place.file("as_before.csv", "a,b,same,shop,kind\n1,2,7,shop1,u\n");
    place.file("other.csv", "a,b,same,shop,kind\n1,2,70000,none,u\n");
    place.file("without.csv", "kind,a,b\nu,1,2\n");
    let (expected, stderr) = both(&place, "predict run as_before.csv --device cpu");
    assert!(!stderr.contains("note"), "{stderr}");
    for name in ["other", "without"] {
        assert_eq!(place.stdout(&format!("predict run {name}.csv --device cpu")), expected);
    }
    // Categories that are new are counted, by column.
    place.file("unseen.csv", "a,b,kind,y\n1,2,w,-1\n1,2,u,-1\n1,2,x,-1\n");
    let (_, stderr) = both(&place, "predict run unseen.csv --device cpu");
    assert!(
        stderr
            .contains("note: cells hold categories that the model has not seen: `kind` (2 of 3, first `w` in line 2)"),
        "{stderr}"
    );
    assert!(both(&place, "eval run unseen.csv --device cpu").1.contains("`kind` (2 of 3"));
    assert_eq!(place.json("eval run unseen.csv --device cpu")["notes"][0]["kind"], "unseen");
    for command in ["predict", "eval"] {
        place.refuses(
            &format!("{command} run unseen.csv --unseen error --device cpu"),
            2,
            &["line 2", "`kind`", "`w`"],
        );
    }
    // Nothing is left to learn from.
    place.file("nothing.csv", &format!("same,y\n{}", rows(60, |_, a, b| format!("7,{}", y(a, b)))));
    place.refuses(&format!("train nothing.csv --target y {QUICK}"), 2, &["nothing.csv"]);
}

#[test]
fn categories_are_one_where_only_their_spelling_differs() {
    let place = Place::new();
    let row = |i: usize, number: &str, word: &str| {
        format!("{},{},{}", [number, "2.0", "3.0"][i % 3], [word, "False"][i % 2], 10 * (i % 3) + i % 2)
    };
    place.file("t.csv", &format!("store,member,y\n{}", rows(90, |i, _, _| row(i, "1.0", "True"))));
    place.stdout(&format!("train t.csv --target y --categorical store --epochs 40 --out run --quiet {QUICK}"));
    let predict = |cells: &str| {
        place.file("new.csv", &format!("store,member\n{cells}\n"));
        both(&place, "predict run new.csv --device cpu")
    };
    let expected = predict("1.0,True").0;
    for cells in ["1,TRUE", "1,true", "+1,t", "1.00,yes", "1,Y"] {
        let (found, stderr) = predict(cells);
        assert_eq!((found.as_str(), stderr.contains("not seen")), (expected.as_str(), false), "{cells}");
    }
    for cells in ["01,True", "1,1", "1.5,True"] {
        assert!(predict(cells).1.contains("not seen"), "{cells}");
    }
}

#[test]
fn files_without_a_header_are_trained_on_when_that_is_said() {
    let place = Place::new();
    place.file("t.csv", &rows(90, |i, a, b| format!("{a},{},{b},{}", 5 + i % 7, y(a, b))));
    let refused = place.refuses(
        &format!("train t.csv --target x3 --epochs 5 {QUICK}"),
        2,
        &["--no-header", "--header", "only numbers"],
    );
    assert!(!refused.contains("no column"), "{refused}");
    let (_, stderr) = both(&place, "data t.csv");
    assert!(stderr.contains("only numbers"), "{stderr}");
    place.stdout(&format!("train t.csv --no-header --target x3 --ignore x1 --epochs 5 --out run --quiet {QUICK}"));
    place.file("all.csv", "1,5,2,0\n3,5,4,0\n");
    place.file("features.csv", "1,2\n3,4\n");
    place.file("named.csv", "x2,x0\n2,1\n4,3\n");
    let expected = place.stdout("predict run all.csv --device cpu");
    assert_eq!(expected.lines().count(), 3);
    assert_eq!(place.stdout("predict run features.csv --device cpu"), expected);
    assert_eq!(place.stdout("predict run named.csv --header --device cpu"), expected);
    // A model of a file with a header takes files without one, if that is said.
    place.file("headed.csv", &format!("a,b,y\n{}", rows(60, |_, a, b| format!("{a},{b},{}", y(a, b)))));
    place.stdout(&format!("train headed.csv --target y --epochs 2 --out headed --quiet {QUICK}"));
    place.file("ab.csv", "a,b\n1,2\n");
    for (name, text) in [("two.csv", "1,2\n"), ("three.csv", "1,2,0\n")] {
        place.file(name, text);
        let found = place.stdout(&format!("predict headed {name} --no-header --device cpu"));
        assert_eq!(found, place.stdout("predict headed ab.csv --device cpu"));
    }
    place.file("five.csv", "1,2,3,4,5\n");
    place.refuses("predict run five.csv --device cpu", 2, &["5 cells", "expected 4"]);
    // The run can be repeated from its configuration.
    let again = format!("train --config run/config.toml --out again --quiet {QUICK}");
    place.stdout(&again);
    assert_eq!(place.stdout("predict again all.csv --device cpu"), expected);
}

#[test]
fn headers_and_indices_of_other_programs_are_no_obstacle() {
    let place = Place::new();
    let body = |row: &dyn Fn(usize, f64, f64) -> String| rows(60, row);
    place.file("plain.csv", &format!("a,b,y\n{}", body(&|_, a, b| format!("{a},{b},{}", y(a, b)))));
    place.file("pandas.csv", &format!(",a,b,y\n{}", body(&|i, a, b| format!("{i},{a},{b},{}", y(a, b)))));
    place.file("r.csv", &format!("a b y\n{}", body(&|i, a, b| format!("r{i} {a} {b} {}", y(a, b)))).replace(' ', "\t"));
    place.file("trailing.csv", &format!("a;b;y;\n{}", body(&|_, a, b| format!("{a};{b};{};", y(a, b)))));
    place.file("excel.csv", &format!("sep=;\na; \"b\";y\n{}", body(&|_, a, b| format!("{a}; \"{b}\";{}", y(a, b)))));
    place.file("comments.csv", &format!("# by hand\na,b,y\n{}", body(&|_, a, b| format!("{a},{b},{}", y(a, b)))));
    let expected = place.stdout(&format!("train plain.csv --target y --epochs 5 --out plain --quiet {QUICK}"));
    let metrics = |text: &str| text.lines().take(3).map(String::from).collect::<Vec<_>>();
    for (name, note) in
        [("pandas", "index"), ("r", "index"), ("trailing", "without values"), ("comments", "before the header")]
    {
        let (stdout, stderr) = both(&place, &format!("train {name}.csv --target y --epochs 5 {QUICK}"));
        assert_eq!(metrics(&stdout), metrics(&expected), "{name}");
        assert!(stderr.contains(note), "{name}: {stderr}");
        both(&place, &format!("predict plain {name}.csv --device cpu"));
    }
    let (stdout, _) = both(&place, &format!("train excel.csv --target y --epochs 5 {QUICK}"));
    assert_eq!(metrics(&stdout), metrics(&expected));
    place.refuses(&format!("train pandas.csv --target y --strict {QUICK}"), 2, &["index"]);
    // It is a column like any other for whoever names it.
    let named =
        ["--target", "y", "--features", "Unnamed: 0,a", "--epochs", "2", "--strict", "--quiet", "--out", "named"];
    let mut command = place.command(&format!("train pandas.csv {QUICK}"));
    command.args(named);
    let Output { code, stderr, .. } = finished(command);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(place.json("inspect named")["encoder"]["features"].as_array().unwrap().len(), 2);
}

#[test]
fn text_in_another_encoding_is_read_when_it_is_named() {
    let place = Place::new();
    let table =
        format!("größe,ort,y\n{}", rows(60, |i, a, b| format!("{a},{},{}", ["Köln", "Genève"][i % 2], y(a, b))));
    let latin: Vec<u8> = table.chars().map(|char| char as u8).collect();
    std::fs::write(place.path().join("latin.csv"), &latin).unwrap();
    place.refuses(&format!("train latin.csv --target y {QUICK}"), 2, &["--encoding"]);
    place.stdout(&format!("train latin.csv --target y --encoding windows-1252 --epochs 5 --out run --quiet {QUICK}"));
    // The model knows it.
    assert_eq!(place.stdout("predict run latin.csv --device cpu").lines().count(), 61);
    place.file("utf8.csv", &table);
    let found = place.stdout("predict run utf8.csv --encoding utf-8 --device cpu");
    assert_eq!(found, place.stdout("predict run latin.csv --device cpu"));
    place.refuses("data latin.csv --encoding klingon", 2, &["--encoding", "klingon"]);
}

#[test]
fn dates_are_features() {
    let place = Place::new();
    let date = |i: usize| format!("2024-{:02}-{:02} {:02}:00", 1 + i % 12, 1 + i % 28, i % 24);
    place.file("t.csv", &format!("when,a,y\n{}", rows(120, |i, a, b| format!("{},{a},{}", date(i), y(a, b)))));
    let (_, stderr) = both(&place, &format!("train t.csv --target y --epochs 5 --out run {QUICK}"));
    assert!(
        stderr.contains("note: dates become days since 1970, month, weekday and, with a time, hour: `when`"),
        "{stderr}"
    );
    let found = place.json("inspect run");
    assert_eq!(found["encoder"]["features"].as_array().unwrap().len(), 2, "{found}");
    assert_eq!(place.json("data t.csv")["columns"][0]["type"], "date");
    place.file("new.csv", "when,a\n2025-01-01,1\nsoon,1\n,1\n");
    let (stdout, stderr) = both(&place, "predict run new.csv --device cpu --copy when");
    let cells: Vec<&str> = stdout.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(cells, ["when", "2025-01-01", "soon", ""]);
    assert!(stderr.contains("`when` (1 of 3, first `soon` in line 3)"), "{stderr}");
}

#[test]
fn classes_are_known_again_in_the_way_they_were_written() {
    let place = Place::new();
    for (name, classes, d) in [
        ("percent", ["0%", "1%"], ";"),
        ("comma", ["1,5", "2,5"], ";"),
        ("currency", ["$0", "$1"], ","),
        ("brackets", ["(1)", "1"], ","),
        ("thousands", ["1'000", "2'000"], ","),
        ("padded", ["01", "02"], ","),
        ("padded_or_not", ["01", "1"], ","),
        ("minus", ["\u{2212}1", "1"], ","),
    ] {
        place.file("t.csv", &format!("a{d}y\n{}", rows(60, |i, _, _| format!("{}{d}{}", i % 7, classes[i % 2]))));
        place.stdout(&format!("train t.csv --target y --epochs 2 --test t.csv --out {name} --quiet {QUICK}"));
        let found = place.json(&format!("eval {name} t.csv --strict --unseen error --device cpu"));
        assert_eq!(
            (found["rows"].as_u64(), &found["classes"][0]["support"]),
            (Some(60), &30.into()),
            "{name}: {found}"
        );
    }
    place.file("t.csv", &format!("a;y\n{}", rows(60, |i, _, _| format!("{};{}%", i % 7, i % 2))));
    place.stdout(&format!("train t.csv --target y --epochs 2 --class-weight 1%=2 --quiet {QUICK}"));
    place.file(
        "three.csv",
        &format!("a,y\n{}", rows(60, |i, _, _| format!("{},{}", i % 7, ["02101", "2101", "3"][i % 3]))),
    );
    let found =
        place.json(&format!("train three.csv --target y --task multiclass --epochs 2 --test-fraction 0 {QUICK}"));
    assert_eq!(found["train"]["classes"].as_array().unwrap().len(), 3, "{found}");
}

#[test]
fn other_tables_of_a_run_are_noted_too() {
    let place = Place::new();
    place.file("t.csv", &format!("a,k,y\n{}", rows(80, |i, a, b| format!("{a},{},{}", ["p", "q"][i % 2], y(a, b)))));
    place.file("test.csv", "a,k,y\n1,p,2\noops,zz,3\n2,q,4\n");
    let words = format!("train t.csv --target y --test test.csv --epochs 2 {QUICK}");
    let (stdout, stderr) = both(&place, &format!("{words} --json"));
    for part in [
        "note: test.csv: cells of another type",
        "`oops` in line 3",
        "note: test.csv: cells hold categories",
        "`zz` in line 3",
    ] {
        assert!(stderr.contains(part), "{part}: {stderr}");
    }
    let found: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["notes"].as_array().unwrap().len(), 2, "{found}");
    place.refuses(&format!("{words} --strict"), 2, &["test.csv", "`oops`"]);
    // A sentinel with a minus is no flag.
    place.file("sentinel.csv", "a,y\n-999,1\n2,3\n");
    assert_eq!(place.json("data sentinel.csv --missing -999")["columns"][0]["missing"], 1);
}
