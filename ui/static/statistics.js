/* Figures of the holdings: each chart beside the table it is drawn from. */
import { add, figure, fileLink, link, make, request } from "./dom.js";
import { columns, stackedBar } from "./charts.js";

const main = document.getElementById("br-main");
const CLASSES = ["ch-0", "ch-1", "ch-2", "ch-3", "ch-4", "ch-5", "ch-6"];
/* Text there, picture only, catalogue only. */
const STATES = ["ch-0", "ch-2", "ch-none"];
const FACETS = ["fonds", "type", "retention", "opening"];

const sum = (counts) => counts.reduce((a, b) => a + b, 0);

function fact(list, name, value) {
  add(list, add(make("div"), make("dt", "", name), make("dd", "", value)));
}

function show(answer) {
  main.textContent = "";
  const facts = make("dl", "br-facts");
  fact(facts, "件", figure(answer.items));
  if (answer.volumes) fact(facts, "案卷", figure(answer.volumes));
  fact(facts, "页", figure(answer.pages));
  fact(facts, "读不出文字的页", figure(answer.unreadable));
  add(main, make("h1", "", "馆藏统计"),
    make("p", "br-soft", "只统计您可查阅的条目。案卷条目另列，不计入件数；页数含案卷下的影像。"), facts);
  for (const chart of answer.charts) main.append(card(chart));
}

function card(chart) {
  const box = make("section", `br-card br-of-${chart.kind}`);
  const heading = make("h2", "", chart.name);
  heading.id = `chart-${chart.key}`;
  box.setAttribute("aria-labelledby", heading.id);
  const said = make("p", "br-alert");
  said.setAttribute("role", "alert");
  const files = make("div", "br-tools");
  for (const kind of ["xlsx", "csv"]) {
    const file = fileLink(`api/statistics/${chart.key}.${kind}`, kind.toUpperCase(), (words) => { said.textContent = words; });
    file.setAttribute("aria-label", `下载“${chart.name}”的表（${kind.toUpperCase()}）`);
    files.append(file);
  }
  add(box, add(make("div", "br-head"), heading, chart.rows.length ? files : null), said);
  if (!chart.rows.length) return add(box, make("p", "br-soft", "没有可统计的。"));
  if (chart.kind === "columns") add(box, legend(chart.headings.slice(1), CLASSES), picture(chart), scrolled(chart, table(chart)));
  else if (chart.kind === "sittings") add(box, scrolled(chart, sittings(chart)));
  else {
    const classes = chart.headings.length > 2 ? STATES : ["ch-0"];
    if (classes === STATES) box.append(legend(chart.headings.slice(1), STATES));
    add(box, scrolled(chart, bars(chart, classes)));
  }
  if (chart.note) box.append(make("p", "br-soft", chart.note));
  return box;
}

function legend(names, classes) {
  const list = make("ul", "ch-legend");
  list.setAttribute("aria-hidden", "true");
  names.forEach((name, i) => list.append(add(make("li"), make("span", `ch-key ${classes[i]}`), make("span", "br-name", name))));
  return list;
}

/** Drawn again when the width changes, so that its letters keep their size. */
function picture(chart) {
  const box = make("div", "ch-picture");
  let width = 0;
  const draw = () => {
    const now = Math.max(300, Math.round(box.clientWidth));
    if (now === width) return;
    width = now;
    box.replaceChildren(columns(chart.rows, CLASSES, width));
  };
  new ResizeObserver(draw).observe(box);
  return box;
}

function scrolled(chart, inner) {
  const box = make("div", "br-scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", `${chart.name}的表`);
  return add(box, inner);
}

function headRow(names) {
  const row = make("tr");
  for (const name of names) {
    const cell = make("th", "", name);
    cell.scope = "col";
    row.append(cell);
  }
  return add(make("thead"), row);
}

function rowHead(chart, name) {
  const cell = make("th");
  cell.scope = "row";
  const plain = name && !name.startsWith("（") && !name.startsWith("其余");
  if (plain && (FACETS.includes(chart.key) || chart.key === "year")) {
    const key = encodeURIComponent(name);
    cell.append(link(`catalogue?${chart.key}=${key}`, name, "br-name"));
  } else cell.append(make("span", "br-name", name));
  return cell;
}

function table(chart) {
  const rows = make("tbody");
  for (const [name, counts] of chart.rows.slice().reverse()) {
    const line = add(make("tr"), rowHead(chart, name));
    counts.forEach((count) => line.append(make("td", count ? "" : "br-zero", figure(count))));
    rows.append(add(line, make("td", "br-sum", figure(sum(counts)))));
  }
  return add(make("table", "br-figures"), headRow([...chart.headings, "合计"]), rows);
}

function bars(chart, classes) {
  const most = Math.max(1, ...chart.rows.map(([, counts]) => sum(counts)));
  const rows = make("tbody");
  const several = chart.headings.length > 2;
  for (const [name, counts] of chart.rows) {
    const drawn = make("td", "ch-cell");
    drawn.append(stackedBar(counts.map((count, i) => [count, classes[i]]), most));
    const line = add(make("tr"), rowHead(chart, name), drawn);
    counts.forEach((count) => line.append(make("td", count ? "" : "br-zero", figure(count))));
    if (several) line.append(make("td", "br-sum", figure(sum(counts))));
    rows.append(line);
  }
  const names = [chart.headings[0], "", ...chart.headings.slice(1), ...(several ? ["合计"] : [])];
  return add(make("table", "br-figures"), headRow(names), rows);
}

function sittings(chart) {
  const rows = make("tbody");
  for (const [name, counts] of chart.rows) {
    const cell = make("td");
    const list = make("ol", "ch-sittings");
    counts.forEach((count, i) => {
      const item = make("li", count ? "ch-held" : "ch-absent", String(i + 1));
      const said = count ? `第 ${i + 1} 次：${count} 件` : `第 ${i + 1} 次：没有见到文件`;
      item.title = said;
      item.setAttribute("aria-label", said);
      list.append(item);
    });
    const held = counts.filter(Boolean).length;
    const term = make("th", "br-name", name);
    term.scope = "row";
    rows.append(add(make("tr"), term, add(cell, list), make("td", "", `${held} / ${counts.length}`)));
  }
  return add(make("table", "br-figures"), headRow([chart.headings[0], "第几次会议（填色的有文件）", "见到 / 最大次"]), rows);
}

request("api/statistics").then(show, (error) => {
  main.textContent = "";
  add(main, make("h1", "", "馆藏统计"), make("p", "br-empty", error.message));
});
