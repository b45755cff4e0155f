// The numbers on the page are those of `tokenfield run` on the TOML of the same link: every preset in double and in single precision on the
// CPU, and on WebGPU by a driver in software. TOKENFIELD is the program; ONLY, a list with commas, takes some of the presets.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { ended, FOLDER, hurry, launch, link, MOCK, open, ready, saved, serve } from "./browser.mjs";
import { determined, difference, table } from "./samples.mjs";

const PROGRAM = process.env.TOKENFIELD;
const skip = MOCK ? "the stand-in for the engine has numbers of its own" : PROGRAM ? false : "TOKENFIELD is not set: the path of the program to compare with";
const only = process.env.ONLY?.split(",");
const PRESETS = join(import.meta.dirname, "../page/presets");
const presets = (await readdir(PRESETS)).map((name) => name.replace(/\.toml$/, ""));

test("the comparison sees a difference", () => {
  const rows = (...rows) => ({ head: ["replica", "time", "a"], rows: rows.map((a, t) => [0, t, a]) });
  assert.equal(difference(rows(1, NaN), rows(1, NaN)), undefined);
  assert.equal(difference(rows(1, 2), rows(1.000005, 2.00001)), undefined);
  assert.match(difference(rows(1, NaN), rows(1.0001, NaN)), /^at t = 0 a is off by 1.0e-4/);
  assert.match(difference(rows(1, NaN), rows(1, 0)), /^at t = 1 a is off by NaN/);
  assert.match(difference(rows(1, 2), rows(1)), /samples/);
  const bins = (...shares) => ({ head: ["time", ...shares.map((_, k) => `overlap_histogram_${k}`)], rows: [[0, ...shares]] });
  assert.equal(difference(bins(0.5, 0.5), bins(0.500005, 0.499995)), undefined, "pairs at the edge of a bin");
  assert.match(difference(bins(0.5, 0.5, 0, 0), bins(0.4999, 0.5, 0, 0.0001)), /histogram of overlaps is off by 1.5e-4/);
  assert.equal(difference(rows(1, 2.004, 2), rows(1, 2, 2), rows(1, 1.999, 2)), undefined, "amplified rounding");
  assert.match(difference(rows(1.01, 2, 2), rows(1, 2, 2), rows(1, 1.999, 2)), /^at t = 0/, "not before it is amplified");
  assert.match(difference(rows(1, 2.02, 2), rows(1, 2, 2), rows(1, 1.999, 2)), /^at t = 1/);
  assert.equal(determined(rows(1, 2, 2), rows(1, 1.999, 2)), 1);
});

let server, cpu, gpu, folder;
before(async () => {
  if (skip) return;
  [server, cpu, gpu, folder] = [await serve(FOLDER), await launch(), await launch({ gpu: true }), await mkdtemp(join(tmpdir(), "samples-"))];
  await copyFile(join(FOLDER, "data/minilm-256.npy"), join(folder, "minilm-256.npy"));
});
after(async () => {
  await Promise.all([cpu?.close(), gpu?.close(), server?.close()]);
  if (folder) await rm(folder, { recursive: true });
});

// A driver in software takes its time for large pictures.
const SMALL = { viewport: { width: 480, height: 320 } };

async function ofPage(toml, device) {
  const { page, context, problems } = await open(device === "gpu" ? gpu : cpu, `${server.url}?device=${device}${link(toml)}`, SMALL);
  await ready(page, 600_000);
  const machine = device === "gpu" ? /^WebGPU/ : device === "cpu" ? /^CPU in WebAssembly/ : /double precision/;
  assert.match(await page.locator("#machine").textContent(), machine, await page.locator("#status").textContent());
  await hurry(page);
  await ended(page, 600_000);
  const [text, run] = [(await saved(page, "#save-csv")).toString(), await page.locator("#toml").inputValue()];
  assert.deepEqual(problems, []);
  assert.equal(run, toml);
  await context.close();
  return table(text);
}

const programs = new Map();
/** Each run of the program is made once. */
function ofProgram(toml, precision) {
  const key = `${precision}\n${toml}`;
  if (!programs.has(key)) programs.set(key, run(toml, precision, join(folder, `run-${programs.size}`)));
  return programs.get(key);
}

async function run(toml, precision, out) {
  await writeFile(`${out}.toml`, toml);
  await promisify(execFile)(PROGRAM, ["run", `${out}.toml`, "--backend", "cpu", "--precision", precision, "--no-plot", "--out", out], { timeout: 600_000 });
  return table(await readFile(join(out, "samples.csv"), "utf8"));
}

const key = (toml, name, otherwise) => Number(toml.match(new RegExp(`^${name} = ([\\d.]+)`, "m"))?.[1] ?? otherwise);

/** The experiment with as many of its samples, two at least, as take so many steps and multiply-adds. */
function cut(toml, { work, steps }) {
  const [count, dim, step, every, end] = [key(toml, "count", 256), key(toml, "dim", 384), key(toml, "step"), key(toml, "every"), key(toml, "end")];
  const sums = (toml.includes('"rk4"') ? 4 : toml.includes('"euler"') ? 1 : 2) * (toml.includes('"sinkhorn"') ? 200 : 1);
  const samples = Math.max(2, Math.floor(Math.min(steps, work / (sums * count ** 2 * dim)) * (step / every)));
  return every * samples < end ? toml.replace(/^end = .*$/m, `end = ${Number((every * samples).toPrecision(12))}`) : toml;
}

/** In single precision; the report says for how many samples rounding is below the tolerance. */
async function single(context, toml, device) {
  const ours = await ofPage(toml, device);
  const [theirs, exact] = [await ofProgram(toml, "single"), await ofProgram(toml, "double")];
  const rows = determined(theirs, exact);
  if (rows < theirs.rows.length) context.diagnostic(`rounding is below the tolerance in ${rows} of ${theirs.rows.length} samples`);
  assert.equal(difference(ours, theirs, exact, key(toml, "step")), undefined);
}

const options = (id) => ({ skip: skip || (only && !only.includes(id) ? "not in ONLY" : false), timeout: 900_000 });
const preset = (id) => readFile(join(PRESETS, `${id}.toml`), "utf8");
// Of one run; WHOLE=1 takes every preset to its end.
const whole = { work: Infinity, steps: Infinity };
const [CPU, GPU] = process.env.WHOLE ? [whole, whole] : [{ work: 1e9, steps: Infinity }, { work: 1e8, steps: 30 }];

for (const id of presets) {
  test(`${id} in double precision`, options(id), async () => {
    const toml = cut(await preset(id), CPU);
    assert.equal(difference(await ofPage(toml, "cpu-double"), await ofProgram(toml, "double")), undefined);
  });
  test(`${id} in single precision`, options(id), async (context) => single(context, cut(await preset(id), CPU), "cpu"));
  test(`${id} on WebGPU`, options(id), async (context) => single(context, cut(await preset(id), GPU), "gpu"));
}

const sphere = (count, algorithm, scheme, steps) => `algorithm = "${algorithm}"
name = "sphere"
[tokens]
count = ${count}
dim = 3
seed = 5
initial = { law = "uniform" }
[attention]
beta = 4.0
normalization = "softmax"
[time]
scheme = "${scheme}"
step = 0.1
end = ${steps / 10}
[observe]
every = 0.1
quantities = ["moments"]
`;
const SIZES = [[1000, "direct", "heun", 10], [1000, "harmonic", "heun", 10], [4097, "direct", "rk4", 2], [4097, "harmonic", "rk4", 10], [65_536, "harmonic", "heun", 3]];
// Four thousand million pairs, each of which takes a driver in software some 60 nanoseconds.
if (process.env.WHOLE) SIZES.push([65_536, "direct", "euler", 1]);
for (const [count, algorithm, scheme, steps] of SIZES) {
  test(`${count} tokens on WebGPU, ${algorithm}`, options("sizes"), async (context) => single(context, sphere(count, algorithm, scheme, steps), "gpu"));
}

test("a run ends where its condition holds", options("stop"), async () => {
  const toml = sphere(64, "direct", "heun", 400).replace("step = 0.1\n", 'step = 0.1\nstop = "mean_norm > 0.5"\n');
  const [ours, theirs] = [await ofPage(toml, "cpu-double"), await ofProgram(toml, "double")];
  assert.ok(theirs.rows.length > 2 && theirs.rows.length < 400, `${theirs.rows.length} samples`);
  assert.equal(difference(ours, theirs), undefined);
});
