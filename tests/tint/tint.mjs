// node tint.mjs FOLDER: compiles every shader that `pipelines --dump FOLDER` has written with Dawn's Tint, as Chrome does, and makes its
// pipeline. Any message of Tint's is a failure, a warning too. Then each shader is broken in ways that naga lets pass or that are plain
// mistakes, and Tint has to refuse it.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, globals } from "webgpu";

Object.assign(globalThis, globals);
const folder = process.argv[2];
const shaders = JSON.parse(readFileSync(join(folder, "shaders.json"), "utf8"));

// No hardware: Dawn's null backend checks all, and runs nothing.
const gpu = create(["backend=null"]);
const adapter = await gpu.requestAdapter();
const { maxComputeWorkgroupStorageSize } = adapter.limits;
const device = await adapter.requestDevice({ requiredLimits: { maxComputeWorkgroupStorageSize } });

// What Tint and Dawn say of a shader; nothing, if all is well.
async function problems(code, { entry, constants, workgroup_bytes }) {
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ code });
    const info = await module.getCompilationInfo();
    const said = info.messages.map(({ type, lineNum, message }) => `${type} in line ${lineNum}: ${message}`);
    // A network for a larger GPU: its text is judged, which is where Tint looks for barriers that some invocations miss.
    if (said.length === 0 && workgroup_bytes <= maxComputeWorkgroupStorageSize) {
        const compute = { module, entryPoint: entry, constants };
        device.createComputePipeline({ layout: "auto", compute });
    }
    const error = await device.popErrorScope();
    return said.length === 0 && error ? [error.message] : said;
}

// A text that is broken: its name, where there is something to break, and what it becomes.
const afterEntry = (entry) => new RegExp(`(fn ${entry}\\([^{]*\\{)`);
const breaks = [
    ["a number of the wrong type", (code) => `${code}\nconst WRONG: u32 = 1.5;\n`],
    [
        "a barrier that some invocations pass by",
        (code, entry) => code.replace(afterEntry(entry), "$1\n    if (thread < 3u) {\n        workgroupBarrier();\n    }\n"),
    ],
    // These loops have barriers. Their bounds come from workgroup memory, without workgroupUniformLoad.
    ["a tile's loop bounded by workgroup memory", (code) => code.replace("depth < end;", "depth < bitcast<u32>(a_panel[0].x);")],
    ["a loop over blocks bounded by workgroup memory", (code) => code.replace("block < min(begin + run, blocks);", "block < samples[0];")],
    ["a loop over rows bounded by workgroup memory", (code) => code.replace("row < rows;", "row < samples[0];")],
    // Private memory may differ between invocations.
    ["a loop over rows bounded by private memory", (code) => code.replace("row < rows;", "row < work.rows;")],
];

let failed = 0;
const broken = new Map(breaks.map(([name]) => [name, 0]));
const seen = new Set();
for (const shader of shaders) {
    const code = readFileSync(join(folder, shader.file), "utf8");
    for (const problem of await problems(code, shader)) {
        console.error(`tint: ${shader.label}: ${problem}`);
        failed += 1;
    }
    // One of each kernel is broken.
    if (seen.has(shader.entry)) continue;
    seen.add(shader.entry);
    for (const [name, change] of breaks) {
        const changed = change(code, shader.entry);
        if (changed === code) continue;
        broken.set(name, broken.get(name) + 1);
        if ((await problems(changed, shader)).length === 0) {
            console.error(`tint: ${shader.label}: accepted with ${name}`);
            failed += 1;
        }
    }
}
for (const [name, count] of broken) {
    console.log(`refused with ${name}: ${count} kernels`);
    if (count === 0) {
        console.error(`tint: no shader could be given ${name}`);
        failed += 1;
    }
}
console.log(`${shaders.length} shaders of ${seen.size} kernels, ${failed} problems`);
process.exit(failed === 0 && shaders.length > 0 ? 0 : 1);
