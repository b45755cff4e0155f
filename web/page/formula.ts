// The equation of an experiment in one line of HTML.

import { get, number, word } from "./document";
import { isTable, type Table } from "./toml";

const i = (letter: string): string => `<i>${letter}</i>`;
const xi = `${i("x")}<sub>i</sub>`;
const xj = `${i("x")}<sub>j</sub>`;

const WEIGHTS: Record<string, (score: string) => string> = {
  softmax: (s) => `softmax<sub>j</sub>(${i("β")}${s})`,
  unnormalized: (s) => `${i("e")}<sup>${i("β")}${s}</sup>`,
  shifted: (s) => `${i("e")}<sup>${i("β")}(${s} − 1)</sup>`,
  hardmax: (s) => `argmax<sub>j</sub>(${s})`,
  sinkhorn: (s) => `sinkhorn(${i("β")}${s})`,
  relu: (s) => `(${i("β")}${s})<sub>+</sub>`,
  sigmoid: (s) => `σ(${i("β")}${s})`,
};

export function formula(root: Table): string {
  if (get(root, "attention.model") !== undefined) return "The layers of a trained encoder.";
  const heads = get(root, "attention.head");
  const head = Array.isArray(heads) && isTable(heads[0]) ? heads[0] : {};
  const many = Array.isArray(heads) && (heads.length > 1 || number(head, "copies", 1) > 1);
  const plain = (key: string): boolean => head[key] === undefined || head[key] === "identity";
  const score = `⟨${xi}, ${plain("query-key") ? "" : i("A")}${xj}⟩`;
  const value = plain("value") ? "" : get(head, "value.scale") === -1 ? "−" : `${i("V")} `;
  const causal = word(root, "attention.mask", "none") === "none" ? "j" : "j ≤ i";
  const geometry = word(root, "tokens.geometry", "sphere");
  const projected = geometry === "euclidean" || geometry === "rescaled" ? "" : `${i("P")}<sub>x<sub>i</sub></sub> `;
  const weights = (WEIGHTS[word(root, "attention.normalization", "softmax")] ?? WEIGHTS["softmax"]!)(score);
  const terms = [`${many ? "∑<sub>h</sub> " : ""}${value === "−" ? "−" : ""}∑<sub>${causal}</sub> ${weights} ${value === "−" ? "" : value}${xj}`];
  if (isTable(get(root, "perceptron"))) terms.push(`perceptron(${xi})`);
  const sum = terms.length > 1 && projected ? `(${terms.join(" + ")})` : terms.join(" + ");
  const noise = isTable(get(root, "noise")) ? ` + ${number(root, "noise.intensity", 0)} ${i("dB")}<sub>i</sub>/<i>dt</i>` : "";
  return `<i>d</i>${xi}/<i>dt</i> = ${projected}${sum}${noise}`;
}
