// Paths into an experiment, such as "attention.head.0.beta".

import { isTable, type Table, type Value } from "./toml";

const step = (at: Value | undefined, part: string): Value | undefined => (Array.isArray(at) ? at[Number(part)] : isTable(at) ? at[part] : undefined);

export const get = (root: Table, path: string): Value | undefined => path.split(".").reduce<Value | undefined>(step, root);

export function number(root: Table, path: string, otherwise: number): number {
  const value = get(root, path);
  return typeof value === "number" ? value : otherwise;
}

export function word(root: Table, path: string, otherwise: string): string {
  const value = get(root, path);
  return typeof value === "string" ? value : otherwise;
}

export function set(root: Table, path: string, value: Value): void {
  const parts = path.split(".");
  const last = parts.pop()!;
  let table = root;
  for (const part of parts) {
    if (!isTable(table[part])) table[part] = {};
    table = table[part] as Table;
  }
  table[last] = value;
}

export function remove(root: Table, path: string): void {
  const parts = path.split(".");
  const last = parts.pop()!;
  const table = parts.length ? get(root, parts.join(".")) : root;
  if (isTable(table)) delete table[last];
}

export const copy = (root: Table): Table => structuredClone(root);
