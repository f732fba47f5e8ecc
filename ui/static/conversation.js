/* Around the chat: conditions beside the question, kept conversations, and the line to the server.
   Foreign text only ever goes into textContent; addresses are relative to app.js. */
(function () {
  "use strict";

  const { BASE, make, button, fetchJson, toast, command, put, hiddenBox, questionBox, isBusy } = window.Chadang;
  const CONDITIONS = ["types", "sessions", "fonds", "departments"];
  const PING_MS = 15000;
  const RETRY_MS = 3000;
  const KEPT = "chadang-conversation";
  const DRAFT = "chadang-draft";

  const T = {
    limit: "限定范围",
    limits: "检索条件",
    from: "从",
    to: "到",
    badYear: "年度请写四位数字，例如 2018。",
    any: "不限",
    add: (name) => `${name}（可选几项）`,
    clear: "全部清除",
    done: "完成",
    off: (name) => `去掉条件：${name}`,
    years: (first, last) => (first && last ? (first === last ? `${first}年` : `${first}—${last}年`) : first ? `${first}年以后` : `${last}年以前`),
    count: (row) => `${row.value}（${row.records} 件）`,
    none: "还没有选条件，在全部可查的档案里查。",
    active: (count) => `限定范围（${count}）`,
    history: "历史",
    historyTitle: "历史对话",
    close: "关闭",
    search: "在问题和名称里找",
    empty: "还没有历史对话。提过的问题会自动记在这里。",
    nothing: "没有找到这样的对话。",
    notKept: "这里不保留历史对话。",
    keptFor: (days) => `对话保留 ${days} 天，只有您自己看得到。`,
    open: (title) => `打开：${title}`,
    rename: "改名",
    renameLabel: (title) => `改名：${title}`,
    remove: "删除",
    removeLabel: (title) => `删除：${title}`,
    sure: "确定删除？",
    save: "保存",
    cancel: "取消",
    removed: "已删除",
    removeAll: "全部删除",
    sureAll: "确定全部删除？",
    asked: (row) => `${row.exchanges} 问 · ${when(row.changed)}`,
    failed: "暂时办不到，请稍后再试。",
    busy: "请等这一问答完。",
    offline: "与服务器的连接断了，正在重试。您写的问题还在。",
    retry: "立即重试",
    back: "已重新连上。",
  };

  function when(text) {
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) return "";
    const two = (number) => String(number).padStart(2, "0");
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
  }

  function remember(name, value) {
    try {
      if (value) window.sessionStorage.setItem(name, value);
      else window.sessionStorage.removeItem(name);
    } catch (error) { /* storage may be switched off */ }
  }

  function recall(name) {
    try { return window.sessionStorage.getItem(name) || ""; } catch (error) { return ""; }
  }

  /* A second press does it; the first asks. */
  function twice(className, text, sure, label, action) {
    const element = button(className, text, () => {
      if (element.dataset.sure) {
        action();
        return;
      }
      element.dataset.sure = "1";
      element.textContent = sure;
      element.classList.add("cd-danger");
      window.setTimeout(reset, 4000);
    }, label);
    const reset = () => {
      delete element.dataset.sure;
      element.textContent = text;
      element.classList.remove("cd-danger");
    };
    return element;
  }

  function post(path, body) {
    return fetch(BASE + path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body || {}),
    }).then((response) =>
      response.json().then((answer) => {
        if (response.ok) return answer;
        const error = new Error(String(response.status));
        error.shown = String(answer.detail || "");
        throw error;
      })
    );
  }

  /* purpose.js says when: a purpose may have to be stated first. */
  function reopen(id) {
    document.dispatchEvent(new CustomEvent("chadang-reopen", { detail: () => {
      if (command(`o-${id}`)) remember(KEPT, id);
      else toast(T.busy);
    } }));
  }

  /* Two scripts fill the line above the box and either may be first; the purpose stays last. */
  function ahead(row, element) {
    row.insertBefore(element, row.querySelector(":scope > .cd-purpose-bar"));
  }

  /* -- conditions -------------------------------------------------------------------------- */

  const limits = {
    chosen: { first_year: null, last_year: null, types: [], sessions: [], fonds: [], departments: [] },
    facets: null,
    panel: null,
    chips: null,
    opener: null,
    names: { years: "年度", types: "文种", sessions: "届次", fonds: "全宗", departments: "部门" },

    build(row) {
      this.opener = button("cd-pill", T.limit, () => this.toggle());
      this.opener.id = "cd-limit";
      this.opener.setAttribute("aria-expanded", "false");
      this.opener.setAttribute("aria-controls", "cd-limits");
      this.chips = make("div", "cd-limit-chips");
      this.panel = make("section", "cd-limits");
      this.panel.id = "cd-limits";
      this.panel.hidden = true;
      this.panel.setAttribute("aria-label", T.limits);
      this.panel.addEventListener("keydown", (event) => {
        if (event.key === "Escape") this.toggle();
      });
      ahead(row, this.opener);
      row.before(this.panel);
      row.after(this.chips);
    },

    toggle() {
      const open = this.panel.hidden;
      this.panel.hidden = !open;
      this.opener.setAttribute("aria-expanded", String(open));
      if (!open) {
        this.opener.focus();
        return;
      }
      if (this.facets) {
        this.fill();
        return;
      }
      this.panel.replaceChildren(make("p", "cd-limit-note", "正在打开…"));
      fetchJson("api/facets").then(
        (facets) => {
          this.facets = facets;
          this.fill();
        },
        (error) => this.panel.replaceChildren(make("p", "cd-limit-note", error.shown || T.failed))
      );
    },

    fill() {
      const grid = make("div", "cd-limit-grid");
      const years = make("fieldset", "cd-limit-years");
      years.appendChild(make("legend", "", this.names.years));
      const held = this.facets.years;
      const first = held.length ? held[0].value : "";
      const last = held.length ? held[held.length - 1].value : "";
      years.append(this.yearBox("first_year", T.from, first), this.yearBox("last_year", T.to, last));
      grid.appendChild(years);
      CONDITIONS.forEach((name) => {
        if (!this.facets[name].length) return;
        const label = make("label", "cd-limit-field");
        label.appendChild(make("span", "", this.names[name]));
        const select = make("select");
        const first = make("option", "", T.any);
        first.value = "";
        select.appendChild(first);
        this.facets[name].forEach((row) => {
          const option = make("option", "", T.count(row));
          option.value = row.value;
          select.appendChild(option);
        });
        select.addEventListener("change", () => {
          if (select.value && !this.chosen[name].includes(select.value)) this.chosen[name].push(select.value);
          select.value = "";
          this.changed();
        });
        label.appendChild(select);
        grid.appendChild(label);
      });
      const actions = make("div", "cd-limit-actions");
      actions.append(
        button("cd-button", T.clear, () => {
          this.chosen = { first_year: null, last_year: null, types: [], sessions: [], fonds: [], departments: [] };
          this.changed();
          this.fill();
        }),
        button("cd-button cd-primary", T.done, () => this.toggle())
      );
      this.panel.replaceChildren(grid, actions);
      this.panel.querySelector("input").focus();
    },

    yearBox(name, heading, hint) {
      const label = make("label", "cd-limit-year");
      label.appendChild(make("span", "", heading));
      const input = make("input");
      input.type = "text";
      input.inputMode = "numeric";
      input.maxLength = 4;
      input.placeholder = hint;
      input.setAttribute("aria-label", `${this.names.years}${heading}`);
      input.value = this.chosen[name] || "";
      input.addEventListener("change", () => {
        const text = input.value.trim();
        const fine = text === "" || /^[12]\d{3}$/.test(text);
        input.setAttribute("aria-invalid", String(!fine));
        if (!fine) {
          toast(T.badYear);
          return;
        }
        this.chosen[name] = text ? Number(text) : null;
        const { first_year: first, last_year: last } = this.chosen;
        if (first && last && first > last) [this.chosen.first_year, this.chosen.last_year] = [last, first];
        this.changed();
      });
      label.appendChild(input);
      return label;
    },

    rows() {
      const { first_year: first, last_year: last } = this.chosen;
      const rows = [];
      if (first || last) {
        rows.push({ said: `${this.names.years}：${T.years(first, last)}`, off: () => {
          this.chosen.first_year = this.chosen.last_year = null;
        } });
      }
      CONDITIONS.forEach((name) => this.chosen[name].forEach((value) => rows.push({
        said: `${this.names[name]}：${value}`,
        off: () => { this.chosen[name] = this.chosen[name].filter((one) => one !== value); },
      })));
      return rows;
    },

    changed() {
      const rows = this.rows();
      this.opener.textContent = rows.length ? T.active(rows.length) : T.limit;
      this.opener.classList.toggle("cd-on", rows.length > 0);
      this.chips.replaceChildren(...rows.map((row) =>
        button("cd-limit-chip", row.said, () => {
          row.off();
          this.changed();
          if (!this.panel.hidden) this.fill();
        }, T.off(row.said))
      ));
      const box = hiddenBox("cd-filters");
      if (!box) return;
      const body = {};
      Object.keys(this.chosen).forEach((name) => {
        const value = this.chosen[name];
        if (Array.isArray(value) ? value.length : value) body[name] = value;
      });
      put(box, rows.length ? JSON.stringify(body) : "");
    },

    /* A condition was taken off at an answer: then it does not come back with the next question. */
    takenOff(said) {
      const row = this.rows().find((one) => said.trim() === `只查${one.said}`);
      if (!row) return;
      row.off();
      this.changed();
    },
  };

  /* -- history ----------------------------------------------------------------------------- */

  const past = {
    dialog: null,

    build() {
      if (this.dialog) return;
      const dialog = make("dialog", "cd-past");
      dialog.setAttribute("aria-labelledby", "cd-past-title");
      const head = make("header", "cd-drawer-head");
      const title = make("h2", "cd-drawer-title", T.historyTitle);
      title.id = "cd-past-title";
      head.append(title, button("cd-close", T.close, () => dialog.close()));
      this.search = make("input", "cd-past-search");
      this.search.type = "search";
      this.search.placeholder = T.search;
      this.search.setAttribute("aria-label", T.search);
      let timer = 0;
      this.search.addEventListener("input", () => {
        window.clearTimeout(timer);
        timer = window.setTimeout(() => this.load(), 250);
      });
      this.list = make("div", "cd-past-list");
      this.foot = make("footer", "cd-past-foot");
      dialog.append(head, this.search, this.list, this.foot);
      dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
      dialog.addEventListener("close", () => { if (this.opener && this.opener.isConnected) this.opener.focus(); });
      document.body.appendChild(dialog);
      this.dialog = dialog;
    },

    open(opener) {
      this.build();
      this.opener = opener;
      this.search.value = "";
      this.list.replaceChildren();
      this.dialog.showModal();
      this.load();
    },

    load() {
      const words = this.search.value.trim();
      fetchJson(`api/history?q=${encodeURIComponent(words)}`).then(
        (found) => this.draw(found, words),
        (error) => this.list.replaceChildren(make("p", "cd-past-empty", error.shown || T.failed))
      );
    },

    draw(found, words) {
      this.search.hidden = !found.kept;
      this.foot.replaceChildren();
      if (!found.kept) {
        this.list.replaceChildren(make("p", "cd-past-empty", T.notKept));
        return;
      }
      this.foot.appendChild(make("p", "", T.keptFor(found.days)));
      if (found.conversations.length && !words) {
        this.foot.appendChild(twice("cd-button", T.removeAll, T.sureAll, "", () =>
          post("api/history/delete").then(() => {
            remember(KEPT, "");
            this.load();
          }, (error) => toast(error.shown || T.failed))
        ));
      }
      if (!found.conversations.length) {
        this.list.replaceChildren(make("p", "cd-past-empty", words ? T.nothing : T.empty));
        return;
      }
      this.list.replaceChildren(...found.conversations.map((row) => this.row(row)));
    },

    row(row) {
      const element = make("article", "cd-past-row");
      const open = button("cd-past-open", "", () => {
        if (isBusy()) {
          toast(T.busy);
          return;
        }
        this.dialog.close();
        reopen(row.id);
      });
      open.setAttribute("aria-label", T.open(row.title));
      open.append(make("span", "cd-past-name", row.title), make("small", "", T.asked(row)));
      const actions = make("div", "cd-past-actions");
      actions.append(
        button("cd-button", T.rename, () => this.rename(element, row), T.renameLabel(row.title)),
        twice("cd-button", T.remove, T.sure, T.removeLabel(row.title), () =>
          post(`api/history/${row.id}/delete`).then(() => {
            if (recall(KEPT) === row.id) remember(KEPT, "");
            toast(T.removed);
            this.load();
          }, (error) => toast(error.shown || T.failed))
        )
      );
      element.append(open, actions);
      return element;
    },

    rename(element, row) {
      const form = make("form", "cd-past-rename");
      const input = make("input");
      input.value = row.title;
      input.maxLength = 60;
      input.setAttribute("aria-label", T.renameLabel(row.title));
      const save = make("button", "cd-button cd-primary", T.save);
      form.append(input, save, button("cd-button", T.cancel, () => this.load()));
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        post(`api/history/${row.id}/rename`, { title: input.value }).then(
          () => this.load(),
          (error) => toast(error.shown || T.failed)
        );
      });
      element.replaceChildren(form);
      input.select();
    },
  };

  /* -- the line to the server -------------------------------------------------------------- */

  const line = {
    started: "",
    down: false,
    timer: 0,

    ping() {
      window.clearTimeout(this.timer);
      return fetch(`${BASE}api/ping`, { cache: "no-store" })
        .then((response) => (response.ok ? response.json() : Promise.reject(new Error("down"))))
        .then((body) => this.up(body.started), () => this.lost())
        .then(() => { this.timer = window.setTimeout(() => this.check(), this.down ? RETRY_MS : PING_MS); });
    },

    check() {
      if (document.visibilityState === "visible" || this.down) this.ping();
      else this.timer = window.setTimeout(() => this.check(), PING_MS);
    },

    up(started) {
      const renewed = this.started && started !== this.started;
      this.started = started;
      if (renewed) {
        // the new server knows nothing of this page: open it anew where it was
        const box = questionBox();
        remember(DRAFT, (box && box.value) || this.unanswered());
        window.location.reload();
        return;
      }
      if (!this.down) return;
      this.down = false;
      if (this.banner) this.banner.remove();
      toast(T.back);
    },

    /* The question that was under way when the line broke. */
    unanswered() {
      if (!isBusy()) return "";
      const questions = document.querySelectorAll("#cd-chat [data-testid=user]");
      const last = questions[questions.length - 1];
      return last ? last.innerText.trim() : "";
    },

    lost() {
      if (this.down) return;
      this.down = true;
      this.banner = make("div", "cd-offline");
      this.banner.setAttribute("role", "alert");
      this.banner.append(make("span", "", T.offline), button("cd-button", T.retry, () => this.ping()));
      const header = document.querySelector(".cd-header");
      if (header) header.after(this.banner);
      else document.body.prepend(this.banner);
    },

    watch() {
      this.ping();
      window.addEventListener("offline", () => this.lost());
      window.addEventListener("online", () => this.ping());
      document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") this.ping(); });
      // an answer that does not come is looked into sooner
      window.setInterval(() => { if (isBusy() && !this.down) this.ping(); }, 5000);
    },
  };

  /* -- together ---------------------------------------------------------------------------- */

  function build() {
    const row = document.querySelector("#cd-mode");
    if (!row || !questionBox() || !hiddenBox("cd-without") || document.getElementById("cd-limit")) return false;
    limits.build(row);
    const history = button("cd-pill", T.history, () => past.open(history));
    history.id = "cd-history";
    ahead(row, history);
    const draft = recall(DRAFT);
    remember(DRAFT, "");
    if (draft) put(questionBox(), draft);
    const kept = recall(KEPT);
    if (kept && !window.location.hash) {
      fetchJson("api/history").then((found) => {
        if (found.conversations.some((one) => one.id === kept)) reopen(kept);
      }, () => undefined);
    }
    return true;
  }

  document.addEventListener("chadang-answer", (event) => {
    if (event.detail.conversation) remember(KEPT, event.detail.conversation);
  });
  document.addEventListener("chadang-taken-off", (event) => limits.takenOff(event.detail));
  document.addEventListener("click", (event) => {
    if (event.target.closest && event.target.closest("#cd-new")) remember(KEPT, "");
  });

  line.watch();
  const waiting = new MutationObserver(() => { if (build()) waiting.disconnect(); });
  if (!build()) waiting.observe(document.body, { childList: true, subtree: true });
})();
