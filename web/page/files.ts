// Arrays that experiments name by their file. A browser has no folder: those that come with the page are fetched, others are dropped on it, and
// the engine gets them under a name in place of the path.

import { word } from "./document";
import { numbers, type Numbers } from "./npy";
import { isTable, parse, type Table, type Value } from "./toml";
import { write } from "./toml_write";

export interface Named extends Numbers {
  name: string;
}

const LARGEST = 100_000_000;
const OURS: Record<string, string> = { "minilm-256.npy": "./data/minilm-256.npy" };
const WORDS: Record<string, string> = { "minilm-256.npy": "./data/minilm-256.json" };

const known = new Map<string, Numbers>();
const base = (path: string): string => path.split(/[\\/]/).pop() ?? path;
const bare = (file: string): string => file.replace(/\.npy$/, "").replace(/[^A-Za-z0-9_-]/g, "_");

/** Whether a file of this name was dropped. */
export const has = (file: string): boolean => known.has(file) && !OURS[file];

export function keep(file: string, buffer: ArrayBuffer): Numbers {
  const array = numbers(file, buffer);
  if (array.values.length > LARGEST) throw new Error(`${file} has ${array.values.length} numbers; the page takes up to ${LARGEST}.`);
  known.set(file, array);
  return array;
}

async function fetched(path: string): Promise<Response> {
  const answer = await fetch(new URL(path, document.baseURI));
  if (!answer.ok) throw new Error(`${path} could not be loaded (${answer.status}).`);
  return answer;
}

/** All places of a table where the path of an array stands. */
function* places(value: Value): Generator<{ table: Table; key: string; path: string }> {
  if (Array.isArray(value)) for (const inner of value) yield* places(inner);
  if (!isTable(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "string" && /\.npy$/.test(inner) && key !== "name") yield { table: value, key, path: inner };
    else yield* places(inner);
  }
}

/** The files that an experiment reads. */
export const files = (root: Table): string[] => [...places(root)].map(({ path }) => base(path));

/** The file that the tokens of an experiment come from, if any. */
export const source = (root: Table): string | undefined => (word(root, "tokens.initial.law", "") === "file" ? base(word(root, "tokens.initial.path", "")) : undefined);

/** The text for the engine, with names in place of files, and the arrays that they name. */
export async function collect(text: string): Promise<{ toml: string; arrays: Named[] }> {
  const root = parse(text);
  const arrays = new Map<string, Named & { path: string }>();
  for (const { table, key, path } of places(root)) {
    const file = base(path);
    const other = arrays.get(file)?.path ?? path;
    if (other !== path) throw new Error(`The experiment reads ${other} and ${path}: the page knows files by their names, so give them different ones.`);
    if (!known.has(file) && OURS[file]) keep(file, await (await fetched(OURS[file])).arrayBuffer());
    const array = known.get(file);
    if (!array) throw new Error(`The experiment reads ${file}: drop this file on the page as well.`);
    const taken = [...arrays.values()].some((one) => one.path !== path && one.name === bare(file));
    const name = arrays.get(file)?.name ?? (taken ? `${bare(file)}_${arrays.size}` : bare(file));
    table[key] = name;
    arrays.set(file, { path, name, ...array });
  }
  const named = [...arrays.values()].map(({ name, shape, values }) => ({ name, shape, values }));
  return named.length ? { toml: write(root), arrays: named } : { toml: text, arrays: [] };
}

/** Words of the tokens of an experiment, where they are known. */
export async function words(root: Table): Promise<string[] | undefined> {
  const file = source(root);
  const path = file === undefined ? undefined : WORDS[file];
  return path ? ((await (await fetched(path)).json()) as string[]) : undefined;
}
