// Arrays that experiments name by their file. A browser has no folder: those that come with the page are fetched, others are dropped on it, and
// the engine gets their rows in place of the path.

import { get, word } from "./document";
import { listed, rows, type Rows } from "./npy";
import { parse, type Table } from "./toml";
import { write } from "./toml_write";

const LARGEST = 4_000_000;
const OURS: Record<string, string> = { "minilm-256.npy": "./data/minilm-256.npy" };
const WORDS: Record<string, string> = { "minilm-256.npy": "./data/minilm-256.json" };

const known = new Map<string, Rows>();
const base = (path: string): string => path.split(/[\\/]/).pop() ?? path;

export function keep(name: string, buffer: ArrayBuffer): Rows {
  const array = rows(name, buffer);
  if (array.data.length > LARGEST) throw new Error(`${name} has ${array.data.length} numbers; the page takes up to ${LARGEST}.`);
  known.set(name, array);
  return array;
}

async function fetched(path: string): Promise<Response> {
  const answer = await fetch(new URL(path, document.baseURI));
  if (!answer.ok) throw new Error(`${path} could not be loaded (${answer.status}).`);
  return answer;
}

/** The file that the tokens of an experiment come from, if any. */
export const source = (root: Table): string | undefined => (word(root, "tokens.initial.law", "") === "file" ? base(word(root, "tokens.initial.path", "")) : undefined);

/** The text for the engine: rows in place of the path of a file. */
export async function expand(text: string): Promise<string> {
  const root = parse(text);
  const name = source(root);
  if (name === undefined) return text;
  let array = known.get(name);
  if (!array && OURS[name]) array = keep(name, await (await fetched(OURS[name])).arrayBuffer());
  if (!array) throw new Error(`The experiment starts from ${name}: drop this file on the page as well.`);
  const initial = get(root, "tokens.initial") as Table;
  for (const key of Object.keys(initial)) delete initial[key];
  const tokens = root["tokens"] as Table;
  Object.assign(tokens, { count: array.rows, dim: array.columns });
  Object.assign(initial, { law: "points", rows: "ROWS" });
  return write(root).replace('"ROWS"', () => listed(array));
}

/** Words of the tokens of an experiment, where they are known. */
export async function words(root: Table): Promise<string[] | undefined> {
  const name = source(root);
  const path = name === undefined ? undefined : WORDS[name];
  return path ? ((await (await fetched(path)).json()) as string[]) : undefined;
}
