// Sliders and choices of the equation: they show what the experiment says, and change it.

import { get } from "./document";
import { chosen, MASKS, MATRICES, observe, PERCEPTRONS, WEIGHTS, type Choice } from "./forms";
import type { Lab } from "./lab";
import { at, placeOf, shown } from "./scale";
import { FIELDS, SLIDERS, type Field, type Slider } from "./sliders";
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
    for (const field of FIELDS) this.listenField(field);
  }

  private listenField({ id, what, set }: Field): void {
    const input = find<HTMLInputElement>(id);
    input.addEventListener("change", () => {
      const [value, { dim }] = [Number(input.value), this.lab];
      if (input.value !== "" && Number.isFinite(value)) void this.lab.edit((root) => set(root, value, dim), what);
    });
    // What was rounded, refused or left empty does not stay.
    input.addEventListener("blur", () => this.refresh());
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
      // The equation changes while the slider is dragged; tokens are drawn anew once it stands.
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
      // Several places stand for the same rounded number: a slider that is dragged is not moved.
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
    for (const { id, path, fits } of FIELDS) {
      const input = find<HTMLInputElement>(id);
      input.disabled = !(fits?.(root) ?? true);
      // What is being typed stays.
      if (document.activeElement !== input) input.value = String(get(root, path) ?? (id === "dim" ? this.lab.dim : 0));
    }
  }
}
