//! `mlp kernels --wgsl`: the text that runs for a kernel.

use wgpu_mlp::kernels::KERNELS;

use super::Place;

/// The shaders of an answer; each begins with the kernel's name as a comment.
fn shaders(place: &Place, words: &str) -> Vec<String> {
    let name = words.split(' ').next().unwrap();
    let text = place.stdout(&format!("kernels --wgsl {words}"));
    let head = format!("// {name}");
    let mut shaders: Vec<String> = Vec::new();
    for line in text.lines() {
        if line == head || line.starts_with(&format!("{head} ")) {
            shaders.push(String::new());
        }
        *shaders.last_mut().unwrap_or_else(|| panic!("{text}")) += &(line.to_string() + "\n");
    }
    for shader in &shaders {
        let module = naga::front::wgsl::parse_str(shader).unwrap_or_else(|error| panic!("{words}: {error}\n{shader}"));
        assert_eq!(module.entry_points[0].name, name);
    }
    shaders
}

/// Every kernel that a network needs, whole: with its part, its bindings and what is shared.
#[test]
fn the_text_of_a_kernel_is_whole() {
    let place = Place::new();
    for kernel in KERNELS {
        let network = match kernel.name {
            "softmax_loss" | "dense_softmax_loss" => " --loss softmax_cross_entropy",
            "dense_keep" => " --activation gelu",
            "gather_dense_keep" => " --activation gelu --batch 32",
            "gather_dense" => " --batch 32",
            _ => "",
        };
        assert!(!shaders(&place, &format!("{}{network}", kernel.name)).is_empty(), "{}", kernel.name);
    }
    let article = shaders(&place, "fused_gradient").concat();
    for words in ["2-25-50-50-25-1 binary_cross_entropy", "const LAYERS = 5u;", "variant shuffled: IN_ORDER = 0"] {
        assert!(article.contains(words), "{article}");
    }
}

/// The flags of the network, the batch and the device decide on the part.
#[test]
fn the_networks_flags_decide_on_the_part() {
    let place = Place::new();
    let own = "fused_gradient --inputs 3 --hidden 4:tanh,5 --activation gelu --loss huber --workgroup-bytes 16384";
    let text = shaders(&place, own).concat();
    for words in ["3-4-5-1 huber", "fn tanh_activation(", "fn gelu_activation(", "const LAYERS = 3u;"] {
        assert!(text.contains(words), "{text}");
    }
    let steps = shaders(&place, "resident_steps --batch 32 --optimizer adam").concat();
    assert!(steps.contains("adam") && steps.contains("const STATE = 2u;"), "{steps}");
    // Layers of different shapes have tiles of their own.
    assert!(shaders(&place, "dense --hidden 256 --inputs 64 --batch 512").len() > 1);
}

#[test]
fn a_kernel_that_is_not_there_is_told() {
    let place = Place::new();
    place.refuses("kernels --wgsl dens", 2, &["--wgsl is `dens`", "matmul", "dense_keep"]);
    let words = "kernels --wgsl loss --loss softmax_cross_entropy";
    place.refuses(words, 2, &["--wgsl is loss", "a kernel that a plan of", "other flags, as --batch"]);
}
