//! The command on tables as they come: categories, missing cells, other delimiters, gzip, stdin, columns by name.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use flate2::Compression;
use flate2::write::GzEncoder;
use wgpu_mlp::Model;

use crate::cli::{Output, Place};

/// Birds of three kinds, told apart by a length and an island, of which some cells are missing; an identifier and a
/// constant besides.
fn birds(place: &Place) -> String {
    let mut text = "id;island;length;year;kind\n".to_string();
    for i in 0..90 {
        let kind = ["auk", "gull", "tern"][i % 3];
        let island = if i % 10 == 7 { "NA" } else { ["North", "South", "South"][i % 3] };
        let length = if i % 9 == 4 { String::new() } else { format!("{},{}", 10 + i % 3 * 5, i % 7) };
        text += &format!("b{i};{island};{};2026;{kind}\n", length.replace(',', "."));
    }
    place.file("birds.csv", &text);
    text
}

/// What a command gives that reads this from stdin.
pub fn with_stdin(place: &Place, words: &str, bytes: &[u8]) -> String {
    let mut child =
        place.command(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "mlp {words}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_table_as_it_comes_is_learned_and_predicted() {
    let place = Place::new();
    let text = birds(&place);
    let train = "train birds.csv --target kind --ignore id --device cpu --epochs 60 --batch 8 --lr 0.01 --out run";
    let Output { stderr, .. } = place.run(train);
    assert!(stderr.contains("task: multiclass, `kind` has 3 texts, `auk`, `gull`, `tern`"), "{stderr}");
    let trained = place.json(train);
    assert!(trained["test"]["accuracy"].as_f64().unwrap() > 0.9, "{trained}");
    // A third of each class is in each part.
    let support: Vec<_> =
        trained["test"]["classes"].as_array().unwrap().iter().map(|class| class["support"].as_u64().unwrap()).collect();
    assert_eq!(support, [6, 6, 6], "{trained}");
    let baseline = &trained["baseline"];
    assert_eq!(baseline["part"], "test");
    let [constant, linear] = ["constant", "linear"].map(|name| baseline[name]["accuracy"].as_f64().unwrap());
    assert!((constant - 1.0 / 3.0).abs() < 1e-9 && linear > 0.6, "{baseline}");
    for phase in ["read", "encode", "upload", "train", "evaluate", "save", "baseline"] {
        assert!(trained["phases"][phase].as_f64().unwrap() > 0.0, "{phase}: {trained}");
    }
    let model = Model::load(place.path().join("run")).unwrap();
    let names: Vec<_> = model.encoder.unwrap().features().iter().flat_map(|feature| feature.input_names()).collect();
    let expected = ["island=North", "island=South", "island=(missing)", "length", "length=(missing)"];
    assert_eq!(names, expected);

    // Raw rows: other columns in another order, one of them unknown, another delimiter, a category never seen.
    let predictions = place.stdout("predict run birds.csv --device cpu");
    let rows = |delimiter: &str| {
        let mut rows = text.lines().map(|line| {
            let cells: Vec<&str> = line.split(';').collect();
            [cells[3], cells[2], "junk", cells[1]].join(delimiter) + "\n"
        });
        rows.next().unwrap().replace("junk", "extra") + &rows.collect::<String>()
    };
    place.file("raw.tsv", &rows("\t"));
    let Output { stdout, stderr, .. } = place.run("predict run raw.tsv --device cpu");
    assert_eq!(stdout, predictions);
    assert!(
        stderr.contains("note: raw.tsv: the model does not take the columns `extra`: they are skipped"),
        "{stderr}"
    );
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(rows("|").as_bytes()).unwrap();
    let zipped = gzip.finish().unwrap();
    fs::write(place.path().join("raw.gz"), &zipped).unwrap();
    assert_eq!(place.stdout("predict run raw.gz --device cpu"), predictions);
    assert_eq!(with_stdin(&place, "predict run - --device cpu", &zipped), predictions);
    place.file("unseen.csv", "length,island,year\n10.5,East,2026\n,?,\n");
    let Output { stdout, stderr, .. } = place.run("predict run unseen.csv --device cpu");
    assert_eq!(stdout.lines().count(), 3);
    assert!(stderr.contains("has not seen: `island` (1 of 2, first `East` in line 2)"), "{stderr}");
    place.refuses("predict run shuffled.csv --device cpu", 2, &["no column `island`, `length`;", "`b`, `a`"]);
    // Trained from stdin, it is the same model.
    let words = train.replace("birds.csv", "-").replace("--out run", "--out piped --quiet");
    with_stdin(&place, &words, text.as_bytes());
    let [piped, run] = ["piped", "run"].map(|name| Model::load(place.path().join(name)).unwrap());
    assert!(piped.parameters == run.parameters && piped.encoder == run.encoder);
    let inspected = place.stdout("inspect run");
    assert!(inspected.contains("`North`, `South`") && inspected.contains("`2026` in all training rows"), "{inspected}");
    // A run goes on from the model with the columns that it knows.
    let again = place.run("train birds.csv --device cpu --epochs 1 --lr 1e-9 --init-from run --quiet");
    assert!(again.code == Some(0) && again.stderr.contains("does not take the columns `id`"), "{}", again.stderr);
}

#[test]
fn columns_are_chosen_by_name() {
    let place = Place::new();
    birds(&place);
    let names = |flags: &str| {
        place.json(&format!("train birds.csv --target kind --device cpu --epochs 1 --out run {flags}"));
        let encoder = Model::load(place.path().join("run")).unwrap().encoder.unwrap();
        encoder.features().iter().flat_map(|feature| feature.input_names()).collect::<Vec<_>>()
    };
    assert_eq!(names("--features year,island"), ["island=North", "island=South", "island=(missing)"]);
    assert!(names("--features length --categorical length").contains(&"length=10.1".to_string()));
    assert_eq!(names("--ignore id,island"), ["length", "length=(missing)"]);
    let nothing = ["no column is left to predict `kind` from", "(`year`)"];
    place.refuses("train birds.csv --target kind --device cpu --features year", 2, &nothing);
    // A class of numbers that are to be labels.
    place.file("zip.csv", "a,zip\n1,01\n2,02\n3,03\n4,01\n5,02\n6,03\n");
    let found =
        place.json("train zip.csv --target zip --categorical zip --device cpu --epochs 1 --test-fraction 0 --out z");
    let labels: Vec<_> =
        found["train"]["classes"].as_array().unwrap().iter().map(|class| class["label"].clone()).collect();
    assert_eq!(labels, ["01", "02", "03"]);
}

#[test]
fn imbalance_is_told() {
    let place = Place::new();
    let rows: String = (0..200).map(|i| format!("{i},{}\n", if i % 20 == 0 { "rare" } else { "common" })).collect();
    place.file("i.csv", &format!("a,y\n{rows}"));
    let train = "train i.csv --target y --device cpu --epochs 1 --no-baseline";
    let expected = "note: of 160 training rows 152 are `common` and 8 `rare`: --class-weight balanced makes classes count the same";
    assert!(place.run(train).stderr.contains(expected), "{}", place.run(train).stderr);
    for flags in ["--quiet", "--class-weight balanced"] {
        assert!(!place.run(&format!("{train} {flags}")).stderr.contains("balanced makes"), "{flags}");
    }
    let found = place.json(train);
    assert!(found["baseline"].is_null(), "{found}");
}

#[test]
fn the_baseline_of_numbers_is_their_mean() {
    let place = Place::new();
    let found = place.json("train numbers.csv --target y --device cpu --epochs 1");
    let [constant, linear] = ["constant", "linear"].map(|name| found["baseline"][name]["r2"].as_f64().unwrap());
    assert!(constant <= 0.0 && linear > 0.999, "{found}");
    // A network that is worse than one of these is no use, and that is said with what to try.
    let told = |flags: &str| place.run(&format!("train numbers.csv --target y --device cpu {flags}")).stderr;
    let worse = |part: &str| format!("note: the network is worse than the linear model on the {part} rows, rmse ");
    let stderr = told("--epochs 1");
    let to_try = ": try --hidden none, or --loss huber if a few targets are far from the rest\n";
    assert!(stderr.contains(&worse("test")) && stderr.contains(to_try), "{stderr}");
    let stderr = told("--epochs 1 --test-fraction 0 --loss huber");
    assert!(stderr.contains(&worse("training")) && stderr.contains(": try --hidden none\n"), "{stderr}");
    for flags in ["--epochs 1 --no-baseline", "--epochs 1 --quiet", "--hidden none --epochs 300"] {
        assert!(!told(flags).contains("is worse than"), "{flags}");
    }
    let table = place.stdout("train numbers.csv --target y --device cpu --epochs 1 --test-fraction 0");
    assert!(table.contains("\ntrain, linear") && table.contains("\ntrain, mean "), "{table}");
    let table = place.stdout("train numbers.csv --target y --hidden none --device cpu --epochs 1");
    assert!(!table.contains("test, linear") && table.contains("\ntest, mean "), "{table}");
    for loss in ["huber", "mean_absolute_error"] {
        let found = place.json(&format!("train numbers.csv --target y --loss {loss} --device cpu --epochs 1"));
        assert!(found["baseline"]["linear"]["r2"].as_f64().unwrap() > 0.99, "{found}");
    }
    // Bins are no linear functions of a column, and with as many as rows they fit anything.
    let cell = |row: usize, column: usize| (row * row * (column + 3) + 7 * row * column) % 101;
    let row = |i| {
        let cells: Vec<_> = (0..20).map(|column| cell(i, column)).collect();
        let y = cells[0] + 2 * cells[5];
        format!("{y},{}\n", cells.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
    };
    let names: Vec<_> = (0..20).map(|column| format!("x{column}")).collect();
    place.file("wide.csv", &format!("y,{}\n{}", names.join(","), (0..150).map(row).collect::<String>()));
    let found = place.json("train wide.csv --target y --numbers ple --device cpu --epochs 1");
    assert!(found["baseline"]["linear"]["r2"].as_f64().unwrap() > 0.999, "{found}");
}

#[test]
fn a_table_is_described() {
    let place = Place::new();
    birds(&place);
    let found = place.json("data birds.csv --target kind");
    assert_eq!(found["rows"], 90);
    let column = |at: usize| &found["columns"][at];
    assert_eq!(
        (&column(1)["type"], &column(1)["missing"], &column(1)["distinct"]),
        (&"text".into(), &9.into(), &2.into())
    );
    assert_eq!(column(2)["type"], "number");
    assert_eq!((&column(2)["missing"], &column(2)["min"], &column(2)["max"]), (&10.into(), &10.0.into(), &20.6.into()));
    assert_eq!(column(4)["most_frequent"], serde_json::json!([["auk", 30], ["gull", 30], ["tern", 30]]));
    let warnings: Vec<_> = found["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert_eq!(
        warnings,
        [
            "`id` is different in every row, so it is probably an identifier: --ignore id",
            "`year` is the same in all rows: --ignore year"
        ]
    );
    let text = place.stdout("data birds.csv --target kind");
    assert!(text.starts_with("90 rows, 5 columns\n\n") && text.contains("\nwarning: `year` is the same"), "{text}");
    // Columns that say what the target says, as numbers or by other words.
    let rows: String =
        (0..30).map(|i| format!("{},{},{},{}\n", i / 10, ["u", "v", "w"][i / 10], i / 10, i % 4)).collect();
    place.file("leak.csv", &format!("code,word,y,other\n{rows}"));
    let found = place.json("data leak.csv --target y");
    let expected = ["`code` repeats the target: --ignore code", "`word` repeats the target: --ignore word"];
    assert_eq!(found["warnings"], serde_json::json!(expected));
    assert_eq!(place.json("data leak.csv")["warnings"], serde_json::json!([]));
    assert_eq!(place.json("data moons")["rows"], 1000);
    place.refuses("data leak.csv --target z", 2, &["leak.csv", "no column `z`"]);
    place.refuses("data absent.csv", 2, &["absent.csv", "cannot read the table"]);
}

/// Numbers that differ in every row may be salaries as well as names of rows; only what counts rows, or is called so, is warned of.
#[test]
fn identifiers_are_told_from_numbers_that_differ() {
    let place = Place::new();
    let row = |i: usize| {
        let (salary, power, down, shuffled) = (i * 7919 % 40_009, i * 7919 % 40_009 + 100_000, 900 - i, i * 37 % 150);
        format!(
            "{salary},1.{power}e+30,{down},{shuffled},{salary},{salary},n{},w{},2024-01-{}\n",
            i.max(1),
            i / 2,
            1 + i % 28
        )
    };
    let rows: String = (0..150).map(row).collect();
    place.file("t.csv", &format!("salary,power,down,shuffled,customer_id,PassengerId,name,word,day\n{rows}"));
    let found = place.json("data t.csv");
    let warnings: Vec<_> = found["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let every =
        |name: &str| format!("`{name}` is different in every row, so it is probably an identifier: --ignore {name}");
    let nearly = "`name` is different in nearly every row, so it is probably an identifier: --ignore name".to_string();
    let told = ["down", "shuffled", "customer_id", "PassengerId"].map(every);
    assert_eq!(warnings, [&told[..], &[nearly]].concat());
}

/// A column that only numbers the rows is learned from, and said; so is that a model of other data gives way, and predictions have the
/// digits that an output in f32 tells apart.
#[test]
fn what_a_run_notices_of_its_columns_and_of_its_folder_is_said() {
    let place = Place::new();
    let rows = |noise: f64| -> String {
        (0..60).map(|i| format!("{},{},{}\n", 5000 + i, i % 7, 1e6 + noise * f64::from(i * i % 11))).collect()
    };
    place.file("sales.csv", &format!("id,shop,y\n{}", rows(10.0)));
    place.file("other.csv", &format!("id,shop,y\n{}", rows(3.0)));
    let train = |file: &str| place.run(&format!("train {file} --target y --device cpu --epochs 2 --out run")).stderr;
    let note = "`id`; --ignore leaves them out";
    let replaced = "note: run/model.safetensors was trained on sales.csv: this run replaces it when it ends";
    let first = train("sales.csv");
    assert!(first.contains(note) && !first.contains("replaces it"), "{first}");
    assert!(!train("sales.csv").contains("replaces it"));
    let other = train("other.csv");
    assert!(other.contains(replaced), "{other}");
    let ignored = place.run("train other.csv --target y --device cpu --epochs 1 --ignore id").stderr;
    assert!(!ignored.contains("identifiers"), "{ignored}");
    for number in place.stdout("predict run other.csv --device cpu").lines().skip(1) {
        let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        assert!((1..=9).contains(&decimals), "{number}: of some 30 about a million");
    }
}
