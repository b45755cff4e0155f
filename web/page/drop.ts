// Files dropped on the page: an experiment, an array of tokens, or both.

import { keep } from "./files";

export interface Dropped {
  experiment(text: string): void;
  tokens(name: string, shape: number[]): void;
  say(sentence: string): void;
}

async function take(files: File[], dropped: Dropped): Promise<void> {
  const arrays = files.filter((file) => file.name.endsWith(".npy"));
  const texts = files.filter((file) => /\.(toml|txt)$/.test(file.name));
  const other = files.find((file) => !arrays.includes(file) && !texts.includes(file));
  if (other) return dropped.say(`${other.name} is neither an experiment, .toml, nor an array, .npy.`);
  const kept = await Promise.all(arrays.map(async (file) => ({ name: file.name, ...keep(file.name, await file.arrayBuffer()) })));
  if (texts.length > 1) dropped.say(`One experiment at a time: ${texts[0]!.name} was taken.`);
  if (texts[0]) dropped.experiment(await texts[0].text());
  else if (kept[0]) dropped.tokens(kept[0].name, kept[0].shape);
}

export function listen(target: HTMLElement, dropped: Dropped): void {
  const over = (on: boolean): void => void target.classList.toggle("dropping", on);
  target.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  target.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) over(false);
  });
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    take([...(event.dataTransfer?.files ?? [])], dropped).catch((error: Error) => dropped.say(error.message));
  });
}
