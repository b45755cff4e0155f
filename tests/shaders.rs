//! Every kernel, without a device: parsed, validated, translated to what each driver takes, and compared with what
//! Rust believes about it.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use naga::{
    AddressSpace, GlobalVariable, Module, StorageAccess, TypeInner,
    back::{hlsl, msl, spv},
    front::wgsl,
    proc::Layouter,
    valid::{Capabilities, ModuleInfo, ValidationFlags, Validator},
};
use tokenfield::{
    backend::gpu::{
        Kind,
        kernels::{
            constants::{Constants, Half, Matrices, Shift, Visibility},
            declared,
            kernel::{Binding, Declaration, Workgroup},
            sizes::{MOST_THREADS, NARROW, WORKGROUP_BYTES},
        },
        tune::{constants, small, wide},
    },
    tokens::Shape,
};

/// What half precision asks for.
const HALF_BYTES: u32 = 24576;

/// Widths on both sides of every remainder by four, of the narrow kernel's end, and of powers of two.
const DIMS: [usize; 17] = [2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33, 64, 100, 128, 384, 1024];

/// Every different set of constants that the backend chooses for tokens few and many, on adapters small and large.
fn all_constants() -> Vec<Constants> {
    let mut all: Vec<Constants> = Vec::new();
    for dim in DIMS {
        for (count, replicas) in [(1, 1), (32, 2048), (300, 1), (1 << 20, 1)] {
            for kind in KINDS {
                for shift in [Shift::Fixed, Shift::Running] {
                    for visibility in [Visibility::All, Visibility::Leading, Visibility::Chosen] {
                        let chosen = constants(Shape { replicas, count, dim, passive: 0 }, kind, shift, visibility);
                        // A series whose radial coefficients are shared, short, and as long as any.
                        for degrees in if dim <= 3 { vec![0, 1, 401] } else { vec![0] } {
                            let with_keys = |keys| wide(&chosen, keys, dim);
                            // Keys of the width of values, narrower and wider, in the kernel that wide tokens take.
                            let wide = if degrees == 0 { vec![dim, 1, 32, 130] } else { vec![] };
                            let as_they_are = Constants { degrees, ..chosen };
                            for chosen in std::iter::once(as_they_are).chain(wide.into_iter().map(with_keys)) {
                                if !all.contains(&chosen) {
                                    all.push(chosen);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    all
}

/// The same for replicas that workgroups keep whole: alone, several side by side, and the largest.
fn small_constants() -> Vec<Constants> {
    let mut all: Vec<Constants> = Vec::new();
    for dim in DIMS.into_iter().filter(|dim| *dim <= NARROW) {
        let largest = (1..).take_while(|count| fits(*count, dim)).last().expect("one token fits");
        for (count, kind) in [1, 2, 5, 32, 33, largest].into_iter().flat_map(|n| KINDS.map(|kind| (n, kind))) {
            for (shift, visibility, matrices) in [
                (Shift::Fixed, Visibility::All, Matrices::Multiples),
                (Shift::Running, Visibility::Leading, Matrices::General),
            ] {
                for stages in [1, 2, 4] {
                    let shape = Shape { replicas: 99, count, dim, passive: 0 };
                    all.extend(small(shape, kind, stages, shift, visibility, matrices));
                }
            }
        }
    }
    all.sort_by_key(|constants| format!("{constants:?}"));
    all.dedup();
    all
}

/// The same in half precision, for matrices and subgroups small and large; the widest take several panels.
fn half_constants() -> Vec<Constants> {
    let mut all = Vec::new();
    for (keys, values) in [(32, 32), (33, 8), (64, 64), (128, 128), (384, 384), (32, 384), (1024, 33)] {
        for visibility in [Visibility::All, Visibility::Leading, Visibility::Chosen] {
            let shape = Shape { replicas: 1, count: 300, dim: values.max(17), passive: 0 };
            let wide = wide(&constants(shape, Kind::Discrete, Shift::Running, visibility), keys, values);
            for (edge, lanes) in [(8, 8), (8, 32), (16, 32), (16, 64), (16, 256)] {
                all.push(Constants { half: Half { edge, lanes }, ..wide });
            }
        }
    }
    all
}

const KINDS: [Kind; 2] = [Kind::Software, Kind::Discrete];

fn fits(count: usize, dim: usize) -> bool {
    let shape = Shape { replicas: 1, count, dim, passive: 0 };
    small(shape, Kind::Software, 1, Shift::Fixed, Visibility::All, Matrices::General).is_some()
}

/// The kernels that are compiled for these constants, beside that of small replicas.
fn kernels(constants: &Constants) -> impl Iterator<Item = &'static Declaration> {
    let Constants { dim, inner, threads, .. } = *constants;
    // Workgroups that keep queries in registers have fewer threads.
    let is_narrow = threads <= 64;
    declared::ALL.iter().filter(move |kernel| match kernel.name {
        "advance" | "reduce_half" => false,
        "reduce_narrow" => is_narrow,
        "reduce_wide" | "hardmax" | "pointwise" | "half_step" => !is_narrow,
        "project_narrow" => dim.min(inner) as usize <= NARROW,
        "project_wide" => dim.min(inner) as usize > NARROW,
        "write_output" | "attention_statistics" => true,
        _ if dim != inner => false,
        "moments_circle" | "coefficients_circle" | "series_circle" => dim == 2,
        "moments_sphere" | "coefficients_sphere" | "series_sphere" => dim == 3,
        "collect" | "gather" => dim <= 3,
        _ => true,
    })
}

fn named(name: &str) -> &'static Declaration {
    declared::ALL.iter().find(|kernel| kernel.name == name).expect("a kernel of that name")
}

fn is_half(kernel: &Declaration) -> bool {
    kernel.name == "reduce_half"
}

fn compile(kernel: &Declaration, constants: &Constants) -> (Module, ModuleInfo) {
    let source = kernel.source(constants);
    let module = wgsl::parse_str(&source).unwrap_or_else(|error| {
        panic!("{} for {constants:?}:\n{}", kernel.name, error.emit_to_string(&source));
    });
    let capabilities = match is_half(kernel) {
        true => {
            Capabilities::COOPERATIVE_MATRIX
                | Capabilities::SHADER_FLOAT16
                | Capabilities::SHADER_FLOAT16_IN_FLOAT32
                | Capabilities::SUBGROUP
        }
        // No capability beyond the language itself: this is what a browser takes.
        false => Capabilities::empty(),
    };
    let info = Validator::new(ValidationFlags::all(), capabilities).validate(&module).unwrap_or_else(|error| {
        panic!("{} for {constants:?}:\n{}", kernel.name, error.emit_to_string(&source));
    });
    (module, info)
}

fn for_each(mut check: impl FnMut(&Declaration, &Constants, &Module, &ModuleInfo)) {
    for constants in all_constants() {
        for kernel in kernels(&constants) {
            let (module, info) = compile(kernel, &constants);
            check(kernel, &constants, &module, &info);
        }
    }
    for constants in small_constants() {
        let (module, info) = compile(named("advance"), &constants);
        check(named("advance"), &constants, &module, &info);
    }
    for constants in half_constants() {
        let (module, info) = compile(named("reduce_half"), &constants);
        check(named("reduce_half"), &constants, &module, &info);
    }
}

#[test]
fn every_kernel_translates_to_every_driver() {
    for_each(|kernel, constants, module, info| {
        let what = || format!("{} for {constants:?}", kernel.name);
        let words = spv::write_vec(module, info, &spv::Options::default(), None)
            .unwrap_or_else(|error| panic!("SPIR-V, {}: {error}", what()));
        assert!(words.len() > 100, "SPIR-V, {}: {} words", what(), words.len());
        // Metal has matrices of eight alone, and HLSL none: adapters of DirectX are refused half precision.
        let is_half = is_half(kernel);
        if is_half && constants.half.edge != 8 {
            return;
        }
        let lang_version = if is_half { (2, 4) } else { msl::Options::default().lang_version };
        let options = msl::Options { lang_version, ..msl::Options::default() };
        let (text, _) = msl::write_string(module, info, &options, &msl::PipelineOptions::default())
            .unwrap_or_else(|error| panic!("MSL, {}: {error}", what()));
        assert!(text.contains("kernel void"), "MSL, {}: no kernel", what());
        if is_half {
            return;
        }
        let mut text = String::new();
        let options = hlsl::Options::default();
        let pipeline = hlsl::PipelineOptions::default();
        hlsl::Writer::new(&mut text, &options, &pipeline)
            .write(module, info, None)
            .unwrap_or_else(|error| panic!("HLSL, {}: {error}", what()));
        assert!(text.contains("numthreads"), "HLSL, {}: no kernel", what());
    });
}

/// Chrome's compiler also proves that every barrier is reached by all threads of a workgroup; naga does not.
#[test]
#[ignore = "needs tint, the shader compiler of Chrome"]
fn every_kernel_is_taken_by_a_browser() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for_each(|kernel, constants, _, _| {
        if is_half(kernel) {
            return;
        }
        let path = folder.path().join(format!("{}.wgsl", kernel.name));
        fs::write(&path, kernel.source(constants)).expect("a file in the temporary folder");
        let output = Command::new("tint").args(["--format", "wgsl"]).arg(&path).output().expect("tint runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} for {constants:?}:\n{complaint}", kernel.name);
    });
}

#[test]
fn entry_points_and_workgroups_are_as_declared() {
    for_each(|kernel, constants, module, _| {
        let [entry] = module.entry_points.as_slice() else {
            panic!("{} has {} entry points", kernel.name, module.entry_points.len());
        };
        assert_eq!(entry.name, kernel.name);
        assert_eq!(entry.workgroup_size, [kernel.threads(constants), 1, 1], "{} for {constants:?}", kernel.name);
        assert!(kernel.threads(constants) <= MOST_THREADS, "{}: browsers give 256 threads", kernel.name);
    });
}

#[test]
fn bindings_are_as_declared() {
    for_each(|kernel, _, module, _| {
        let mut found: Vec<(u32, Option<Binding>)> = module
            .global_variables
            .iter()
            .filter_map(|(_, variable)| {
                let resource = variable.binding.as_ref()?;
                assert_eq!(resource.group, 0, "{}", kernel.name);
                Some((resource.binding, storage(variable)))
            })
            .collect();
        found.sort_by_key(|(at, _)| *at);
        // The uniforms come first.
        let declared = std::iter::once(None).chain(kernel.bindings.iter().copied().map(Some));
        assert_eq!(found, (0..).zip(declared).collect::<Vec<_>>(), "{}", kernel.name);
    });
}

/// How a storage buffer is used; nothing for the uniforms.
fn storage(variable: &GlobalVariable) -> Option<Binding> {
    match variable.space {
        AddressSpace::Uniform => None,
        AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => Some(Binding::ReadWrite),
        AddressSpace::Storage { .. } => Some(Binding::Read),
        space => panic!("a binding in {space:?}"),
    }
}

#[test]
fn uniforms_are_laid_out_as_in_rust() {
    for_each(|kernel, _, module, _| {
        let (_, variable) = module
            .global_variables
            .iter()
            .find(|(_, variable)| variable.space == AddressSpace::Uniform)
            .unwrap_or_else(|| panic!("{} has no uniforms", kernel.name));
        let ty = &module.types[variable.ty];
        let TypeInner::Struct { members, span } = &ty.inner else { panic!("{}: not a struct", kernel.name) };
        let layout = kernel.layout;
        assert_eq!(ty.name.as_deref(), Some(layout.name), "{}", kernel.name);
        assert_eq!(*span as usize, layout.size, "{}", kernel.name);
        let found: Vec<(&str, usize)> =
            members.iter().map(|member| (member.name.as_deref().unwrap_or(""), member.offset as usize)).collect();
        assert_eq!(found, layout.fields, "{}", kernel.name);
    });
}

#[test]
fn workgroup_memory_fits_every_adapter() {
    for_each(|kernel, constants, module, _| {
        let mut layouter = Layouter::default();
        layouter.update(module.to_ctx()).expect("a validated module has a layout");
        let bytes: u32 = module
            .global_variables
            .iter()
            .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
            .map(|(_, variable)| layouter[variable.ty].size)
            .sum();
        let most = if is_half(kernel) { HALF_BYTES } else { WORKGROUP_BYTES };
        assert!(bytes <= most, "{} for {constants:?} needs {bytes} bytes", kernel.name);
    });
}

#[test]
fn every_file_is_used() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let present: BTreeSet<String> = fs::read_dir(folder)
        .expect("the folder of the shaders")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .collect();
    let used: BTreeSet<String> =
        declared::ALL.iter().flat_map(|kernel| kernel.files).map(|file| file.name.to_string()).collect();
    assert_eq!(present, used);
}

#[test]
fn a_kernel_is_named_like_its_file() {
    for kernel in declared::ALL {
        let last = kernel.files.last().expect("a kernel has files");
        assert_eq!(last.name, format!("{}.wgsl", kernel.name));
    }
}

/// The code without comments.
fn code(source: &str) -> String {
    assert!(!source.contains("/*"), "only comments of one line are read here");
    source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// A constant that no shader reads would make kernels different that are the same, and be compiled twice.
#[test]
fn a_kernel_asks_for_no_constant_that_it_does_not_read() {
    for kernel in declared::ALL {
        let files: String = kernel.files.iter().map(|file| code(file.text)).collect();
        let words: BTreeSet<&str> = files.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for constant in kernel.constants {
            assert!(constant.names().iter().any(|name| words.contains(name)), "{}: {}", kernel.name, constant.name);
        }
        let is_tuned = kernel.workgroup == Workgroup::Tuned;
        assert!(
            !is_tuned || words.contains("THREADS"),
            "{}: its workgroup is tuned, and it does not know",
            kernel.name
        );
    }
}

/// The declarations of variables that a thread has for itself, up to their semicolons.
fn variables(source: &str) -> Vec<String> {
    let code = code(source);
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let is_word = |at: usize| !code[..at].ends_with(is_part) && !code[at + 3..].starts_with(is_part);
    let declaration = |(at, _)| code[at..].split(';').next().unwrap_or_default().to_string();
    let declared = code.match_indices("var").filter(|(at, _)| is_word(*at)).map(declaration);
    let is_shared = |text: &String| {
        let space = text["var".len()..].trim_start();
        ["workgroup", "storage", "uniform"].iter().any(|name| space.starts_with(&format!("<{name}")))
    };
    declared.filter(|text| !is_shared(text)).collect()
}

/// Those that are left to the compiler, which may leave them what they were.
fn uninitialised(source: &str) -> Vec<String> {
    variables(source).into_iter().filter(|text| !text.replace("==", "").contains('=')).collect()
}

/// A variable without an initialiser is zero whenever its declaration is reached, the language says; in a loop not all compilers
/// see to that. naga hoists variables out of loops, so they are looked for in the text, and naga says whether all were found.
#[test]
fn every_variable_is_initialised() {
    for_each(|kernel, constants, module, _| {
        let source = kernel.source(constants);
        let left: Vec<String> = uninitialised(&source);
        assert!(left.is_empty(), "{}: no initialiser in {left:?}", kernel.name);
        let functions = module.functions.iter().map(|(_, function)| function);
        let functions = functions.chain(module.entry_points.iter().map(|entry| &entry.function));
        let named = |function: &naga::Function| {
            function.local_variables.iter().filter(|(_, variable)| variable.name.is_some()).count()
        };
        let locals: usize = functions.map(named).sum();
        let private =
            module.global_variables.iter().filter(|(_, variable)| variable.space == AddressSpace::Private).count();
        assert_eq!(variables(&source).len(), locals + private, "{}", kernel.name);
    });
}

#[test]
fn variables_without_initialisers_are_seen() {
    let bad = [
        "fn f() { var x: f32; }",
        "fn f() { loop { if (a == b) { var sum: array<vec4<f32>, 2>;\n break; } } }",
        "fn f() { for (var k: u32; k < 2u; k += 1u) {} }",
        "var<private> x: u32;",
        "fn f() { var<function> x: u32 ; }",
        "fn f() { var x\n:\nu32\n; x = 1u; }",
        "fn f() { var x: u32; // = 1u\n }",
    ];
    for source in bad {
        assert_eq!(uninitialised(source).len(), 1, "{source}");
    }
    let good = [
        "fn f() { var x: f32 = 0.0; var y = x; for (var k = 0u; k < 2u; k += 1u) {} }",
        "var<workgroup> x: u32; @group(0) @binding(0) var<storage, read> y: array<f32>; // var z: u32;",
        "fn f(variable: u32) { let a_var = variable; }",
    ];
    for source in good {
        assert!(uninitialised(source).is_empty(), "{source}");
    }
}
