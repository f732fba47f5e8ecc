/* The ingest page: asks for the state every second while something goes on, for the lists when
   something changed. File names and reasons only ever go into textContent. */
import { stackedBar } from "./charts.js";
import { BASE, add, button, make } from "./dom.js";
import { card, request, send } from "./panel.js";

(function () {
  "use strict";

  const BUSY_MS = 1000;
  const IDLE_MS = 5000;
  const PHASES = {
    idle: "现在没有入库在运行。",
    starting: "正在启动……",
    running: "正在入库。",
    paused: "已暂停。",
    stopping: "正在停下，手上的做完即停。",
    indexing: "文件已入库，正在建索引；建好之前，新入库的还查不到。",
    failed: "上一次没有做成，原因见下。",
  };
  const LOST = "连不上服务器，正在重试……入库本身不受影响。";
  const BAD = ["失败", "部分不可读", "待审核", "不予入库", "格式不支持"];

  function duration(seconds) {
    const s = Math.max(0, Math.round(seconds));
    if (s < 60) return `${s} 秒`;
    if (s < 3600) return `${Math.floor(s / 60)} 分 ${s % 60} 秒`;
    return `${Math.floor(s / 3600)} 小时 ${Math.floor((s % 3600) / 60)} 分`;
  }

  const moment = (iso) => iso.slice(0, 16).replace("T", " ");

  /* -- what is said after a press -------------------------------------------------------------- */

  const said = make("div", "ad-said");
  said.setAttribute("role", "status");
  let saidTimer = 0;
  function say(text, wrong) {
    said.textContent = text;
    said.classList.toggle("ad-wrong", Boolean(wrong));
    window.clearTimeout(saidTimer);
    saidTimer = window.setTimeout(() => { said.textContent = ""; }, wrong ? 9000 : 5000);
  }

  function act(action, body) {
    return send(`api/admin/ingest/${action}`, body).then(
      (answer) => { say(answer.said); poll(true); return true; },
      (error) => { say(error.shown ? error.message : LOST, true); poll(true); return false; }
    );
  }

  /* -- the frame ------------------------------------------------------------------------------- */

  const parts = {};

  function frame() {
    const main = document.getElementById("ad-main");
    main.replaceChildren(...main.querySelectorAll(".cd-title"));
    parts.run = card("进度", "ad-run");
    parts.start = card("入库一个文件夹", "ad-start");
    parts.dead = card("没有读全的文件", "ad-dead");
    parts.held = card("等待审核", "ad-held");
    parts.reports = card("入库报告", "ad-reports");
    parts.coverage = card("馆藏覆盖", "ad-coverage");
    for (const part of Object.values(parts)) main.append(part.section);
    document.body.append(said);
    runFrame();
    startFrame();
  }

  function runFrame() {
    const run = parts.run;
    run.phase = make("p", "ad-phase");
    run.phase.setAttribute("role", "status");
    run.bar = make("progress");
    run.bar.max = 1;
    run.bar.setAttribute("aria-label", "已完成");
    run.facts = make("dl", "ad-facts");
    run.current = make("p", "ad-current ad-soft");
    run.log = make("pre");
    run.counts = make("ul", "ad-chips");
    run.counts.setAttribute("aria-label", "全部文件");
    run.pause = button("暂停", () => act("pause"));
    run.resume = button("继续", () => act("resume"), "ad-main");
    run.stop = button("停止", () => act("stop"));
    const row = add(make("div", "ad-row"), run.pause, run.resume, run.stop);
    run.controls = row;
    add(run.body, run.phase, run.bar, run.facts, run.current, row, run.log, run.counts);
  }

  function startFrame() {
    const start = parts.start;
    start.choice = make("select");
    start.choice.setAttribute("aria-label", "要入库的文件夹");
    const tick = make("label", "ad-tick");
    start.force = make("input");
    start.force.type = "checkbox";
    add(tick, start.force, make("span", "", "没变的文件也重新处理"));
    start.check = button("先预览", () => act("check", { source: start.choice.value }));
    start.go = button("开始入库", () =>
      act("start", { source: start.choice.value, force: start.force.checked }), "ad-main");
    start.none = make("p", "ad-soft",
      "还没有可选的文件夹。请先在命令行运行 chadang ingest 目录，或请管理员在设置 ingest_roots 里写上放档案的文件夹。");
    start.preview = make("div");
    start.preview.setAttribute("aria-live", "polite");
    start.row = add(make("div", "ad-row"), start.choice, start.check, start.go, tick);
    add(start.body, start.none, start.row, start.preview);
  }

  /* -- the run --------------------------------------------------------------------------------- */

  function fact(list, name, value) {
    add(list, add(make("div"), make("dt", "", name), make("dd", "", value)));
  }

  function showRun(state) {
    const run = parts.run;
    const going = ["running", "paused", "stopping"].includes(state.phase);
    const busy = going || state.phase === "starting" || state.phase === "indexing";
    setText(run.phase, PHASES[state.phase] || state.phase);
    setText(run.note, state.run ? [`第 ${state.run.number} 次`, state.run.state, `${moment(state.run.started)} 开始`,
      state.run.finished ? `${moment(state.run.finished)} 结束` : ""].filter(Boolean).join(" · ") : "");
    const progress = state.run && state.run.progress;
    run.bar.hidden = !busy;
    if (going && progress) run.bar.value = progress.share;
    else run.bar.removeAttribute("value");
    run.facts.textContent = "";
    run.facts.hidden = !progress;
    if (progress) {
      fact(run.facts, "文件", `${progress.files_done} / ${progress.files_total}`);
      fact(run.facts, "读了页", String(progress.pages_done));
      fact(run.facts, "文字 / 识别", `${progress.pages_done - progress.ocr_pages} / ${progress.ocr_pages}`);
      fact(run.facts, "速度", `${progress.pages_per_s.toFixed(1)} 页/秒`);
      if (going && progress.eta_s !== null) fact(run.facts, "约剩", duration(progress.eta_s));
    }
    const current = going && progress && progress.current ? `正在处理 ${progress.current}` : "";
    setText(run.current, current || (state.run ? `来源：${state.run.source}` : ""));
    run.controls.hidden = !going;
    run.pause.hidden = state.phase !== "running";
    run.resume.hidden = state.phase !== "paused";
    run.stop.disabled = state.phase === "stopping";
    run.log.hidden = !state.said;
    setText(run.log, state.said.split("\n").slice(-12).join("\n"));
    run.counts.textContent = "";
    for (const [name, count] of Object.entries(state.counts)) {
      run.counts.append(make("li", BAD.includes(name) ? "ad-bad" : "", `${name} ${count}`));
    }
    run.counts.append(make("li", state.index === "与馆藏一致" ? "" : "ad-bad", `索引${state.index}`));
    const none = parts.start.choice.options.length === 0;
    parts.start.go.disabled = busy || none;
    parts.start.check.disabled = state.check.state === "running" || none;
    document.querySelectorAll("[data-retry]").forEach((b) => { b.disabled = busy; });
  }

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  let shownCheck = "";
  function showCheck(check) {
    const key = `${check.state} ${check.source} ${check.text.length}`;
    if (key === shownCheck) return;
    shownCheck = key;
    const box = parts.start.preview;
    box.textContent = "";
    if (check.state === "none") return;
    add(box, add(make("h3"), "预览：", make("span", "ad-name", check.source)));
    if (check.state === "running") add(box, make("p", "ad-soft", "正在看目录表和文件，什么也不写……"));
    if (check.text) {
      const text = make("pre", "", check.text);
      text.tabIndex = 0;
      text.setAttribute("aria-label", "预览结果");
      add(box, text);
    }
    if (check.file) add(box, download(check.file, "下载全部清单（.xlsx）"));
  }

  function download(name, text) {
    const link = make("a", "ad-link", text);
    link.href = `${BASE}admin/reports/${encodeURIComponent(name)}`;
    if (name.endsWith(".html")) link.target = "_blank";
    return link;
  }

  /* -- the lists ------------------------------------------------------------------------------- */

  function showDetails(details) {
    showSources(details.sources);
    showDead(details.dead);
    showHeld(details.held, details.decided);
    showReports(details.reports);
    showCoverage(details.coverage);
  }

  function showSources(sources) {
    const choice = parts.start.choice;
    const before = choice.value;
    choice.textContent = "";
    for (const source of sources) {
      const option = make("option", "", source);
      option.value = source;
      choice.append(option);
    }
    if (sources.includes(before)) choice.value = before;
    parts.start.none.hidden = sources.length > 0;
    parts.start.row.hidden = sources.length === 0;
  }

  function rest(list, total, where) {
    const shown = list.children.length;
    return total > shown ? make("p", "ad-soft", `这里列前 ${shown} 个，共 ${total} 个；全部见${where}。`) : null;
  }

  function showDead(dead) {
    const { note, body } = parts.dead;
    setText(note, dead.total ? `${dead.total} 个` : "");
    body.textContent = "";
    if (!dead.total) {
      body.append(make("p", "ad-soft", "没有。"));
      return;
    }
    const all = button("全部重试", () => act("retry"));
    all.dataset.retry = "";
    const list = make("ul", "ad-list");
    for (const job of dead.rows) {
      const words = make("div");
      add(words, make("span", "ad-tag", job.state), make("span", "ad-name", job.path),
        make("div", "ad-soft", `${job.error}${job.next_step ? "。" + job.next_step : ""}（试过 ${job.attempts} 次）`));
      const again = button("重试", () => act("retry", { place: job.place }));
      again.dataset.retry = "";
      again.setAttribute("aria-label", `重试 ${job.path}`);
      list.append(add(make("li"), words, again));
    }
    add(body, add(make("div", "ad-row"), all), list, rest(list, dead.total, "入库报告"));
  }

  function showHeld(held, decided) {
    const { note, body } = parts.held;
    // A form somebody is filling in is not taken away from under their hands.
    const typed = body.contains(document.activeElement) && document.activeElement.tagName === "INPUT";
    if (typed) return;
    setText(note, held.total ? `${held.total} 件，决定之前不入库` : "");
    body.textContent = "";
    if (!held.total) body.append(make("p", "ad-soft", "没有等待审核的。"));
    const list = make("ul", "ad-list ad-open");
    for (const item of held.rows) list.append(heldRow(item, true));
    add(body, list, rest(list, held.total, "入库报告"));
    if (decided.total) {
      const old = make("details");
      const before = make("ul", "ad-list");
      for (const item of decided.rows) before.append(heldRow(item, false));
      add(old, make("summary", "", `已决定的 ${decided.total} 件`), before, rest(before, decided.total, "入库报告"));
      body.append(old);
    }
  }

  function heldRow(item, open) {
    const row = make("li");
    const words = make("div");
    add(words, make("span", "ad-tag", `第 ${item.number} 号`), make("span", "ad-name", item.place),
      make("div", "ad-soft", `${item.reason}，${item.grade}`));
    for (const d of item.decisions) {
      const paper = d.paper ? `，依据 ${d.paper}` : "";
      words.append(make("div", "ad-soft", `${moment(d.at)} ${d.by} 决定${d.decision}：${d.reason}${paper}`));
    }
    const form = decisionForm(item);
    if (open) return add(row, words, form);
    const again = make("details", "ad-wide");
    add(again, make("summary", "", "改变决定"), form);
    return add(row, words, again);
  }

  function decisionForm(item) {
    const form = make("form");
    const field = (name, value, hint) => {
      const label = make("label", "", name);
      const input = make("input");
      input.type = "text";
      input.value = value;
      input.maxLength = 500;
      if (hint) input.placeholder = hint;
      label.append(input);
      form.append(label);
      return input;
    };
    const by = field("由谁决定", document.body.dataset.reader || "");
    const reason = field("理由", "", "核对原件后写明");
    const paper = item.paper ? field("解密决定文号（放行必填）", "") : null;
    const decide = (decision) => {
      if (!by.value.trim() || !reason.value.trim()) {
        say("请写明由谁决定和理由。", true);
        (by.value.trim() ? reason : by).focus();
        return;
      }
      document.activeElement.blur();
      act("decide", {
        number: item.number, decision, by: by.value, reason: reason.value,
        paper: paper ? paper.value : "",
      });
    };
    const release = button("放行", () => decide("放行"));
    const withhold = button("不予入库", () => decide("不予入库"), "ad-main");
    release.setAttribute("aria-label", `第 ${item.number} 号放行`);
    withhold.setAttribute("aria-label", `第 ${item.number} 号不予入库`);
    form.addEventListener("submit", (event) => event.preventDefault());
    return add(form, add(make("div", "ad-row"), withhold, release));
  }

  function showReports(reports) {
    const { body } = parts.reports;
    body.textContent = "";
    if (!reports.length) {
      body.append(make("p", "ad-soft", "还没有。每次入库结束时写一份。"));
      return;
    }
    const list = make("ul", "ad-list");
    for (const report of reports) {
      const links = add(make("div", "ad-row"), download(report.html, "打开、打印"), download(report.xlsx, "下载表格"));
      list.append(add(make("li"), make("span", "", `第 ${report.run} 次入库 · ${report.at}`), links));
    }
    body.append(list);
  }

  /* -- coverage -------------------------------------------------------------------------------- */

  function showCoverage(coverage) {
    const { note, body } = parts.coverage;
    note.textContent = "";
    add(note, make("span", "ad-key ad-fill"), "有可查的文字", make("span", "ad-key ad-rest"), "只有目录或读不出");
    body.textContent = "";
    const charts = make("div", "ad-charts");
    for (const [heading, groups] of Object.entries(coverage)) {
      const most = Math.max(1, ...groups.map((group) => group.records));
      const table = make("table");
      const head = make("tr");
      for (const name of [heading, "", "件", "有文字", "页"]) {
        const cell = make("th", "", name);
        cell.scope = "col";
        head.append(cell);
      }
      const rows = make("tbody");
      for (const group of groups) {
        const name = make("th", "", group.name);
        name.scope = "row";
        const drawn = make("td", "ad-bar");
        drawn.append(stackedBar([[group.readable, "ad-fill"], [group.records - group.readable, "ad-rest"]], most));
        add(rows, add(make("tr"), name, drawn, make("td", "", String(group.records)),
          make("td", "", String(group.readable)), make("td", "", String(group.pages))));
      }
      add(table, add(make("thead"), head), rows);
      const box = make("div", "ad-chart");
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `按${heading}`);
      charts.append(add(box, groups.length ? table : make("p", "ad-soft", "还没有馆藏。")));
    }
    body.append(charts);
  }

  /* -- asking ---------------------------------------------------------------------------------- */

  let timer = 0;
  let stamp = "";
  let asked = 0;

  function poll(now) {
    window.clearTimeout(timer);
    if (!now && document.hidden) { // asked again when the page is looked at
      timer = window.setTimeout(poll, IDLE_MS);
      return;
    }
    const mine = ++asked;
    request("api/admin/ingest").then((state) => {
      if (mine !== asked) return undefined;
      const busy = !["idle", "failed"].includes(state.phase) || state.check.state === "running";
      timer = window.setTimeout(poll, busy ? BUSY_MS : IDLE_MS);
      const changed = state.stamp !== stamp;
      stamp = state.stamp;
      const shown = () => { showRun(state); showCheck(state.check); };
      if (!changed) return shown();
      return request("api/admin/ingest/details").then((details) => { showDetails(details); shown(); });
    }).catch((error) => {
      if (mine !== asked) return;
      stamp = "";
      setText(parts.run.phase, error.shown ? error.message : LOST);
      timer = window.setTimeout(poll, IDLE_MS);
    });
  }

  frame();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(true); });
  poll(true);
})();
