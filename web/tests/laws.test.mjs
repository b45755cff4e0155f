// What presets say is what their experiments do, and the papers that they name are those of `tokenfield papers`. TOKENFIELD is the program.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { table } from "./samples.mjs";

const WEB = join(import.meta.dirname, "..");
const PAPERS = join(WEB, "../assets/papers");
const PROGRAM = process.env.TOKENFIELD;
const skip = PROGRAM ? false : "TOKENFIELD is not set: the path of the program";
const presets = JSON.parse(await readFile(join(WEB, "page/presets.json"), "utf8"));

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), "laws-"))));
after(() => rm(folder, { recursive: true }));

const lawOf = (id) => presets.find((one) => one.id === id).law;
let runs = 0;

/** The columns of a preset's samples, with some of its keys changed: `{ column: [..] }`. */
async function samples(id, keys = {}) {
  const out = join(folder, `run-${runs++}`);
  let toml = (await readFile(join(WEB, `page/presets/${id}.toml`), "utf8")).replace("minilm-256.npy", join(WEB, "public/data/minilm-256.npy"));
  for (const [key, value] of Object.entries(keys)) {
    const line = new RegExp(`^${key} = .*$`, "m");
    assert.match(toml, line, id);
    toml = toml.replace(line, `${key} = ${value}`);
  }
  await writeFile(`${out}.toml`, toml);
  await promisify(execFile)(PROGRAM, ["run", `${out}.toml`, "--backend", "cpu", "--no-plot", "--out", out], { timeout: 600_000 });
  const { head, rows } = table(await readFile(join(out, "samples.csv"), "utf8"));
  return Object.fromEntries(head.map((name, k) => [name, rows.map((row) => row[k])]));
}
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
  const { log_energy, clusters } = await samples("metastable");
  const rises = log_energy.slice(1).map((e, k) => e - log_energy[k]);
  assert.ok(rises.every((rise) => rise > -1e-5));
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
  const at = (t) => w2_dirac[time.findIndex((one) => Math.abs(one - t) < 1e-9)];
  between(Math.log(at(10) / at(13)) / 3, 0.98, 1.02);
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
  for (const count of [128, 512]) between(last((await samples("perceptron", { count, every: 600 })).clusters), 6, 16);
});

test("noise: the mean grows above the threshold and dies out below", { skip }, async () => {
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

test("sinkhorn: factors of the rates against softmax", () => {
  const bessel = (k, x) => Array.from({ length: 60 }, (_, m) => Math.exp((2 * m + k) * Math.log(x / 2) - logFactorial(m) - logFactorial(m + k))).reduce((sum, term) => sum + term);
  const logFactorial = (m) => Array.from({ length: m }, (_, k) => Math.log(k + 1)).reduce((sum, term) => sum + term, 0);
  const factors = [1, 2, 3, 4].map((k) => (bessel(0, 5) / (bessel(0, 5) + bessel(k, 5))).toFixed(2));
  assert.ok(lawOf("sinkhorn").includes(`${factors.join(", ")} for k = 1, 2, 3, 4`), factors.join());
});

test("words: clusters of the cold text, and one of the warm", { skip }, async () => {
  assert.match(lawOf("words"), /some 125 clusters.* 95 % /);
  const [cold, warm] = [await samples("words"), await samples("words", { beta: 8 })];
  between(last(cold.clusters), 120, 130);
  between(last(warm.cluster_weight_0), 0.93, 0.97);
});
