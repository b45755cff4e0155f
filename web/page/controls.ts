// Sliders and choices of the equation: they show what the experiment says, and change it.

import { get, number, remove, set } from "./document";
import { chosen, MASKS, MATRICES, observe, PERCEPTRONS, WEIGHTS, type Choice } from "./forms";
import type { Lab } from "./lab";
import { at, BETA, COUNT, NOISE, placeOf, shown, STEP, type Scale } from "./scale";
import { isTable, type Table } from "./toml";

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

interface Slider {
  id: string;
  path: string;
  scale: Scale;
  what: "equation" | "tokens";
  /** Zero is at the left end. */
  zero?: boolean;
  then?(root: Table): void;
}

/** A step of another length: the end and the samples stay whole numbers of it. */
function restep(root: Table): void {
  const step = number(root, "time.step", 0.1);
  for (const path of ["observe.every", "time.end"]) {
    const value = get(root, path);
    if (typeof value === "number") set(root, path, Number((Math.max(Math.round(value / step), 1) * step).toPrecision(12)));
  }
  const every = get(root, "observe.every");
  if (typeof every === "number" && number(root, "time.end", every) < every) set(root, "observe.every", number(root, "time.end", every));
}

const SLIDERS: Slider[] = [
  { id: "beta", path: "attention.beta", scale: BETA, what: "equation", then: observe },
  { id: "count", path: "tokens.count", scale: COUNT, what: "tokens", then: observe },
  { id: "step-length", path: "time.step", scale: STEP, what: "equation", then: restep },
  { id: "noise-intensity", path: "noise.intensity", scale: NOISE, what: "equation", zero: true, then: noise },
];

function noise(root: Table): void {
  if (get(root, "noise.intensity") === 0) return remove(root, "noise");
  if (get(root, "noise.field") !== undefined) return;
  const scheme = get(root, "time.scheme") === "euler" ? "euler" : "heun";
  set(root, "time.scheme", scheme);
  set(root, "noise", { field: "independent", intensity: number(root, "noise.intensity", 0.1), calculus: scheme === "euler" ? "ito" : "stratonovich" });
}

const CHOICES: { id: string; of: "matrices" | "weights" | "mask" | "perceptron"; choices: Choice[] }[] = [
  { id: "weights", of: "weights", choices: WEIGHTS },
  { id: "matrices", of: "matrices", choices: MATRICES },
  { id: "mask", of: "mask", choices: MASKS },
  { id: "perceptron-choice", of: "perceptron", choices: PERCEPTRONS },
];

export class Controls {
  constructor(private readonly lab: Lab) {
    for (const slider of SLIDERS) this.listen(slider);
    for (const { id, choices } of CHOICES) {
      const select = find<HTMLSelectElement>(id);
      select.append(...choices.map((choice) => new Option(choice.label, choice.id)), new Option("As in the file", "own"));
      select.addEventListener("change", () => {
        const choice = choices.find((one) => one.id === select.value);
        if (choice) void lab.edit((root) => (choice.apply(root), observe(root)), "equation");
      });
    }
    this.numbers("seed", "tokens.seed", (value) => Math.max(0, Math.round(value)), "tokens");
    this.numbers("dim", "tokens.dim", (value) => Math.max(1, Math.round(value)), "tokens");
    this.numbers("end", "time.end", (value) => value, "equation");
  }

  private numbers(id: string, path: string, fit: (value: number) => number, what: "equation" | "tokens"): void {
    const input = find<HTMLInputElement>(id);
    input.addEventListener("change", () => {
      const value = Number(input.value);
      if (input.value !== "" && Number.isFinite(value)) void this.lab.edit((root) => set(root, path, fit(value)), what);
    });
  }

  private listen(slider: Slider): void {
    const input = find<HTMLInputElement>(slider.id);
    let timer = 0;
    input.addEventListener("input", () => {
      const place = Number(input.value);
      const value = slider.zero && place === 0 ? 0 : at(slider.scale, place);
      this.label(slider, value);
      const edit = (): void => void this.lab.edit((root) => (set(root, slider.path, value), slider.then?.(root)), slider.what);
      clearTimeout(timer);
      timer = window.setTimeout(edit, slider.what === "tokens" ? 200 : 30);
    });
  }

  private label(slider: Slider, value: number): void {
    const text = shown(value);
    find(`${slider.id}-value`).textContent = text;
    find(slider.id).setAttribute("aria-valuetext", text);
  }

  /** Set all controls to what the experiment says. */
  refresh(): void {
    const { root } = this.lab;
    for (const slider of SLIDERS) {
      const input = find<HTMLInputElement>(slider.id);
      const fallback = slider.id === "count" ? this.lab.count : slider.zero ? 0 : NaN;
      const value = get(root, slider.path) ?? fallback;
      const plain = typeof value === "number" && Number.isFinite(value);
      input.disabled = !plain && slider.id !== "beta";
      if (plain) this.label(slider, value as number);
      else find(`${slider.id}-value`).textContent = isTable(value) ? "varies" : slider.id === "beta" && chosen(root, "weights") === "hardmax" ? "∞" : "–";
      const place = !plain || value === 0 ? 0 : placeOf(slider.scale, value as number);
      if (document.activeElement !== input || Math.abs(Number(input.value) - place) > 3) input.value = String(place);
    }
    for (const { id, of } of CHOICES) {
      const select = find<HTMLSelectElement>(id);
      const id_ = chosen(root, of);
      select.value = id_ !== undefined && [...select.options].some((option) => option.value === id_) ? id_ : "own";
      select.querySelector<HTMLOptionElement>("[value=own]")!.hidden = select.value !== "own";
    }
    for (const [id, path, otherwise] of [["seed", "tokens.seed", 0], ["dim", "tokens.dim", this.lab.dim], ["end", "time.end", 0]] as const) {
      find<HTMLInputElement>(id).value = String(get(root, path) ?? otherwise);
    }
  }
}
