// What presets say is what their experiments do, and the papers that they name are those of `tokenfield papers`. TOKENFIELD is the program.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { createServer } from "vite";
import { table } from "./samples.mjs";

const WEB = join(import.meta.dirname, "..");
const PAPERS = join(WEB, "../assets/papers");
const PROGRAM = process.env.TOKENFIELD;
const skip = PROGRAM ? false : "TOKENFIELD is not set: the path of the program";
const presets = JSON.parse(await readFile(join(WEB, "page/presets.json"), "utf8"));

let folder, vite, numbers;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "laws-"));
  vite = await createServer({ root: WEB, server: { middlewareMode: true, watch: null, hmr: false, ws: false }, appType: "custom", logLevel: "error" });
  ({ numbers } = await vite.ssrLoadModule("/page/npy.ts"));
});
after(() => Promise.all([vite?.close(), rm(folder, { recursive: true })]));

const lawOf = (id) => presets.find((one) => one.id === id).law;
let runs = 0;

/** The folder of a run of a preset, with some of its keys changed. */
async function run(id, keys = {}, ...options) {
  const out = join(folder, `run-${runs++}`);
  let toml = (await readFile(join(WEB, `page/presets/${id}.toml`), "utf8")).replace("minilm-256.npy", join(WEB, "public/data/minilm-256.npy"));
  for (const [key, value] of Object.entries(keys)) {
    const line = new RegExp(`^${key} = .*$`, "m");
    assert.match(toml, line, id);
    toml = toml.replace(line, `${key} = ${value}`);
  }
  await writeFile(`${out}.toml`, toml);
  await promisify(execFile)(PROGRAM, ["run", `${out}.toml`, "--backend", "cpu", "--no-plot", "--out", out, ...options], { timeout: 600_000 });
  return out;
}

/** The columns of its samples: `{ column: [..] }`. */
async function samples(...of) {
  const out = await run(...of);
  const { head, rows } = table(await readFile(join(out, "samples.csv"), "utf8"));
  return Object.fromEntries(head.map((name, k) => [name, rows.map((row) => row[k])]));
}
const DOUBLE = ["--precision", "double"];
/** Tokens at every sample: `tokens[sample][token]` is a list of components. */
async function tokens(id) {
  const toml = await readFile(join(WEB, `page/presets/${id}.toml`), "utf8");
  const out = await run(id, { quantities: toml.match(/^quantities = (\[.*)\]$/m)[1] + ', "tokens"]' }, ...DOUBLE);
  const bytes = await readFile(join(out, "trajectory.npy"));
  const { shape, values } = numbers("trajectory.npy", bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const [count, dim] = shape.slice(-2);
  const at = (sample, i) => [...values.subarray((sample * count + i) * dim, (sample * count + i + 1) * dim)];
  return Array.from({ length: values.length / count / dim }, (_, sample) => Array.from({ length: count }, (_, i) => at(sample, i)));
}
const dot = (x, y) => x.reduce((sum, a, k) => sum + a * y[k], 0);
const apart = (x, y) => Math.hypot(...x.map((a, k) => a - y[k]));
/** The rate at which positive numbers grow from one time to another. */
const rate = (time, column, from, to) => {
  const value = (t) => Math.abs(column[time.findIndex((one) => Math.abs(one - t) < 1e-9)]);
  return Math.log(value(to) / value(from)) / (to - from);
};
const bessel = (k, x) => Array.from({ length: 60 }, (_, m) => Math.exp((2 * m + k) * Math.log(x / 2) - logFactorial(m) - logFactorial(m + k))).reduce((sum, term) => sum + term);
const logFactorial = (m) => Array.from({ length: m }, (_, k) => Math.log(k + 1)).reduce((sum, term) => sum + term, 0);
const last = (column) => column[column.length - 1];
const between = (value, low, high) => assert.ok(low <= value && value <= high, `${value} is not between ${low} and ${high}`);

test("every preset says what is set up, what is seen, and in which paper", async () => {
  const papers = await Promise.all((await readdir(PAPERS)).filter((name) => name.endsWith(".toml")).map((name) => readFile(join(PAPERS, name), "utf8")));
  const line = (text, key) => text.match(new RegExp(`^${key} = "(.*)"$`, "m"))?.[1];
  const known = new Map(papers.map((text) => [line(text, "arxiv"), { title: line(text, "title"), authors: line(text, "authors") }]));
  for (const { id, title, says, law, paper } of presets) {
    assert.ok(title && says && law, id);
    assert.deepEqual({ title: paper.title, authors: paper.authors }, known.get(paper.arxiv), id);
  }
});

test("clusters: some eight are left", { skip }, async () => {
  assert.match(lawOf("clusters"), /some eight/);
  between(last((await samples("clusters")).clusters), 7, 9);
});

test("metastable: the energy rises in steps as clusters merge", { skip }, async () => {
  const { log_energy, clusters } = await samples("metastable", {}, ...DOUBLE);
  const rises = log_energy.slice(1).map((e, k) => e - log_energy[k]);
  assert.ok(rises.every((rise) => rise > -1e-12));
  // Most of the time nothing happens; what happens at the end is one merger.
  const rise = last(log_energy) - log_energy[20];
  const [most] = rises.slice(20).sort((a, b) => b - a);
  between(clusters[20] - last(clusters), 1, 3);
  assert.ok(most > rise / 10, `${most} of ${rise}`);
  assert.ok(rises.slice(20).filter((one) => one < most / 20).length > 30);
});

for (const [beta, count] of [[2, 2], [5, 3], [8, 4]]) {
  test(`selected-mode: ${count} clusters at beta = ${beta}`, { skip }, async () => {
    assert.match(lawOf("selected-mode"), /2, 3, 4 at β = 2, 5, 8/);
    assert.equal(last((await samples("selected-mode", { beta, end: 40 })).clusters), count);
  });
}

test("hemisphere: distances fall like e^-t", { skip }, async () => {
  const { time, w2_dirac } = await samples("hemisphere", { end: 14 });
  assert.match(lawOf("hemisphere"), /e\^\(−t\)/);
  between(rate(time, w2_dirac, 10, 13), -1.02, -0.98);
});

test("causal: strong centres hardly move and absorb most", { skip }, async () => {
  const { renyi_absorbed, renyi_drift } = await samples("causal");
  between(last(renyi_absorbed), 0.5, 1);
  between(last(renyi_drift), 0, 0.01);
});

test("repulsion: the energy of the uniform measure", { skip }, async () => {
  assert.match(lawOf("repulsion"), /−0.791/);
  assert.equal(Math.log(Math.sinh(2) / 8).toFixed(3), "-0.791");
  const { log_energy } = await samples("repulsion");
  assert.ok(log_energy[0] > -0.5);
  between(last(log_energy), Math.log(Math.sinh(2) / 8), -0.785);
});

test("perceptron: some ten points, and about as many of four times as many tokens", { skip }, async () => {
  const counts = await Promise.all([5, 6, 7, 8].flatMap((seed) => [128, 512].map(async (count) => last((await samples("perceptron", { count, seed, every: 600 })).clusters))));
  const mean = (column) => column.reduce((sum, x) => sum + x) / column.length;
  const [few, many] = [0, 1].map((k) => mean(counts.filter((_, i) => i % 2 === k)));
  between(few, 7, 13);
  between(many / few, 0.6, 1.6);
});

test("noise: the mean grows above the threshold and dies out below", { skip }, async () => {
  assert.match(lawOf("noise"), /1\.359 at β = 1/);
  // At beta = 1 spherical harmonics of degree one grow at the rate 2 K / e, and noise damps them at the rate 1.
  assert.equal((Math.E / 2).toFixed(3), "1.359");
  const above = (await samples("noise")).mean_norm;
  const below = (await samples("noise", { weight: 0.9 })).mean_norm;
  assert.ok(last(above) > 2 * above[0] && last(above) > 0.4, String(last(above)));
  assert.ok(last(below) < below[0] / 2, String(last(below)));
});

test("common-noise: the exponent of one minus the overlap is -1", { skip }, async () => {
  // W2 to a point goes like the root of it. One path of the noise fluctuates.
  const { w2_dirac, time } = await samples("common-noise", { end: 30 });
  const from = time.findIndex((t) => t >= 4);
  const rates = w2_dirac.slice(from).flatMap((w, k) => (w > 1e-4 ? [[time[from + k] - time[from], 2 * Math.log(w2_dirac[from] / w)]] : []));
  const [t, fall] = rates[rates.length - 1];
  between(fall / t, 0.7, 1.3);
});

test("sinkhorn: rates of modes, and their factors against softmax", { skip }, async () => {
  const rateOf = (k) => (k * k * bessel(k, 5)) / (5 * (bessel(0, 5) + bessel(k, 5)));
  const factors = [1, 2, 3, 4].map((k) => (bessel(0, 5) / (bessel(0, 5) + bessel(k, 5))).toFixed(2));
  assert.ok(lawOf("sinkhorn").includes(`${factors.join(", ")} for k = 1, 2, 3, 4`), factors.join());
  const quiet = '{ law = "fourier", amplitudes = [1e-4, 1e-4, 1e-4, 1e-4], quiet = true }';
  const columns = await samples("sinkhorn", { initial: quiet, end: 4, sinkhorn: "{ iterations: 1000, tolerance: 1e-12 }".replaceAll(":", " =") }, ...DOUBLE);
  for (const k of [1, 2, 3, 4]) between(rate(columns.time, columns[`mode_${k}`], 1, 4) / rateOf(k), 0.98, 1.02);
});

test("hardmax: who scores highest with itself stays, and all others end there", { skip }, async () => {
  const moves = await tokens("hardmax");
  const [start, end] = [moves[0], last(moves)];
  const stay = start.flatMap((x, i) => (start.every((y, j) => j === i || dot(x, y) < dot(x, x)) ? [i] : []));
  between(stay.length, 3, 12);
  for (const i of stay) assert.ok(apart(start[i], end[i]) < 1e-12);
  for (const x of end) assert.ok(Math.min(...stay.map((i) => apart(x, end[i]))) < 0.01);
});

test("spectral: the component along the second eigenvector vanishes like e^-t", { skip }, async () => {
  assert.match(lawOf("spectral"), /second vanishes last, like e\^\(−t\)/);
  const columns = await samples("spectral", {}, ...DOUBLE);
  between(last(columns.mean_0), 0.999, 1);
  between(rate(columns.time, columns.mean_1, 5, 8), -1.02, -0.98);
  assert.ok(rate(columns.time, columns.mean_2, 2, 3) < -1.5);
});

test("polytope: tokens go to vertices like e^-t", { skip }, async () => {
  assert.match(lawOf("polytope"), /vertices, like e\^\(−t\)/);
  const moves = await tokens("polytope");
  const end = last(moves);
  const places = end.filter((x, i) => end.findIndex((y) => apart(x, y) < 0.01) === i);
  between(places.length, 3, 8);
  const directions = Array.from({ length: 360 }, (_, k) => [Math.cos((k * Math.PI) / 180), Math.sin((k * Math.PI) / 180)]);
  for (const x of places) assert.ok(directions.some((u) => places.every((y) => y === x || dot(u, y) < dot(u, x))), "it is a vertex of their hull");
  // Samples lie 0.2 apart.
  const furthest = (t) => Math.max(...moves[Math.round(t / 0.2)].map((x, i) => apart(x, end[i])));
  between(Math.log(furthest(7) / furthest(4)) / 3, -1.05, -0.95);
});

test("words: clusters of the cold text, and one of the warm", { skip }, async () => {
  assert.match(lawOf("words"), /some 125 clusters.* 95 % /);
  const [cold, warm] = [await samples("words"), await samples("words", { beta: 8 })];
  between(last(cold.clusters), 120, 130);
  between(last(warm.cluster_weight_0), 0.93, 0.97);
});
