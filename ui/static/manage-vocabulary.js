import { add, button, card, complain, field, input, mainOf, make, once, request, say, select, send, table } from "./manage.js";

const HINTS = {
  口语: "平常的说法，几个用 / 隔开，如 电动车/电驴",
  正式用语: "文件里的说法，几个用 / 隔开，常用的写在前面",
  起始年: "四位年份，可空",
  终止年: "四位年份，可空",
  类别: "可空；地名、时期、文种、停用有专门的作用",
  除外: "含有口语词但不是一回事的词，用 / 隔开",
  说明: "给人看的话",
};
/** Rows of the shipped table shown at first: all of them are 54,000 px on a phone and 300 stops of Tab. */
const FIRST = 30;
let state = null;
let everything = false;

const tryOut = card("试一试", "mg-try");
const own = card("本馆的行", "mg-own");
const shipped = card("自带的行", "mg-shipped");
const editor = card("增加一行", "mg-edit");

/* -- try -- */
const sentence = input("", 200, "写一句问话，看哪些词会连同别的说法一起查");
const result = make("div");
result.setAttribute("aria-live", "polite");
const tryForm = make("form");
tryForm.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!sentence.value.trim()) return;
  send("api/admin/vocabulary/try", { words: sentence.value }).then((body) => {
    result.textContent = "";
    if (!body.found.length) result.append(make("p", "ad-soft", "没有认出对照表里的词，照原话查。"));
    else {
      result.append(table(["问话里的词", "连同一起查", "年份", "来源"],
        body.found.map((f) => [f.words, f.meanings.join("、"), f.years, f.source]), "试一试的结果"));
    }
  }).catch(complain);
});
const tryGo = make("button", "", "看一看");
tryGo.type = "submit";
add(tryForm, add(make("div", "ad-row mg-end"), field("问话", sentence), tryGo));
add(tryOut.body, tryForm, result);

/* -- edit -- */
const controls = {};
let editing = 0;
const form = make("form", "mg-form");
const save = make("button", "ad-main", "保存");
save.type = "submit";
const cancel = button("取消", () => edit(0, {}));
function buildForm() {
  for (const name of state.headings) {
    controls[name] = name === "方向"
      ? select([["双向", "双向：两边都能查到对方"], ["单向", "单向：只从口语查到正式用语"]])
      : input("", 400);
    const box = field(name, controls[name], HINTS[name]);
    if (["口语", "正式用语", "除外", "说明"].includes(name)) box.classList.add("mg-wide");
    form.append(box);
  }
  add(form, add(make("div", "ad-row mg-wide"), save, cancel));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = {};
    for (const name of state.headings) values[name] = controls[name].value;
    once(save, () => send("api/admin/vocabulary/put", { number: editing, values, stamp: state.stamp }).then((body) => {
      say(body.said);
      edit(0, {});
      return load();
    }));
  });
  add(editor.body, form);
  edit(0, {});
}
function edit(number, values, focus) {
  editing = number;
  editor.section.querySelector("h2").firstChild.textContent = number ? `改第 ${number} 行` : "增加一行";
  for (const [name, control] of Object.entries(controls)) control.value = values[name] || (name === "方向" ? "双向" : "");
  cancel.hidden = !number;
  if (focus) {
    editor.section.scrollIntoView({ block: "start" });
    controls["口语"].focus({ preventScroll: true });
  }
}

/* -- lists -- */
const find = input("", 40, "词");
find.type = "search";
let findTimer = 0;
find.addEventListener("input", () => {
  window.clearTimeout(findTimer);
  findTimer = window.setTimeout(() => load().catch(complain), 250);
});
const ownList = make("div");
const shippedList = make("div");
add(own.body, add(make("div", "ad-row"), field("查找（两张表一起）", find)), ownList);
add(shipped.body, make("p", "ad-soft", "随程序升级。不要的可以停用，停用记在本馆的表里。"), shippedList);

const years = (v) => (v["起始年"] || v["终止年"] ? `${v["起始年"]}—${v["终止年"]}` : "");
const words = (text) => text.split("/").join("、");
function show() {
  own.note.textContent = `${state.own_total} 行，优先于自带的`;
  ownList.textContent = "";
  if (state.file_problem) ownList.append(make("p", "mg-problem", state.file_problem));
  if (!state.own.length) {
    ownList.append(make("p", "ad-soft", state.own_total ? "没有含这个词的。" : "还没有。用上面的表单增加，或停用一条自带的。"));
  } else {
    ownList.append(table(["口语", "正式用语", "年份", "类别", "说明", ""], state.own.map((row) => {
      const change = button("改", () => edit(row.number, row.values, true));
      change.setAttribute("aria-label", `改 ${row.values["口语"]}`);
      const drop = button("删", () => {
        if (!window.confirm(`删去“${words(row.values["口语"])} — ${words(row.values["正式用语"])}”这一行？`)) return;
        once(drop, () => send("api/admin/vocabulary/drop", { number: row.number, stamp: state.stamp })
          .then((body) => { say(body.said); edit(0, {}); return load(); }));
      });
      drop.setAttribute("aria-label", `删 ${row.values["口语"]}`);
      const name = add(make("span"), words(row.values["口语"]));
      if (row.problem) name.append(make("div", "mg-problem", `没有使用：${row.problem}`));
      return [name, (row.values["方向"] === "单向" ? "→ " : "") + words(row.values["正式用语"]), years(row.values),
        row.values["类别"], row.values["说明"], add(make("span", "mg-buttons"), change, drop)];
    }), "本馆的行"));
  }
  const listed = everything ? state.shipped : state.shipped.slice(0, FIRST);
  const unseen = state.shipped_total - listed.length;
  shipped.note.textContent = unseen ? `${state.shipped_total} 行，这里列前 ${listed.length} 行` : `${state.shipped_total} 行`;
  shippedList.textContent = "";
  if (!state.shipped.length) return shippedList.append(make("p", "ad-soft", "没有含这个词的。"));
  shippedList.append(table(["口语", "正式用语", "年份", "类别", "说明", ""], listed.map((row) => {
    const v = row.values;
    const off = button("停用", () => {
      if (!window.confirm(`停用“${words(v["口语"])} — ${words(v["正式用语"])}”？`)) return;
      once(off, () => send("api/admin/vocabulary/disable", { colloquial: v["口语"], official: v["正式用语"] })
        .then((body) => { say(body.said); return load(); }));
    });
    off.setAttribute("aria-label", `停用 ${v["口语"]}`);
    return [words(v["口语"]), (v["方向"] === "单向" ? "→ " : "") + words(v["正式用语"]), row.years, v["类别"], v["说明"], off];
  }), "自带的行"));
  if (listed.length < state.shipped.length) {
    const more = button(`再列出 ${state.shipped.length - listed.length} 行`, () => {
      everything = true;
      show();
      shippedList.querySelectorAll("tbody tr")[listed.length].querySelector("button").focus();
    });
    shippedList.append(add(make("div", "ad-row"), more));
  }
  return undefined;
}

let asked = 0;
function load() {
  const mine = ++asked;
  return request(`api/admin/vocabulary?q=${encodeURIComponent(find.value.trim())}`).then((body) => {
    if (mine !== asked) return;
    const first = state === null;
    state = body;
    if (first) {
      mainOf(tryOut, editor, own, shipped);
      buildForm();
    }
    show();
  });
}
load().catch(complain);
