// Signs of buttons.

const PATHS = {
  play: "M4 2v12l10-6z",
  pause: "M3 2h4v12H3zM9 2h4v12H9z",
  step: "M2 2v12l8-6zM11 2h2v12h-2z",
  restart: "M8 3a5 5 0 1 1-4.6 3H1l3.5-4L8 6H5.5A3.2 3.2 0 1 0 8 4.8z",
};

export function draw(button: HTMLElement, name: keyof typeof PATHS): void {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  button.replaceChildren(svg);
}
