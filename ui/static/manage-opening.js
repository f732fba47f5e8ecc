import { READER, add, button, card, complain, field, input, mainOf, make, moment, once, request, say, select, send, table } from "./manage.js";

let state = null;
let preview = null;
let chosen = null;
const without = new Set();

const pick = card("第一步：选哪些档案", "mg-pick");
const look = card("第二步：看一遍", "mg-look");
const decide = card("第三步：登记", "mg-decide");
const clash = card("与目录矛盾", "mg-clash");
const past = card("登记过的", "mg-past");
look.section.hidden = true;
decide.section.hidden = true;

/* -- pick -- */
const form = make("form", "mg-form");
const c = {};
const law = make("p", "ad-soft mg-wide");
function buildPick() {
  c.preset = select([["", "不限"], ...state.presets.map((p) => [p.name, p.name])]);
  c.doc_type = select([["", "不限"], ...state.types.map((t) => [t, t])]);
  c.state = select([["", "不限"], ["未开放", "现在未开放"], ["未审核", "还没有审核"], ["开放", "现在开放"]]);
  c.first_year = input("", 4, "如 2015");
  c.last_year = input("", 4, "如 2020");
  for (const year of [c.first_year, c.last_year]) year.inputMode = "numeric";
  c.title = input("", 100);
  c.codes = make("textarea");
  c.codes.rows = 3;
  c.preset.addEventListener("change", () => {
    const found = state.presets.find((p) => p.name === c.preset.value);
    law.textContent = found ? `依据：${found.law}。草案、说明、请示之类不在内，限制利用的不在内；仍请逐件看过。` : "";
  });
  const go = make("button", "ad-main", "预览");
  go.type = "submit";
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    without.clear();
    chosen = {};
    for (const [name, control] of Object.entries(c)) chosen[name] = control.value;
    once(go, () => showPreview(true));
  });
  const codes = field("档号（一行一个，可从表格里整列粘贴）", c.codes);
  codes.classList.add("mg-wide");
  const title = field("题名里有", c.title);
  add(form, field("依法公布的类别", c.preset), field("文种", c.doc_type), field("现在的状态", c.state),
    field("起始年度", c.first_year), field("终止年度", c.last_year), title, codes, law,
    add(make("div", "ad-row mg-wide"), go, make("span", "ad-soft", "填了的条件要同时符合。")));
  add(pick.body, form);
}

/* -- preview -- */
function showPreview(scroll) {
  return send("api/admin/opening/preview", { ...chosen, without: [...without] }).then((body) => {
    preview = body;
    say("");
    look.section.hidden = false;
    decide.section.hidden = !body.total || body.unknown.length > 0;
    look.note.textContent = `${body.total} 件，其中现在开放的 ${body.open} 件，要注意的 ${body.warned} 件`;
    look.body.textContent = "";
    for (const code of body.unknown) look.body.append(make("p", "mg-problem", `馆藏里没有 ${code}，请改正后再预览。`));
    if (!body.total) look.body.append(make("p", "ad-soft", "没有符合条件的档案。请放宽条件。"));
    if (without.size) {
      look.body.append(add(make("div", "ad-row"), make("span", "", `已去掉 ${without.size} 件。`),
        button("都放回来", () => { without.clear(); showPreview().catch(complain); })));
    }
    if (body.total) {
      look.body.append(table(["档号", "题名", "文种", "年度", "现在", "目录", "注意", ""], body.rows.map((row) => {
        const off = button("去掉", () => { without.add(row.record); showPreview().catch(complain); });
        off.setAttribute("aria-label", `去掉 ${row.record}`);
        return [row.record, row.title, row.type, row.year, row.opening + (row.batch ? `（第 ${row.batch} 号）` : ""),
          row.catalogue || "（空）", row.warnings.length ? make("span", "mg-warn", row.warnings.join("；")) : "", off];
      }), "预览"));
      if (body.total > body.rows.length) look.body.append(make("p", "ad-soft", `这里列前 ${body.rows.length} 件；登记的是全部 ${body.total} 件。`));
    }
    goText();
    if (scroll) look.section.scrollIntoView({ block: "start" });
  });
}

/* -- decide -- */
const d = {};
let go = null;
const today = () => {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
};
function goText() {
  if (go && preview) go.textContent = `登记：${preview.total} 件定为“${d.result.value}”`;
}
function buildDecide() {
  d.result = select([["开放", "开放"], ["控制", "控制"], ["延期开放", "延期开放"], ["撤销", "撤销登记，照目录原来的"]]);
  d.reason = select([]);
  d.by = input(READER, 60);
  d.on = make("input");
  d.on.type = "date";
  d.on.value = today();
  d.on.max = today();
  d.note = input("", 500, "批准文号等；理由选“其他”时必填");
  const reasons = () => {
    d.reason.textContent = "";
    for (const reason of state.reasons[d.result.value]) {
      const option = make("option", "", reason);
      option.value = reason;
      d.reason.append(option);
    }
    goText();
  };
  d.result.addEventListener("change", reasons);
  const box = make("form", "mg-form");
  go = make("button", "ad-main", "登记");
  go.type = "submit";
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!d.by.value.trim()) {
      say("请写明由谁审核决定。", true);
      d.by.focus();
      return;
    }
    if (!window.confirm(`把 ${preview.total} 件定为“${d.result.value}”，由 ${d.by.value.trim()} 决定？立即生效。`)) return;
    once(go, () => send("api/admin/opening/decide", {
      ...chosen, without: [...without], stamp: preview.stamp, result: d.result.value, reason: d.reason.value,
      by: d.by.value, on: d.on.value, note: d.note.value,
    }).then((body) => {
      say(body.said);
      look.section.hidden = true;
      decide.section.hidden = true;
      preview = null;
      return load().then(() => past.section.scrollIntoView({ block: "start" }));
    }));
  });
  const note = field("说明", d.note);
  note.classList.add("mg-wide");
  add(box, field("审核结果", d.result), field("理由", d.reason), field("由谁审核决定", d.by), field("审核日期", d.on), note,
    add(make("div", "ad-row mg-wide"), go));
  add(decide.body, box);
  reasons();
}

/* -- past -- */
function showPast() {
  past.note.textContent = `${state.batches.length} 次；现在馆藏 ${state.records} 件，开放 ${state.open} 件`;
  past.body.textContent = "";
  if (!state.batches.length) past.body.append(make("p", "ad-soft", "还没有登记过。"));
  const list = make("ul", "ad-list ad-open");
  for (const batch of state.batches) {
    const words = make("div");
    const force = batch.in_force === batch.count ? "" : `，现仍生效 ${batch.in_force} 件`;
    add(words, make("span", `ad-tag mg-${batch.result === "开放" ? "good" : "hint"}`, batch.result),
      make("span", "", `第 ${batch.number} 号 · ${batch.count} 件${force} · ${batch.selection}`),
      make("div", "ad-soft", `${batch.decided} ${batch.decided_by} 决定；理由：${batch.reason}${batch.note ? "，" + batch.note : ""}（${batch.entered_by} ${moment(batch.entered)} 登记）`));
    const more = make("details", "ad-wide");
    const inside = make("div");
    add(more, make("summary", "", "是哪些件，撤销"), inside);
    more.addEventListener("toggle", () => { if (more.open && !inside.firstChild) showBatch(batch, inside); });
    list.append(add(make("li"), words, more));
  }
  past.body.append(list);
}
function showBatch(batch, box) {
  request(`api/admin/opening/${batch.number}`).then((body) => {
    box.append(table(["档号", "题名", "结果", ""], body.rows.map((row) => [
      row.record, row.title || "（已不在馆藏）", row.result, row.in_force ? "" : "后来另有登记",
    ]), `第 ${batch.number} 号的档案`));
    if (body.total > body.rows.length) box.append(make("p", "ad-soft", `这里列前 ${body.rows.length} 件，共 ${body.total} 件。`));
    if (!batch.in_force) return;
    const by = input(READER, 60);
    const note = input("", 500, "为什么撤销");
    const form = make("form", "mg-form");
    const off = make("button", "", `撤销第 ${batch.number} 号`);
    off.type = "submit";
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      once(off, () => send("api/admin/opening/undo", { number: batch.number, by: by.value, note: note.value })
        .then((answer) => { say(answer.said); return load(); }));
    });
    add(form, field("由谁决定撤销", by), field("原因", note), add(make("div", "ad-row mg-wide"), off));
    box.append(form);
  }).catch(complain);
}
function showClash() {
  const { total, rows } = state.conflicts;
  clash.section.hidden = !total;
  clash.note.textContent = `${total} 件，现按严的一方`;
  clash.body.textContent = "";
  if (!total) return;
  add(clash.body, make("p", "ad-soft", "登记之后目录改得与登记相反，或同一档号换了题名。请核对后重新登记。"),
    table(["档号", "题名", "登记", "矛盾", ""], rows.map((row) => {
      const again = button("选这一件", () => {
        for (const control of Object.values(c)) control.value = "";
        c.codes.value = row.record;
        form.requestSubmit();
      });
      again.setAttribute("aria-label", `重新登记 ${row.record}`);
      return [row.record, row.title, `第 ${row.batch} 号 ${row.result}`, row.why, again];
    }), "与目录矛盾的"));
}

function load() {
  return request("api/admin/opening").then((body) => {
    const first = state === null;
    state = body;
    if (first) {
      mainOf(clash, pick, look, decide, past);
      buildPick();
      buildDecide();
    }
    showClash();
    showPast();
  });
}
load().catch(complain);
