//! `predict --interval`: how far off a number may be, by rows that were held out.

use wgpu_mlp::Model;

use crate::cli::Place;

/// Rows of x in [0, 10) and y, which is drawn from [x, 3 x).
fn table(place: &Place, name: &str, rows: u32, seed: u32) -> Vec<f64> {
    let mut state = seed;
    let mut draw = || {
        // Numerical Recipes' generator, of whose states the upper bits are taken.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(state >> 8) / f64::from(1 << 24)
    };
    let mut text = "x,y,class\n".to_string();
    let truth = (0..rows).map(|row| {
        let x = 10.0 * draw();
        let y = x * (1.0 + 2.0 * draw());
        text += &format!("{x},{y},{}\n", ["no", "yes"][row as usize % 2]);
        y
    });
    let truth = truth.collect();
    place.file(name, &text);
    truth
}

/// Of rows that are new at least as many lie in their intervals as was said, whether folds or validation rows made them; large numbers have wider
/// ones.
#[test]
fn intervals_cover_new_rows() {
    let place = Place::new();
    table(&place, "old.csv", 1500, 1);
    let truth = table(&place, "new.csv", 4000, 2);
    for split in ["--folds 3", "--validation-fraction 0.4"] {
        let words = format!(
            "train old.csv --target y --ignore class --hidden 16 --lr 0.01 --epochs 20 --device cpu {split} --out run"
        );
        place.json(&words);
        for percent in [80, 95] {
            let predicted = place.stdout(&format!("predict run new.csv --interval={percent} --device cpu"));
            let mut lines = predicted.lines();
            assert_eq!(lines.next(), Some("prediction,lower,upper"));
            let model = Model::load(place.path().join("run")).unwrap();
            let (mut covered, mut widths) = (0, Vec::new());
            for (line, y) in lines.zip(&truth) {
                let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap()).collect();
                let [number, lower, upper] = cells[..] else { panic!("{line}") };
                assert!(lower <= number && number <= upper, "{line}");
                assert_eq!(model.interval(number, percent).unwrap(), [lower, upper]);
                covered += usize::from((lower..=upper).contains(y));
                widths.push((number, upper - lower));
            }
            let share = covered as f64 / truth.len() as f64;
            let wanted = f64::from(percent) / 100.0;
            // Of the least part's 200 rows: two standard deviations.
            assert!(share > wanted - 0.05 && share < wanted + 0.06, "{split}, {percent} %: {share}");
            widths.sort_by(|a, b| a.0.total_cmp(&b.0));
            assert!(widths[3900].1 > 2.0 * widths[100].1, "{:?} and {:?}", widths[100], widths[3900]);
        }
        let kept = std::fs::read_to_string(place.path().join("run/predictions.csv")).unwrap();
        assert!(kept.starts_with("row,truth,prediction,lower,upper\n"), "{}", kept.lines().next().unwrap_or_default());
        let report = std::fs::read_to_string(place.path().join("run/report.html")).unwrap();
        assert!(report.contains("inside of 90 % intervals, test"));
        let inspected = place.stdout("inspect run");
        assert!(inspected.contains("intervals: 90 % of new rows are within ±"), "{inspected}");
    }
}

#[test]
fn what_has_no_intervals_is_refused() {
    let place = Place::new();
    table(&place, "few.csv", 60, 3);
    let train = "train few.csv --hidden 4 --epochs 2 --device cpu --out run";
    place.json(&format!("{train} --target y --ignore class --validation-fraction 0.4"));
    place.refuses("predict run few.csv --interval=99", 2, &["--interval is 99", "50 to 95", "20 rows"]);
    place.refuses("predict run few.csv --interval=40", 2, &["--interval is 40", "50 to 95"]);
    for target in ["--target y --ignore class", "--target class --ignore y --validation-fraction 0.4"] {
        place.json(&format!("{train} {target}"));
        place.refuses("predict run few.csv --interval", 2, &["--interval", "a model without intervals", "held out"]);
    }
}
