// TOML as a person would write an experiment: one table a section, small tables in a line.

import { isTable, type Table, type Value } from "./toml";

const name = (key: string): string => (/^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key));

function number(value: number): string {
  if (Number.isNaN(value)) return "nan";
  return Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";
}

/** A value as it stands after the sign of equality. */
export function inline(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return number(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${name(key)} = ${inline(inner)}`)
    .join(", ")} }`;
}

const isList = (value: Value): value is Table[] => Array.isArray(value) && value.length > 0 && value.every(isTable);

function section(title: string, table: Table): string[] {
  const lines: string[] = [];
  const lists: string[] = [];
  for (const [key, value] of Object.entries(table)) {
    if (isList(value)) lists.push(...value.flatMap((item) => ["", `[[${title}.${name(key)}]]`, ...body(item)]));
    else lines.push(`${name(key)} = ${inline(value)}`);
  }
  return ["", `[${title}]`, ...lines, ...lists];
}

const body = (table: Table): string[] => Object.entries(table).map(([key, value]) => `${name(key)} = ${inline(value)}`);

/** The text of an experiment; `parse` reads the same table from it. */
export function write(root: Table): string {
  const plain: string[] = [];
  const sections: string[] = [];
  for (const [key, value] of Object.entries(root)) {
    if (isTable(value)) sections.push(...section(name(key), value));
    else if (isList(value)) sections.push(...value.flatMap((item) => ["", `[[${name(key)}]]`, ...body(item)]));
    else plain.push(`${name(key)} = ${inline(value)}`);
  }
  return `${[...plain, ...sections].join("\n").replace(/^\n/, "")}\n`;
}
