// Formulas in a sentence, as HTML: what stands behind ^ or _ is above or below the line, x^2, I_k, e^(−t).

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** Where the parenthesis that opens at `start` is closed. */
function closing(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    depth += text[at] === "(" ? 1 : text[at] === ")" ? -1 : 0;
    if (depth === 0) return at;
  }
  return text.length;
}

export function typeset(text: string): string {
  const at = text.search(/[\^_][\w(]/);
  if (at < 0) return escaped(text);
  const tag = text[at] === "^" ? "sup" : "sub";
  const grouped = text[at + 1] === "(";
  const end = grouped ? closing(text, at + 1) : at + 1 + /^(\d+|\w)/.exec(text.slice(at + 1))![0].length;
  const inner = text.slice(at + (grouped ? 2 : 1), end);
  return `${escaped(text.slice(0, at))}<${tag}>${typeset(inner)}</${tag}>${typeset(text.slice(end + (grouped ? 1 : 0)))}`;
}
