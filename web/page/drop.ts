// Files dropped on the page: an experiment, an array of tokens, or both.

import { files as read, has, keep } from "./files";
import { parse } from "./toml";

export interface Dropped {
  experiment(text: string): void;
  tokens(name: string, shape: number[]): void;
  say(sentence: string, tone: "error" | "note"): void;
}

/** Files that an experiment reads and that were dropped before it. */
function earlier(text: string, now: string[]): string[] {
  try {
    return read(parse(text)).filter((file) => has(file) && !now.includes(file));
  } catch {
    return [];
  }
}

async function take(files: File[], dropped: Dropped): Promise<void> {
  const arrays = files.filter((file) => file.name.endsWith(".npy"));
  const texts = files.filter((file) => /\.(toml|txt)$/.test(file.name));
  const other = files.find((file) => !arrays.includes(file) && !texts.includes(file));
  if (other) return dropped.say(`${other.name} is neither an experiment, .toml, nor an array, .npy.`, "error");
  const kept = await Promise.all(arrays.map(async (file) => ({ name: file.name, ...keep(file.name, await file.arrayBuffer()) })));
  if (!texts[0]) return kept[0] && dropped.tokens(kept[0].name, kept[0].shape);
  const text = await texts[0].text();
  const before = earlier(text, arrays.map(({ name }) => name));
  dropped.experiment(text);
  if (before.length) dropped.say(`It reads ${before.join(" and ")} as dropped before.`, "note");
  if (texts.length > 1) dropped.say(`One experiment at a time: ${texts[0].name} was taken.`, "error");
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
    take([...(event.dataTransfer?.files ?? [])], dropped).catch((error: Error) => dropped.say(error.message, "error"));
  });
}
