//! `mlp export` and `mlp import`: a model on its way to other programs, and theirs on their way here.

use std::fs;

use crate::cli::{Place, assert_no_work};
use crate::exchange::graphs::case;
use crate::exchange::refused::Graph;
use crate::exchange::round_trip::cases;

/// The numbers of a CSV, but for its header and the first `skip` columns.
fn numbers(csv: &str, skip: usize) -> Vec<f64> {
    csv.lines().skip(1).flat_map(|line| line.split(',').skip(skip)).map(|cell| cell.parse().unwrap()).collect()
}

fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let near = |(found, expected): (&f64, &f64)| (found - expected).abs() <= 1e-5 * expected.abs().max(1.0);
    assert!(found.iter().zip(expected).all(near), "{found:?}\n{expected:?}");
}

#[test]
fn a_model_goes_out_and_comes_back() {
    let place = Place::new();
    for (table, target, skip) in [("classes.csv", "answer", 1), ("numbers.csv", "y", 0)] {
        place.json(&format!("train {table} --target {target} --device cpu --epochs 20 --out run"));
        let told = place.run("export run --onnx net.onnx");
        assert_eq!((told.code, told.stdout.as_str()), (Some(0), ""), "{}", told.stderr);
        let output = if skip == 1 { "`probabilities` [rows, 2]" } else { "`prediction` [rows, 1]" };
        for words in ["net.onnx", "opset 13", "`features` [rows, 2]", output] {
            assert!(told.stderr.contains(words), "{}", told.stderr);
        }
        place.stdout("import net.onnx --out back.safetensors");
        // By name, whatever the order.
        let [expected, found] = ["run", "back.safetensors"]
            .map(|model| numbers(&place.stdout(&format!("predict {model} shuffled.csv --device cpu")), skip));
        assert_near(&found, &expected);
        let [expected, found] = ["run", "back.safetensors"]
            .map(|model| place.json(&format!("eval {model} {table} --device cpu"))["loss"].as_f64().unwrap());
        assert!((found - expected).abs() < 1e-5 * expected, "{found}, expected {expected}");
    }
    // What is saved is predicted from to the byte.
    let before = place.stdout("predict run numbers.csv --device cpu");
    assert_eq!(place.stdout("predict run/model.safetensors numbers.csv --device cpu"), before);
}

/// PyTorch's tensors and ONNX of three programs, with a table that names their columns and classes: predicted from,
/// judged, trained further.
#[test]
fn other_programs_models_are_used() {
    let place = Place::new();
    let cases = cases();
    for (name, flags, told) in [
        ("state/relu/softmax", "--activation relu --loss softmax_cross_entropy", "3→5 relu→4 relu→3, softmax"),
        ("state/leaky_relu/numbers", "--activation leaky_relu --loss huber", "→1, huber"),
        ("torch/dynamo/gelu/softmax", "", "3→5 gelu→4 gelu→3, softmax"),
        ("torch/torchscript/elu/two", "", "3→5 elu→4 elu→1, binary"),
        ("keras/relu/numbers", "--loss mean_squared_error", "3→4 relu→1, mean_squared_error"),
        ("sklearn/sigmoid/sigmoid", "", "4→5 sigmoid→1, binary"),
    ] {
        let case = cases.iter().find(|case| case.name == name).unwrap();
        fs::write(place.path().join("foreign"), &case.file).unwrap();
        let rows = if name.starts_with("sklearn") { case.x.len() / 4 } else { case.x.len() / 3 };
        let (inputs, outputs) = (case.x.len() / rows, case.y.len() / rows);
        let regression = name.ends_with("numbers");
        let classes = if outputs == 1 { vec!["no", "yes"] } else { vec!["high", "low", "mid"] };
        let mut table = format!("{},what\n", ["d", "c", "b", "a"][..inputs].join(","));
        for (i, (x, y)) in case.x.chunks(inputs).zip(case.y.chunks(outputs)).enumerate() {
            let target = if regression { y[0].to_string() } else { classes[i % classes.len()].into() };
            let cells: Vec<_> = x.iter().map(f32::to_string).chain([target]).collect();
            table += &format!("{}\n", cells.join(","));
        }
        place.file("table.csv", &table);
        let said = place.run(&format!("import foreign table.csv --target what {flags} --out net.safetensors"));
        assert!(said.code == Some(0) && said.stderr.contains(told), "{name}: {}", said.stderr);
        let predicted = place.stdout("predict net.safetensors table.csv --device cpu");
        let header = if regression { "prediction".into() } else { format!("prediction,p_{}", classes.join(",p_")) };
        assert!(predicted.starts_with(&header), "{name}: {predicted}");
        let skip = predicted.lines().next().unwrap().split(',').count() - outputs;
        assert_near(&numbers(&predicted, skip), &case.y.iter().map(|&y| y.into()).collect::<Vec<_>>());
        let evaluated = place.json("eval net.safetensors table.csv --device cpu");
        assert!(evaluated["loss"].is_f64(), "{evaluated}");
        assert!(!regression || evaluated["rmse"].as_f64().unwrap() < 1e-5, "{evaluated}");
        let tuned = place
            .json("train table.csv --init-from net.safetensors --epochs 1 --test-fraction 0 --lr 1e-9 --device cpu");
        let [before, after] = [&evaluated["loss"], &tuned["train"]["loss"]].map(|loss| loss.as_f64().unwrap());
        assert!((before - after).abs() <= 1e-5 * before.max(1e-3), "{name}: {before} and {after}");
    }
    // Directly, the columns as they are.
    let case = cases.iter().find(|case| case.name == "torch/dynamo/gelu/softmax").unwrap();
    fs::write(place.path().join("net.onnx"), &case.file).unwrap();
    place.file("t.csv", "a,b,c,k\n1,2,3,x\n2,1,0,y\n0,1,1,z\n1,1,1,x\n2,2,2,y\n3,0,1,z\n");
    let trained = place
        .json("train t.csv --target k --no-standardize --test-fraction 0 --epochs 1 --device cpu --init-from net.onnx");
    assert_eq!(trained["network"], "3→5 gelu→4 gelu→3, softmax_cross_entropy");
    place.refuses(
        "train t.csv --target k --init-from net.onnx --activation relu",
        2,
        &["--activation is relu", "expected gelu"],
    );
}

#[test]
fn what_cannot_be_imported_is_told() {
    let place = Place::new();
    let cases = cases();
    for (file, name) in [
        ("state", "state/relu/softmax"),
        ("numbers.onnx", "keras/relu/numbers"),
        ("scaled.onnx", "sklearn/relu/softmax"),
        ("soft.onnx", "torch/dynamo/gelu/softmax"),
    ] {
        fs::write(place.path().join(file), &cases.iter().find(|case| case.name == name).unwrap().file).unwrap();
    }
    fs::write(place.path().join("half.onnx"), &cases[0].file[..100]).unwrap();
    fs::write(place.path().join("conv.onnx"), Graph::default().ones("w", &[2, 2]).node("Conv x, w > y").bytes())
        .unwrap();
    place.json("train classes.csv --target answer --device cpu --epochs 1 --out run");
    let refused: &[(&str, &[&str])] = &[
        ("import state --out m", &["state: cannot import it", "--activation", "--loss"]),
        ("import numbers.onnx --out m", &["numbers.onnx", "plain numbers", "--loss"]),
        ("import scaled.onnx --out m", &["scaled.onnx", "scales its inputs", "TABLE --target"]),
        ("train classes.csv --target answer --init-from scaled.onnx", &["scaled.onnx", "scales its inputs", "TABLE"]),
        ("import half.onnx --out m", &["half.onnx", "neither safetensors nor a whole ONNX file"]),
        ("import classes.csv --out m", &["classes.csv", "neither safetensors nor a whole ONNX file"]),
        ("import conv.onnx --out m", &["conv.onnx", "node Conv `y` is not a part of a multilayer perceptron"]),
        ("import run --out m", &["model.safetensors", "already a model of mlp"]),
        ("import absent --out m", &["absent", "cannot read"]),
        ("import soft.onnx classes.csv --out m", &["classes.csv", "--target", "`answer`"]),
        ("import soft.onnx classes.csv --target anser --out m", &["no column `anser`"]),
        ("import soft.onnx classes.csv --target answer --out m", &["classes.csv", "`answer`", "two classes"]),
        (
            "import numbers.onnx numbers.csv --target y --loss poisson --out m",
            &["numbers.onnx", "3 inputs", "2 columns"],
        ),
        ("import soft.onnx --out absent/m", &["absent/m", "cannot write the model"]),
        ("export run --onnx absent/net.onnx", &["absent/net.onnx", "cannot write the ONNX model"]),
        ("export half.onnx --onnx net.onnx", &["half.onnx", "not a model file"]),
    ];
    for (words, message) in refused {
        assert_no_work(&place.refuses(words, 2, message));
    }
    // A network without names of columns is a start, and no more.
    place.stdout("import soft.onnx --out m");
    place.refuses("predict m classes.csv", 2, &["m:", "which columns", "mlp import", "--init-from"]);
    place.stdout("inspect m");
}

/// A fixture's file, and a table of its rows with a target.
fn place_of(name: &str, columns: &str, target: &[&str]) -> Place {
    let place = Place::new();
    let (file, x, _) = case(name);
    fs::write(place.path().join("net.onnx"), file).unwrap();
    let width = columns.split(',').count();
    let rows = x.chunks(width).zip(target.iter().cycle());
    let row =
        |(row, label): (&[f32], &&str)| row.iter().map(|x| format!("{x},")).chain([format!("{label}\n")]).collect();
    let rows: Vec<String> = rows.map(row).collect();
    place.file("t.csv", &format!("{columns},what\n{}", rows.concat()));
    place
}

#[test]
fn a_files_classes_are_matched_with_the_tables_at_import() {
    let texts = ["setosa", "versicolor", "virginica"];
    for (name, target, told, labels) in [
        ("zipmap/bool", &["False", "True"][..], "0 is `False`, 1 is `True`", "p_False,p_True"),
        ("zipmap/bool", &["1", "0"], "", "p_0,p_1"),
        ("zipmap/bool", &["yes", "no"], "0 is `no`, 1 is `yes`", "p_no,p_yes"),
        ("zipmap/bool", &["b", "a"], "0 is `a`, 1 is `b`", "p_a,p_b"),
        ("zipmap/two", &["0", "1"], "no is `0`, yes is `1`", "p_0,p_1"),
        ("zipmap/two", &["no", "yes"], "", "p_no,p_yes"),
        ("zipmap/numbers", &["x", "z", "y"], "0 is `x`, 1 is `y`, 2 is `z`", "p_x,p_y,p_z"),
        ("zipmap/texts", &texts[..2], "", "p_setosa,p_versicolor,p_virginica"),
        ("zipmap/none", &texts, "", "p_setosa,p_versicolor,p_virginica"),
    ] {
        let place = place_of(&format!("sklearn/{name}"), "a,b,c,d", target);
        let run = place.run("import net.onnx t.csv --target what --out m");
        assert_eq!(run.code, Some(0), "{name}: {}", run.stderr);
        assert_eq!(run.stderr.contains("its classes are those of target `what`"), !told.is_empty(), "{}", run.stderr);
        assert!(run.stderr.contains(told), "{name}: {}", run.stderr);
        let predicted = place.stdout("predict m t.csv --device cpu");
        assert!(predicted.starts_with(&format!("prediction,{labels}\n")), "{predicted}");
        let (.., y) = case(&format!("sklearn/{name}"));
        let skip = if labels.split(',').count() == 2 { 2 } else { 1 };
        assert_near(&numbers(&predicted, skip), &y.iter().map(|&y| y.into()).collect::<Vec<_>>());
        place.json("eval m t.csv --device cpu");
    }
    for (name, target, words) in [
        ("zipmap/texts", &["setosa", "rose", "tulip"][..], &["its classes are `setosa`", "has `rose`, `tulip`"][..]),
        ("zipmap/two", &["a", "b"], &["its classes are `no`, `yes`", "target `what`", "has `a`, `b`"]),
        ("zipmap/numbers", &["low", "high"], &["`what`", "two classes"]),
        ("zipmap/numbers", &["a", "b", "c", "d"], &["its classes are `0`, `1`, `2`", "has `a`, `b`, `c`, `d`"]),
    ] {
        let place = place_of(&format!("sklearn/{name}"), "a,b,c,d", target);
        assert_no_work(&place.refuses("import net.onnx t.csv --target what --out m", 2, words));
    }
}

#[test]
fn inputs_by_name_are_a_tables_columns_of_these_names() {
    let names = "sepal_length,sepal_width,petal_length,petal_width";
    let place = place_of("sklearn/columns", names, &["setosa", "versicolor", "virginica"]);
    let (.., y) = case("sklearn/columns");
    let expected: Vec<f64> = y.iter().map(|&y| y.into()).collect();
    // Without a table the names are known.
    let run = place.run("import net.onnx --out m");
    assert!(run.stderr.contains("the target") || run.stderr.contains("called `target`"), "{}", run.stderr);
    assert_near(&numbers(&place.stdout("predict m t.csv --device cpu"), 1), &expected);
    place.stdout("import net.onnx --target kind --out m");
    assert_eq!(place.json("inspect m")["encoder"]["target"]["name"], "kind");
    // In any order, beside others.
    let (_, x, _) = case("sklearn/columns");
    let row = |x: &[f32]| format!("{},town,{},{},{},setosa\n", x[3], x[1], x[0], x[2]);
    let rows: String = x.chunks(4).map(row).collect::<String>().replacen("setosa", "virginica", 2);
    place.file("mixed.csv", &format!("petal_width,city,sepal_width,sepal_length,petal_length,what\n{rows}"));
    let run = place.run("import net.onnx mixed.csv --target what --out m");
    assert!(run.code == Some(0) && run.stderr.contains("does not take the columns `city`"), "{}", run.stderr);
    assert_near(&numbers(&place.stdout("predict m mixed.csv --device cpu"), 1), &expected);
    place.file("less.csv", "sepal_width,sepal_length,what\n1,2,setosa\n3,4,virginica\n");
    place.refuses("import net.onnx less.csv --target what --out m", 2, &["no column `petal_length`, `petal_width`"]);
    place.refuses("import net.onnx t.csv --target what --ignore sepal_width --out m", 2, &["no column `sepal_width`"]);
}

#[test]
fn columns_are_chosen_at_import() {
    let place = Place::new();
    let case = cases().into_iter().find(|case| case.name == "torch/dynamo/gelu/softmax").unwrap();
    fs::write(place.path().join("net.onnx"), &case.file).unwrap();
    place.file("t.csv", "a,city,b,c,k,id\n1,Rome,2,3,x,1\n2,Oslo,1,0,y,2\n0,Bonn,1,1,z,3\n1,Rome,1,1,x,4\n2,Oslo,2,2,y,5\n3,Bonn,0,1,z,6\n");
    let import = "import net.onnx t.csv --target k --out m";
    place.refuses(import, 2, &["t.csv has texts in `city`", "--ignore city"]);
    place.refuses(&format!("{import} --ignore city"), 2, &["3 inputs", "4 columns"]);
    place.stdout(&format!("{import} --ignore city,id"));
    let expected = place.stdout("predict m t.csv --device cpu");
    place.stdout(&format!("{import} --features a,b,c"));
    assert_eq!(place.stdout("predict m t.csv --device cpu"), expected);
    place.refuses(&format!("{import} --ignore town"), 2, &["no column `town`"]);
    place.refuses(&format!("{import} --ignore id --categorical city"), 2, &["--categorical", "numbers"]);
    place.refuses("import net.onnx --ignore city --out m", 2, &["--ignore", "a table beside it"]);
    place.refuses("import net.onnx --target k --out m", 2, &["--target", "a table beside it"]);
}
