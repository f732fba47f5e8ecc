/* The catalogue: conditions live in the address, so that it can be kept, sent and gone back to. */
import { add, button, figure, fileLink, link, make, request } from "./dom.js";

const COLUMNS = [
  ["code", "档号"], ["title", "题名"], ["date", "日期"], ["doc_no", "文号"], ["author", "责任者"], ["type", "文种"],
  ["", "原文"],
];
const SORTS = COLUMNS.filter(([key]) => key);
/* Open from the start on a wide screen. */
const OPEN = ["fonds", "year", "type"];
const VIEW = ["page", "sort", "order"];

const main = document.getElementById("br-main");
const parts = {};
let shown = null; // what the server last said
let asked = 0;
let unfolded = ""; // facet whose long list is wanted
const folds = {}; // what the reader opened and closed

/* -- the address --------------------------------------------------------------------------- */

const params = () => new URLSearchParams(window.location.search);

function go(change, keepPage) {
  const next = params();
  change(next);
  if (!keepPage) next.delete("page");
  const query = next.toString();
  const address = window.location.pathname + (query ? `?${query}` : "");
  if (address !== window.location.pathname + window.location.search) window.history.pushState(null, "", address);
  load();
}

function toggle(key, value, on) {
  go((next) => {
    const values = next.getAll(key).filter((other) => other !== value);
    if (on) values.push(value);
    next.delete(key);
    values.forEach((other) => next.append(key, other));
  });
}

/* -- the frame ------------------------------------------------------------------------------ */

function frame() {
  main.textContent = "";
  const heading = make("h1", "", "目录");
  parts.form = make("form", "br-search");
  parts.form.setAttribute("role", "search");
  parts.text = make("input");
  parts.text.type = "search";
  parts.text.name = "q";
  parts.text.maxLength = 200;
  parts.text.placeholder = "题名、文号或档号里的字，几个词用空格隔开";
  parts.text.setAttribute("aria-label", "按题名、文号或档号查目录");
  const find = make("button", "br-main", "查目录");
  add(parts.form, parts.text, find);
  parts.form.addEventListener("submit", (event) => {
    event.preventDefault();
    go((next) => {
      const words = parts.text.value.trim();
      if (words) next.set("q", words); else next.delete("q");
    });
  });
  parts.filter = button("筛选", () => filters(parts.side.hidden), "br-filter");
  parts.filter.setAttribute("aria-controls", "br-side");
  parts.side = make("aside", "br-side");
  parts.side.id = "br-side";
  parts.side.setAttribute("aria-label", "筛选");
  parts.volume = make("div", "br-volume");
  parts.chips = make("ul", "br-chips");
  parts.chips.setAttribute("aria-label", "已选的条件，点一下去掉");
  parts.count = make("p", "br-count");
  parts.count.setAttribute("role", "status");
  parts.tools = make("div", "br-tools");
  parts.sort = make("select");
  parts.sort.setAttribute("aria-label", "排序");
  for (const [key, name] of SORTS) {
    for (const [order, word] of [["", "升序"], ["desc", "降序"]]) {
      const option = make("option", "", `${name}${word}`);
      option.value = `${key} ${order}`;
      parts.sort.append(option);
    }
  }
  parts.sort.addEventListener("change", () => sortBy(...parts.sort.value.split(" ")));
  parts.list = make("div", "br-list");
  parts.pager = make("nav", "br-pager");
  parts.pager.setAttribute("aria-label", "翻页");
  const results = add(make("section", "br-results"), parts.volume, parts.chips,
    add(make("div", "br-head"), parts.count, parts.tools), parts.list, parts.pager);
  results.setAttribute("aria-label", "目录条目");
  add(main, heading, add(make("div", "br-top"), parts.form, parts.filter),
    add(make("div", "br-columns"), parts.side, results));
  narrow.addEventListener("change", () => filters(!narrow.matches));
  filters(!narrow.matches);
}

const narrow = window.matchMedia("(max-width: 900px)");

function filters(open) {
  parts.side.hidden = !open;
  parts.filter.setAttribute("aria-expanded", String(open));
}

function sortBy(key, order) {
  go((next) => {
    next.set("sort", key);
    if (order) next.set("order", order); else next.delete("order");
  });
}

/* -- asking --------------------------------------------------------------------------------- */

function load() {
  const mine = ++asked;
  main.setAttribute("aria-busy", "true");
  const query = params();
  if (unfolded) query.set("more", unfolded);
  request(`api/catalogue?${query}`).then(
    (answer) => { if (mine === asked) show(answer); },
    (error) => { if (mine === asked) fail(error.message); }
  ).finally(() => { if (mine === asked) main.removeAttribute("aria-busy"); });
}

function fail(words) {
  parts.count.textContent = words;
  for (const part of [parts.list, parts.pager, parts.tools, parts.side, parts.volume]) part.textContent = "";
  const again = params();
  parts.list.append(add(make("p", "br-empty"), link("catalogue", "看全部目录", "br-link")));
  parts.chips.textContent = "";
  parts.text.value = again.get("q") || "";
}

function show(answer) {
  shown = answer;
  const held = holdFocus();
  parts.text.value = params().get("q") || "";
  showVolume();
  showChips();
  showCount();
  showFacets();
  showRows();
  showPager();
  held();
}

/** Remembers which control was in use, to go back to it after drawing. */
function holdFocus() {
  const element = document.activeElement;
  const key = element && main.contains(element) ? element.dataset.key : "";
  return () => {
    if (!key || main.contains(element)) return;
    const again = Array.from(main.querySelectorAll("[data-key]")).find((other) => other.dataset.key === key);
    if (again) again.focus({ preventScroll: true });
  };
}

/* -- what is shown -------------------------------------------------------------------------- */

function showVolume() {
  parts.volume.textContent = "";
  if (!shown.volume) return;
  const { record, code, title } = shown.volume;
  add(parts.volume, make("span", "br-tag", "案卷"), link(`record/${record}`, `${code}　${title}`, "br-name"),
    button("回到全部目录", () => go((next) => next.delete("volume")), "br-quiet"));
}

function showChips() {
  parts.chips.textContent = "";
  const chip = (words, remove) => {
    const press = button(words, remove, "br-chip");
    press.setAttribute("aria-label", `去掉条件 ${words}`);
    parts.chips.append(add(make("li"), press));
  };
  const now = params();
  if (now.get("q")) chip(`含“${now.get("q")}”`, () => go((next) => next.delete("q")));
  for (const facet of shown.facets) {
    for (const [value, , chosen] of facet.values) {
      if (chosen) chip(`${facet.name}：${value}`, () => toggle(facet.key, value, false));
    }
  }
  if (now.get("from") || now.get("to")) {
    chip(`年度：${now.get("from") || ""}—${now.get("to") || ""}`, () => go((next) => {
      next.delete("from");
      next.delete("to");
    }));
  }
  const count = parts.chips.children.length;
  if (count > 1) {
    const all = button("全部去掉", () => go((next) => {
      Array.from(new Set(next.keys())).filter((key) => !VIEW.includes(key) && key !== "volume").forEach((key) => next.delete(key));
    }), "br-quiet");
    parts.chips.append(add(make("li"), all));
  }
  parts.chips.hidden = !count;
  parts.filter.textContent = count ? `筛选（${count}）` : "筛选";
}

function showCount() {
  const pieces = [];
  if (shown.items || !shown.volumes) pieces.push(`${figure(shown.items)} 件`);
  if (shown.volumes) pieces.push(`${figure(shown.volumes)} 卷`);
  parts.count.textContent = `共 ${pieces.join("、")}`;
  parts.tools.textContent = "";
  if (!shown.total) return;
  parts.sort.value = `${shown.sort} ${shown.descending ? "desc" : ""}`;
  add(parts.tools, parts.sort);
  const query = params();
  query.delete("page");
  for (const [kind, name] of [["xlsx", "导出 XLSX"], ["csv", "导出 CSV"]]) {
    parts.tools.append(fileLink(`api/catalogue/export.${kind}?${query}`, name, tell));
  }
  parts.tools.append(button("打印", () => window.print(), "br-print"));
  if (shown.total > shown.export_limit) {
    parts.tools.append(make("small", "br-soft", `一次最多导出 ${figure(shown.export_limit)} 条，其余请先缩小条件。`));
  }
}

/** Says why a file could not be had, beside its button. */
function tell(words) {
  let box = parts.tools.querySelector(".br-alert");
  if (!box) {
    box = make("p", "br-alert");
    box.setAttribute("role", "alert");
    parts.tools.append(box);
  }
  box.textContent = words;
}

function showFacets() {
  parts.side.textContent = "";
  for (const facet of shown.facets) {
    const chosen = facet.values.some(([, , on]) => on);
    const only = facet.values.length === 1 ? facet.values[0][0] : "";
    // One blank value for all: the catalogue has no such column.
    if (!facet.values.length || (only === shown.blank && !chosen)) continue;
    parts.side.append(facetBox(facet, chosen));
  }
  if (narrow.matches) parts.side.append(button("看结果", () => {
    filters(false);
    parts.count.scrollIntoView({ block: "start" });
    parts.filter.focus({ preventScroll: true });
  }, "br-main br-done"));
}

function facetBox(facet, chosen) {
  const box = make("details", "br-facet");
  box.open = folds[facet.key] !== undefined ? folds[facet.key] : chosen || OPEN.includes(facet.key);
  const head = make("summary", "", facet.name);
  head.dataset.key = `head ${facet.key}`;
  head.addEventListener("click", () => { folds[facet.key] = !box.open; });
  const group = make("div");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", facet.name);
  if (facet.key === "year") group.append(yearRange());
  for (const [value, count, on] of facet.values) {
    const label = make("label", "br-value");
    const tick = make("input");
    tick.type = "checkbox";
    tick.checked = on;
    tick.dataset.key = `${facet.key} ${value}`;
    tick.addEventListener("change", () => toggle(facet.key, value, tick.checked));
    group.append(add(label, tick, make("span", "br-name", value), make("span", "br-number", figure(count))));
  }
  if (facet.more) {
    const rest = facet.several ? "" : `，共 ${figure(facet.more_rows)} 件`;
    if (unfolded === facet.key) group.append(make("p", "br-soft", `另有 ${figure(facet.more)} 个值没有列出${rest}；请先用别的条件缩小。`));
    else {
      const more = button(`还有 ${figure(facet.more)} 个${rest}`, () => { unfolded = facet.key; load(); }, "br-quiet");
      more.dataset.key = `more ${facet.key}`;
      group.append(more);
    }
  }
  if (facet.several) group.append(make("p", "br-soft", "一件可以有几个，件数会重叠。"));
  return add(box, head, group);
}

function yearRange() {
  const form = make("form", "br-years");
  const now = params();
  const field = (name, words) => {
    const input = make("input");
    input.type = "text";
    input.inputMode = "numeric";
    input.pattern = "[0-9]{4}";
    input.maxLength = 4;
    input.placeholder = words;
    input.setAttribute("aria-label", words);
    input.value = now.get(name) || "";
    input.dataset.key = `years ${name}`;
    return input;
  };
  const first = field("from", "起始年");
  const last = field("to", "截止年");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go((next) => {
      for (const [name, input] of [["from", first], ["to", last]]) {
        if (input.value.trim()) next.set(name, input.value.trim()); else next.delete(name);
      }
    });
  });
  return add(form, first, make("span", "", "—"), last, make("button", "", "确定"));
}

function showRows() {
  parts.list.textContent = "";
  if (!shown.rows.length) {
    parts.list.append(make("p", "br-empty", "没有符合条件的条目。可去掉一项条件，或换一个词再查。"));
    return;
  }
  const table = make("table", "br-table");
  add(table, make("caption", "cd-hidden", "目录条目"), head(), body());
  parts.list.append(table);
}

function head() {
  const row = make("tr");
  for (const [key, name] of COLUMNS) {
    const cell = make("th");
    cell.scope = "col";
    if (!key) cell.textContent = name;
    else {
      const current = shown.sort === key;
      if (current) cell.setAttribute("aria-sort", shown.descending ? "descending" : "ascending");
      const sorter = button(name, () => sortBy(key, current && !shown.descending ? "desc" : ""), "br-sort");
      sorter.dataset.key = `sort ${key}`;
      sorter.setAttribute("aria-label", `按${name}排序`);
      cell.append(sorter);
    }
    row.append(cell);
  }
  return add(make("thead"), row);
}

function body() {
  const rows = make("tbody");
  for (const row of shown.rows) {
    const line = make("tr", row.level === "案卷" ? "br-is-volume" : "");
    const cell = (name, ...children) => {
      const box = make("td");
      box.dataset.label = name;
      line.append(add(box, ...children));
    };
    const words = (name, text) => cell(name, text ? make("span", "br-name", text) : null);
    words("档号", row.code);
    cell("题名", link(`record/${row.record}`, row.title || "（没有题名）", "br-title"), tags(row));
    words("日期", row.date);
    words("文号", row.doc_no);
    words("责任者", row.author);
    words("文种", row.type);
    cell("原文", make("span", row.text === "有可查的文字" ? "" : "br-soft", row.pages ? `${row.pages} 页` : "只有目录"),
      row.pages && row.text !== "有可查的文字" ? make("small", "br-soft", "文字读不出") : null);
    rows.append(line);
  }
  return rows;
}

function tags(row) {
  const box = make("div", "br-tags");
  const tag = (words, className) => box.append(make("span", `br-tag ${className || ""}`, words));
  if (row.level === "案卷") tag("案卷");
  if (row.result) tag(`结果 ${row.result}`, "br-result");
  if (row.opening !== undefined && row.opening.trim() !== "开放") tag(row.opening.trim() || "开放标识空白", "br-closed");
  const open = (volume, words) => {
    const press = link(`catalogue?volume=${encodeURIComponent(volume)}`, words, "br-inner");
    press.addEventListener("click", (event) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go((next) => {
        Array.from(new Set(next.keys())).forEach((key) => next.delete(key));
        next.set("volume", volume);
      });
      window.scrollTo(0, 0);
    });
    box.append(press);
  };
  if (row.files) open(row.record, `卷内文件 ${figure(row.files)} 件`);
  if (row.volume && !shown.volume) open(row.volume, "同卷文件");
  return box.children.length ? box : null;
}

function showPager() {
  parts.pager.textContent = "";
  if (shown.pages < 2) return;
  const step = (words, page, key) => {
    const press = button(words, () => {
      go((next) => next.set("page", String(page)), true);
      main.scrollIntoView({ block: "start" });
    }, "");
    press.dataset.key = `page ${key}`;
    press.disabled = page < 1 || page > shown.pages || page === shown.page;
    parts.pager.append(press);
  };
  step("首页", 1, "first");
  step("上一页", shown.page - 1, "previous");
  parts.pager.append(make("span", "br-where", `第 ${figure(shown.page)} / ${figure(shown.pages)} 页`));
  step("下一页", shown.page + 1, "next");
  step("末页", shown.pages, "last");
}

frame();
window.addEventListener("popstate", load);
load();
