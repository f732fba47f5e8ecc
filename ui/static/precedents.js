/* Precedents on a topic as a picture: years across, each matter a lane of numbered steps; below it
   every lane in full. The lanes are ordered lists, which is what a screen reader reads. */
import { add, button, link, make, request } from "./dom.js";
import { svg } from "./charts.js";

const main = document.getElementById("br-main");
const parts = {};
let asked = 0;
let shown = null;

/* Colour by what kind of step it is. */
const FAMILY = {
  "提出": "raise", "交办": "assign", "督办": "assign", "答复": "reply", "再次答复": "reply", "征询代表意见": "opinion",
  "办理情况报告": "report", "检查方案": "raise", "执法检查报告": "raise", "专项工作报告": "raise", "审计工作报告": "raise",
  "专题询问": "opinion", "会议审议": "opinion", "审议意见": "assign", "研究处理情况": "reply", "整改情况报告": "reply",
  "满意度测评": "opinion", "草案及说明": "raise", "一审意见": "assign", "审议结果报告": "assign", "表决": "opinion",
  "通过": "reply", "报请批准": "assign", "批准": "reply", "施行": "reply", "修改": "report", "废止": "report",
  "作出决议、决定": "reply", "后续立法": "report",
};
const LEGEND = [
  ["raise", "提出、检查、草案"], ["assign", "交办、审议意见"], ["reply", "答复、处理、通过"], ["opinion", "意见、测评、表决"],
  ["report", "报告、修改"], ["other", "记载、提及"], ["guess", "疑似（虚线）"], ["missing", "未检得（空心）"],
];

const family = (step) => FAMILY[step.step] || "other";

/* -- the frame ------------------------------------------------------------------------------- */

function frame() {
  main.textContent = "";
  parts.form = make("form", "br-search");
  parts.form.setAttribute("role", "search");
  parts.topic = make("input");
  parts.topic.type = "search";
  parts.topic.maxLength = 200;
  parts.topic.placeholder = "输入主题，如：加装电梯";
  parts.topic.setAttribute("aria-label", "要查先例的主题");
  parts.go = make("button", "br-main", "查先例");
  add(parts.form, parts.topic, parts.go);
  parts.form.addEventListener("submit", (event) => {
    event.preventDefault();
    const topic = parts.topic.value.trim();
    if (!topic) return parts.topic.focus();
    const address = `${window.location.pathname}?q=${encodeURIComponent(topic)}`;
    if (address !== window.location.pathname + window.location.search) window.history.pushState(null, "", address);
    load();
  });
  parts.said = make("p", "br-count");
  parts.said.setAttribute("role", "status");
  parts.tools = make("div", "br-tools");
  parts.result = make("div", "pr-result");
  add(main, make("h1", "", "先例"), add(make("div", "br-top"), parts.form),
    add(make("div", "br-head"), parts.said, parts.tools), parts.result);
}

function load() {
  const asking = new URLSearchParams(window.location.search);
  const topic = (asking.get("q") || asking.get("topic") || "").trim();
  parts.topic.value = topic;
  parts.result.textContent = "";
  parts.tools.textContent = "";
  shown = null;
  const mine = ++asked;
  if (!topic) {
    parts.said.textContent = "输入一个主题，看看这件事以前有没有提过、怎样办的、结果如何。";
    parts.topic.focus();
    offer(mine);
    return;
  }
  parts.said.textContent = "正在查先例…";
  parts.go.disabled = true;
  request(`api/precedents?q=${encodeURIComponent(topic)}`).then(
    (answer) => { if (mine === asked) show(answer); },
    (error) => { if (mine === asked) parts.said.textContent = error.message; }
  ).finally(() => { if (mine === asked) parts.go.disabled = false; });
}

/** Topics that are in the holdings, to start from. */
function offer(mine) {
  request("api/precedents/topics").then(({ topics }) => {
    if (mine !== asked || !topics.length) return;
    const list = make("ul", "pr-topics");
    list.setAttribute("aria-label", "可以试试的主题");
    for (const topic of topics) list.append(add(make("li"), link(`precedents?q=${encodeURIComponent(topic)}`, topic)));
    add(parts.result, make("p", "br-soft", "馆藏里代表提过的，点一个看看："), list);
  }, () => undefined); // the page is of use without
}

/* -- the answer ------------------------------------------------------------------------------ */

function show(answer) {
  parts.result.textContent = "";
  if (answer.refused || !answer.matters.length) {
    parts.said.textContent = answer.message || "没有检得这个主题的先例。";
    parts.result.append(make("p", "br-empty", "可换一个说法，或只留下最要紧的词，例如“停车”“养老服务”；也可以到目录里按题名查。"));
    return;
  }
  shown = answer;
  shown.sources = new Map([...answer.citations, ...answer.listings].map((source) => [Number(source.marker), source]));
  parts.said.textContent = answer.lead;
  parts.tools.append(button("打印", () => window.print(), "br-print"));
  const notes = make("ul", "pr-notes");
  answer.notes.forEach((note) => notes.append(make("li", "", note)));
  add(parts.result, overview(), notes);
  answer.matters.forEach((matter, i) => parts.result.append(lane(matter, i)));
}

const stepId = (lane, step) => `step-${lane + 1}-${step + 1}`;

/** Year as a number with its part, from a date as printed; NaN where it says none. */
function moment(date) {
  const digits = String(date || "").replace(/[〇○零]/g, "0").replace(/[一二三四五六七八九]/g, (c) => String("一二三四五六七八九".indexOf(c) + 1));
  const found = /((?:19|20)\d{2})(?:\D{0,2}(\d{1,2}))?(?:\D{1,2}(\d{1,2}))?/.exec(digits);
  if (!found) return NaN;
  const month = Number(found[2] || 0);
  const day = Number(found[3] || 0);
  return Number(found[1]) + (month >= 1 && month <= 12 ? (month - 1 + Math.min(day, 31) / 32) / 12 : 0.5);
}

/** The date as printed; a bare run of digits with its parts apart. */
const readable = (step) => (/^\d{6,8}$/.test(step.date) && step.iso ? step.iso : step.date);

/** Place in time of every step of a lane; what is undated stands between its neighbours. */
function moments(steps) {
  const times = steps.map((step) => moment(step.iso || step.date));
  const known = times.map((time, i) => [time, i]).filter(([time]) => !Number.isNaN(time));
  if (!known.length) return null;
  return times.map((time, i) => {
    if (!Number.isNaN(time)) return time;
    const before = known.filter(([, k]) => k < i).pop();
    const after = known.find(([, k]) => k > i);
    if (before && after) return before[0] + ((after[0] - before[0]) * (i - before[1])) / (after[1] - before[1]);
    return (before || after)[0] + (before ? 0.1 : -0.1) * Math.abs(i - (before || after)[1]);
  });
}

/* -- the picture ----------------------------------------------------------------------------- */

function overview() {
  const box = make("figure", "pr-overview");
  const caption = make("figcaption", "", "一条线是一件事，圆圈里的数字对着下面的步骤；点圆圈看依据和原文。");
  const picture = make("div", "pr-picture");
  const legend = make("ul", "ch-legend");
  legend.setAttribute("aria-hidden", "true");
  for (const [name, words] of LEGEND) legend.append(add(make("li"), make("span", `pr-key pr-${name}`), make("span", "", words)));
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.max(280, Math.round(picture.clientWidth));
    if (now === width || !shown) return;
    width = now;
    picture.replaceChildren(draw(width));
  }).observe(picture);
  return add(box, caption, picture, legend);
}

function draw(width) {
  const narrow = width < 620;
  const left = narrow ? 14 : 236;
  const right = width - 18;
  const lanes = shown.matters.map((matter) => moments(matter.steps));
  const all = lanes.flatMap((times) => times || []);
  const first = Math.floor(Math.min(...all, Infinity));
  const last = Math.floor(Math.max(...all, -Infinity)) + 1;
  const dated = Number.isFinite(first);
  const rowHeight = narrow ? 66 : 48;
  const top = 34;
  const height = top + rowHeight * lanes.length + 8;
  const box = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "pr-svg", "aria-hidden": "true", focusable: "false" });
  const x = (time) => left + 14 + ((time - first) / Math.max(1, last - first)) * (right - left - 28);
  if (dated) axis(box, first, last, x, top, height);
  lanes.forEach((times, i) => {
    const matter = shown.matters[i];
    const middle = top + rowHeight * i + (narrow ? 42 : 24);
    const room = narrow ? Math.floor((width - 30) / 14) : 15;
    box.append(svg("text", { x: 4, y: narrow ? middle - 22 : middle + 5, class: "pr-name" }, `${i + 1}　${cut(matter.title, room)}`));
    const places = spread(times ? times.map(x) : matter.steps.map((_, k) => left + 14 + 30 * k), left + 12, right - 12);
    matter.steps.forEach((step, k) => {
      if (k) {
        const loose = step.guessed || !step.found || !matter.steps[k - 1].found;
        box.append(svg("line", { x1: places[k - 1], x2: places[k], y1: middle, y2: middle, class: `pr-line${loose ? " pr-loose" : ""}` }));
      }
    });
    matter.steps.forEach((step, k) => box.append(dot(step, i, k, places, middle)));
  });
  return box;
}

function axis(box, first, last, x, top, height) {
  const step = Math.max(1, Math.ceil(((last - first) * 44) / Math.max(1, x(last) - x(first))));
  for (let year = first; year <= last; year++) {
    const labelled = (year - first) % step === 0;
    box.append(svg("line", { x1: x(year), x2: x(year), y1: top - 8, y2: height - 6, class: labelled ? "pr-year" : "pr-year pr-faint" }));
    if (labelled) box.append(svg("text", { x: x(year), y: 16, class: "ch-tick ch-middle" }, String(year)));
  }
}

/** Places at least a circle apart, in order, inside the borders. */
function spread(places, from, to) {
  const gap = Math.min(24, (to - from) / Math.max(1, places.length - 1));
  const out = places.slice();
  for (let i = 0; i < out.length; i++) out[i] = Math.max(out[i], i ? out[i - 1] + gap : from);
  for (let i = out.length - 1; i >= 0; i--) out[i] = Math.min(out[i], i < out.length - 1 ? out[i + 1] - gap : to);
  return out;
}

function dot(step, lane, number, places, y) {
  const x = places[number];
  // As wide to touch as the neighbours leave room for.
  const reach = Math.min(22, ...[places[number - 1], places[number + 1]].filter((p) => p !== undefined).map((p) => Math.abs(p - x) / 2));
  const kind = !step.found ? "missing" : `${family(step)}${step.guessed ? " pr-guessed" : ""}`;
  const group = svg("g", { class: `pr-dot pr-${kind}` });
  const words = `${step.step}${step.date ? `，${readable(step)}` : ""}${step.found ? "" : "，未检得"}${step.guessed ? "，疑似" : ""}`;
  add(group, svg("title", {}, words), svg("rect", { x: x - reach, y: y - 22, width: 2 * reach, height: 44, class: "pr-touch" }),
    svg("circle", { cx: x, cy: y, r: 11, class: "pr-circle" }), svg("text", { x, y: y + 4.5, class: "pr-number" }, String(number + 1)));
  group.addEventListener("click", () => {
    const target = document.getElementById(stepId(lane, number));
    target.scrollIntoView({ block: "center" });
    target.focus({ preventScroll: true });
  });
  return group;
}

const cut = (text, most) => {
  const letters = Array.from(text.replace(/\s+/g, ""));
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
};

/* -- a lane in full -------------------------------------------------------------------------- */

function lane(matter, number) {
  const box = make("section", "pr-lane");
  const heading = make("h2", "br-name", `${number + 1}　${matter.title}`);
  heading.id = `lane-${number + 1}`;
  box.setAttribute("aria-labelledby", heading.id);
  const label = matter.label !== matter.title ? matter.label : "";
  const facts = [label.includes(matter.years) ? "" : matter.years, label, matter.kind].filter(Boolean);
  if (matter.shared.length) facts.push(`与主题共有：${matter.shared.map((word) => `“${word}”`).join("、")}`);
  const steps = make("ol", "pr-steps");
  matter.steps.forEach((step, i) => steps.append(card(step, number, i)));
  return add(box, heading, make("p", "br-soft", facts.join(" · ")), steps);
}

function card(step, laneNumber, number) {
  const kind = !step.found ? "missing" : `${family(step)}${step.guessed ? " pr-guessed" : ""}`;
  const item = make("li", `pr-step pr-${kind}`);
  item.id = stepId(laneNumber, number);
  item.tabIndex = -1;
  const head = add(make("p", "pr-head"), make("span", "pr-badge", String(number + 1)), make("strong", "", step.step),
    step.guessed ? make("span", "pr-tag", "疑似") : null, step.found ? null : make("span", "pr-tag", "未检得"));
  item.append(head);
  if (!step.found) return add(item, make("p", "br-soft", `已按${step.searched}查题名和正文，没有查到；不等于没有这一步。`));
  const when = [readable(step), step.meeting].filter(Boolean).join(" · ");
  if (when) item.append(make("p", "pr-when", when));
  if (step.results.length) {
    const line = make("p", "pr-outcome");
    line.append(make("span", "", "结果原文："));
    step.results.forEach((marker) => line.append(quoted(marker)));
    item.append(line);
  }
  for (const marker of [step.marker, ...step.more]) {
    const source = shown.sources.get(marker);
    if (source && source.quote) item.append(add(make("blockquote", "pr-quote"), quoted(marker)));
  }
  const source = shown.sources.get(step.marker);
  if (source) {
    const where = source.quote ? `《${source.title}》${source.place}` : `${source.reference || source.title}（只有目录）`;
    item.append(add(make("p", "pr-source"), link(source.link, source.quote ? `看原页：${where}` : where, "br-name")));
    if (source.low_confidence) item.append(make("p", "pr-warn", "此处识别不可靠，请以影像为准。"));
  }
  if (step.also.length) item.append(make("p", "br-soft", `并案办理：${step.also.join("、")}`));
  if (step.basis && step.basis !== "本件") item.append(basis(step));
  return item;
}

/** What ties the step to its matter, shown on tap. */
function basis(step) {
  const box = make("details", "pr-basis");
  const words = make("p", "br-soft", `${step.basis}${step.evidence ? `（${step.evidence}）` : ""}`);
  add(box, make("summary", "", "依据"), words);
  const evidence = shown.sources.get(step.evidence_marker);
  if (evidence && evidence.quote) {
    add(box, add(make("blockquote", "pr-quote"), quoted(step.evidence_marker)),
      add(make("p", "pr-source"), link(evidence.link, `看原页：《${evidence.title}》${evidence.place}`, "br-name")));
  }
  return box;
}

function quoted(marker) {
  const source = shown.sources.get(marker);
  const text = source.quote.split("\n").map((line) => line.trim()).join("");
  const open = link(source.link, `「${text}」`, "pr-words");
  open.setAttribute("aria-label", `${text}，打开原页`);
  return open;
}

frame();
window.addEventListener("popstate", load);
load();
