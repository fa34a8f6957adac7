/** Draws the loss of each step, and its running mean, as an SVG with a logarithmic scale. lenet.ts feeds it. */

const svgNamespace = "http://www.w3.org/2000/svg";
const [width, height] = [760, 220];
const margin = { left: 44, right: 8, top: 10, bottom: 24 };
const ticks = [0.01, 0.03, 0.1, 0.3, 1, 3];

function element(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const created = document.createElementNS(svgNamespace, name);
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, String(value));
  created.textContent = text;
  return created;
}

/** At most `count` means of neighbouring values, so that a long run costs no more to draw. */
function thin(values: readonly number[], count: number): number[] {
  const size = Math.max(1, Math.ceil(values.length / count));
  const means: number[] = [];
  for (let i = 0; i < values.length; i += size) {
    const part = values.slice(i, i + size);
    means.push(part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  return means;
}

function smooth(values: readonly number[]): number[] {
  let mean = values[0] ?? 0;
  return values.map((value) => {
    mean += 0.08 * (value - mean);
    return mean;
  });
}

/** Replaces what `svg` shows by the curve of `losses`. */
export function drawCurve(svg: SVGSVGElement, losses: readonly number[]): void {
  const values = thin(losses, 400);
  const low = Math.log(Math.max(1e-3, Math.min(0.03, ...values)));
  const high = Math.log(Math.max(3, ...values));
  const y = (value: number) => {
    const share = (Math.log(Math.max(value, 1e-3)) - low) / (high - low);
    return height - margin.bottom - share * (height - margin.top - margin.bottom);
  };
  const x = (i: number) =>
    margin.left + (i / Math.max(1, values.length - 1)) * (width - margin.left - margin.right);
  const line = (points: readonly number[], name: string) =>
    element("polyline", {
      class: name,
      points: points.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" "),
    });
  const grid = ticks
    .filter((tick) => Math.log(tick) >= low && Math.log(tick) <= high)
    .flatMap((tick) => [
      element("line", { class: "grid", x1: margin.left, x2: width, y1: y(tick), y2: y(tick) }),
      element("text", { x: margin.left - 8, y: y(tick) + 4, "text-anchor": "end" }, String(tick)),
    ]);
  const label = losses.length > 0 ? `step ${losses.length}` : "no steps yet";
  const caption = element("text", { x: width - 8, y: height - 6, "text-anchor": "end" }, label);
  svg.replaceChildren(...grid, caption, line(values, "raw"), line(smooth(values), "smooth"));
  const last = smooth(values).at(-1);
  const spoken = last === undefined ? "No steps yet" : `now about ${last.toPrecision(2)}`;
  svg.setAttribute("aria-label", `Training loss over ${losses.length} steps, ${spoken}`);
}
