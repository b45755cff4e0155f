// The equation of an experiment in one line of HTML, in the symbols of docs/conventions.md.

import { get, number, word } from "./document";
import { isTable, type Table, type Value } from "./toml";

const i = (letter: string): string => `<i>${letter}</i>`;
const at = (letter: string, index: string): string => `${i(letter)}<sub>${i(index)}</sub>`;
const oneWeight = `${at("w", "j")} `;

const WEIGHTS: Record<string, (score: string) => string> = {
  softmax: (s) => `softmax<sub>${i("j")}</sub>(${i("β")}${s})`,
  unnormalized: (s) => `${oneWeight}${i("e")}<sup>${i("β")}${s}</sup>`,
  shifted: (s) => `${oneWeight}${i("e")}<sup>${i("β")}(${s} − 1)</sup>`,
  hardmax: (s) => `argmax<sub>${i("j")}</sub>(${s})`,
  sinkhorn: (s) => `sinkhorn(${i("β")}${s})`,
  relu: (s) => `${oneWeight}(${i("β")}${s})<sub>+</sub>`,
  sigmoid: (s) => `${oneWeight}σ(${i("β")}${s})`,
};
const SOURCES: Record<string, string> = { none: i("j"), causal: `${i("j")} ≤ ${i("i")}`, "strictly-causal": `${i("j")} &lt; ${i("i")}`, others: `${i("j")} ≠ ${i("i")}` };
const NOISES: Record<string, (x: string) => string> = {
  independent: () => `${at("dB", "i")}/${i("dt")}`,
  "common-additive": () => `${i("dB")}/${i("dt")}`,
  "common-matrix": (x) => `${i("dW")}/${i("dt")} ${x}`,
  "common-perceptron": (x) => `${i("dF")}(${x})/${i("dt")}`,
};

/** A factor in front of a term, which is left out where it is one. */
const factor = (value: Value | undefined, otherwise: string): string => (value === undefined || value === 1 ? "" : typeof value === "number" ? `${String(value).replace("-", "−")} ` : `${i(otherwise)} `);
const isIdentity = (value: Value | undefined): boolean => value === undefined || value === "identity";

/** What the first head, or each of several, adds to the velocity of token i; nothing where its weight is zero. */
function attention(root: Table, x: string, values: string): string | undefined {
  const heads = get(root, "attention.head");
  const head = Array.isArray(heads) && isTable(heads[0]) ? heads[0] : {};
  const isOne = !Array.isArray(heads) || (heads.length < 2 && number(head, "copies", 1) === 1);
  if (isOne && head["weight"] === 0) return undefined;
  const letter = (name: string): string => (isOne ? i(name) : at(name, "h"));
  const score = `⟨${at(x, "i")}, ${isIdentity(head["query-key"]) && isOne ? "" : letter("A")}${at(x, "j")}⟩`;
  const weights = (WEIGHTS[word(root, "attention.normalization", "softmax")] ?? WEIGHTS["softmax"]!)(score);
  const isNegative = isOne && values !== "z" && get(head, "value.scale") === -1;
  const value = isNegative || (isIdentity(head["value"]) && isOne) || values === "z" ? "" : `${letter("V")} `;
  const before = isOne ? factor(head["weight"], "c") : `∑<sub>${i("h")}</sub> ${Array.isArray(heads) && heads.some((one) => isTable(one) && (one["weight"] ?? 1) !== 1) ? `${at("c", "h")} ` : ""}`;
  const sources = SOURCES[word(root, "attention.mask", "none")] ?? i("j");
  return `${isNegative ? "−" : ""}${before}∑<sub>${sources}</sub> ${weights} ${value}${at(values, "j")}`;
}

function field(root: Table, x: string): string {
  const terms = [attention(root, x, x)];
  if (isTable(get(root, "perceptron"))) terms.push(`perceptron(${at(x, "i")})`);
  const noise = NOISES[word(root, "noise.field", "")];
  if (noise && get(root, "noise.intensity") !== 0) terms.push(`${factor(get(root, "noise.intensity"), "σ")}${noise(at(x, "i"))}`);
  return terms.filter((term) => term !== undefined).join(" + ") || "0";
}

export function formula(root: Table): string {
  if (get(root, "attention.model") !== undefined) return "The layers of a trained encoder.";
  const [left, projector] = [`${i("d")}${at("x", "i")}/${i("dt")} = `, `${i("P")}<sub>${at("x", "i")}</sub>`];
  const several = (sum: string): string => (sum.includes(" + ") ? `(${sum})` : sum);
  const sum = field(root, "x");
  const ofDirections = field(root, "θ");
  const theta = `, ${at("θ", "i")} = ${at("x", "i")} / |${at("x", "i")}|`;
  switch (word(root, "tokens.geometry", "sphere")) {
    case "euclidean": return `${left}${sum}`;
    case "rescaled": return `${i("d")}${at("z", "i")}/${i("dt")} = ${isIdentity(get(root, "attention.head.0.value")) ? "" : i("V")}(${attention(root, "x", "z") ?? "0"} − ${at("z", "i")}), ${i("x")} = ${i("e")}<sup>${i("tV")}</sup> ${i("z")}`;
    case "pre-norm": return `${left}${ofDirections}${theta}`;
    case "peri-norm": return `${left}${i("f")} / |${i("f")}|, ${i("f")} = ${ofDirections}${theta}`;
    case "mix-norm": return `${left}${projector} ${several(sum)} until ${i("t")} = ${number(root, "tokens.switch", 0)}, then ${ofDirections}${theta}`;
    case "ngpt": return `${left}${i("α")} ${projector} ${i("f")} / |${i("f")}|, ${i("f")} = ${sum}`;
    case "layer-norm": return `${at("x", "i")} ← LN(${at("x", "i")} + ${i("h")} ${i("f")}), ${i("f")} = ${attention(root, "x", "x") ?? "0"}${isTable(get(root, "perceptron")) ? `, then perceptron(${at("x", "i")})` : ""}`;
    default: return `${left}${projector} ${several(sum)}`;
  }
}
