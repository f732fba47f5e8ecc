/* Small charts in SVG, drawn from counts; colours by class (charts.css). Every chart stands beside
   the table it is drawn from, so the picture itself is hidden from screen readers. */

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, String(value));
  if (text !== undefined) element.textContent = text;
  return element;
}

/** One bar as wide as its cell, in parts: [[count, class name], …] of at most `most`. */
export function stackedBar(parts, most) {
  const box = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true", class: "ch-bar" });
  let from = 0;
  for (const [count, className] of parts) {
    if (!count) continue;
    const width = (count / most) * 100;
    box.append(svg("rect", { x: from, y: 0, width, height: 10, class: className }));
    from += width;
  }
  return box;
}

/** A round number at least as large, for the top of an axis. */
export function roundedUp(number) {
  if (number <= 5) return Math.max(1, number);
  const power = 10 ** Math.floor(Math.log10(number));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((top) => top >= number && Number.isInteger(top));
}

/** Stacked columns: rows [[name, [count, …]], …], one class name per series. */
export function columns(rows, classes, width) {
  const height = 250;
  const left = 46;
  const bottom = 30;
  const top = 12;
  const most = roundedUp(Math.max(1, ...rows.map(([, counts]) => counts.reduce((a, b) => a + b, 0))));
  const box = svg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", class: "ch-columns" });
  const y = (count) => top + (height - top - bottom) * (1 - count / most);
  const ticks = most < 4 ? most : 4;
  for (let i = 0; i <= ticks; i++) {
    const at = (most / ticks) * i;
    if (!Number.isInteger(at)) continue;
    box.append(svg("line", { x1: left, x2: width, y1: y(at), y2: y(at), class: "ch-grid" }));
    box.append(svg("text", { x: left - 6, y: y(at) + 4, class: "ch-tick ch-end" }, String(at)));
  }
  const step = (width - left) / Math.max(1, rows.length);
  const every = Math.max(1, Math.ceil(46 / step));
  rows.forEach(([name, counts], i) => {
    const x = left + step * i;
    let sum = 0;
    counts.forEach((count, series) => {
      if (!count) return;
      const from = y(sum);
      sum += count;
      const broad = Math.min(64, Math.max(1, step * 0.76));
      box.append(svg("rect", {
        x: x + (step - broad) / 2, width: broad, y: y(sum), height: Math.max(0.5, from - y(sum)), class: classes[series],
      }));
    });
    if (i % every === 0 && (i + every <= rows.length || i === rows.length - 1)) {
      box.append(svg("text", { x: x + step / 2, y: height - 10, class: "ch-tick ch-middle" }, name));
    }
  });
  return box;
}
