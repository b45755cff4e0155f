// Sliders and choices of the equation: they show what the experiment says, and change it.

import { get, set } from "./document";
import { source } from "./files";
import { chosen, MASKS, MATRICES, observe, PERCEPTRONS, WEIGHTS, type Choice } from "./forms";
import type { Lab } from "./lab";
import { at, placeOf, shown } from "./scale";
import { SLIDERS, type Slider } from "./sliders";
import { isTable } from "./toml";

const find = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;

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
        if (choice) void lab.edit((root) => (choice.apply(root, lab.dim), observe(root)), "equation");
        else this.refresh();
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
      else this.refresh();
    });
  }

  private listen(slider: Slider): void {
    const input = find<HTMLInputElement>(slider.id);
    let timer = 0;
    input.addEventListener("input", () => {
      this.label(slider, this.value(slider));
      const { loads } = this.lab;
      const edit = (): void => {
        timer = 0;
        // Another experiment has its own numbers.
        if (loads === this.lab.loads) void this.lab.edit((root) => slider.set(root, this.value(slider)), slider.what);
      };
      // The equation follows the hand; tokens are drawn anew where it rests.
      if (slider.what === "tokens") clearTimeout(timer);
      if (slider.what === "tokens" || timer === 0) timer = window.setTimeout(edit, slider.what === "tokens" ? 200 : 30);
    });
  }

  private value(slider: Slider): number {
    const place = Number(find<HTMLInputElement>(slider.id).value);
    return slider.zero && place === 0 ? 0 : at(slider.scale, place);
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
      input.disabled = (!plain && slider.id !== "beta") || !(slider.fits?.(root) ?? true);
      if (plain) this.label(slider, value as number);
      else find(`${slider.id}-value`).textContent = isTable(value) ? "varies" : slider.id === "beta" && get(root, "attention.normalization") === "hardmax" ? "∞" : "–";
      // Places of one rounded number are many: that of the hand stays.
      if (!plain || this.value(slider) !== value) input.value = String(!plain || value === 0 ? 0 : placeOf(slider.scale, value as number));
    }
    for (const { id, of, choices } of CHOICES) {
      const select = find<HTMLSelectElement>(id);
      const now = chosen(root, of, this.lab.dim);
      select.value = choices.some((choice) => choice.id === now) ? now! : "own";
      select.querySelector<HTMLOptionElement>("[value=own]")!.hidden = select.value !== "own";
      for (const choice of choices) select.querySelector<HTMLOptionElement>(`[value=${choice.id}]`)!.disabled = !(choice.fits?.(root) ?? true);
      // Matrices of tokens whose dimension is not known yet would be of another one.
      select.disabled = !this.lab.hasDim && ["matrices", "perceptron"].includes(of);
    }
    find<HTMLInputElement>("dim").disabled = source(root) !== undefined;
    for (const [id, path, otherwise] of [["seed", "tokens.seed", 0], ["dim", "tokens.dim", this.lab.dim], ["end", "time.end", 0]] as const) {
      const input = find<HTMLInputElement>(id);
      if (document.activeElement !== input) input.value = String(get(root, path) ?? otherwise);
    }
  }
}
