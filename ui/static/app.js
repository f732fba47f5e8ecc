/* Citation marks, evidence cards and the source drawer. Text from the archive only ever goes into
   textContent. No framework, no build; works below any path because addresses are relative to
   this file. */
(function () {
  "use strict";

  const BASE = new URL("../", document.currentScript.src).href;
  /* Links that are handed on: not below the widget's prefix, which may name a session. */
  const SITE = BASE.replace(/widget\/(?:s\/[\w-]{43}\/)?$/, "");
  const CHIP = /^#w-([0-9a-f]{16}-\d+)$/;
  const MARK = /^#c-([0-9a-f]{32})-(r?\d+)$/;
  const PLACE = /^#r-([\w-]+)-(\d+)-(\d+)-(\d+)$/;
  const FIRST_WIDTH = 1000;
  const ZOOM_WIDTH = 2000;
  const ZOOMS = [1, 1.4, 2, 2.8];

  const T = {
    mark: (mark) => `引文${mark}，查看原页`,
    sources: "引文出处",
    open: "查看原页",
    openText: "查看原文",
    openRow: "查看目录",
    copyReference: "复制引用",
    copyAll: "复制全文",
    copyLink: "复制链接",
    copied: "已复制",
    notCopied: "复制未成功，请手工选取文字",
    gone: "这条回答的引文已不在内存中，请重新提问。",
    failed: "暂时打不开，请稍后再试。",
    imageFailed: "影像打不开，以下为已入库的文字。",
    unreliable: "此处识别不可靠，请以影像为准。",
    noText: "（这一页没有可读文字）",
    noPages: "本件只有目录，没有挂接原文。",
    opening: "正在打开…",
    close: "关闭",
    previous: "上一页",
    next: "下一页",
    smaller: "缩小",
    larger: "放大",
    fit: "适合宽度",
    showText: "看文字",
    showImage: "看影像",
    quoted: "引文原文",
    catalogue: "目录信息",
    pageOf: (page, count, image) => `${image ? "影像" : "文本"} ${page} / ${count}`,
    pageImage: (title, page) => `《${title}》第 ${page} 页影像`,
    status: (s) => `可查 ${s.records} 件 ${s.pages} 页 · ${s.reader}（${s.role}）`,
    topic: "输入主题，如：加装电梯",
    question: "提问",
    answer: "回答",
    log: "问答记录",
    labels: { "Scroll down": "到最下", "Scroll up": "到最上", "Clear": "清空", "Clear chat": "清空" },
    sortBy: (name) => `按${name}排序`,
    sorted: { ascending: "已升序", descending: "已降序" },
    showAll: (count) => `显示全部 ${count} 行`,
    table: "目录条目，可排序",
    exportAs: (kind) => `导出 ${kind}`,
    example: (text) => `提问：${text}`,
  };

  /* -- small tools ------------------------------------------------------------------------- */

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function button(className, text, action, label) {
    const element = make("button", className, text);
    element.type = "button";
    if (label) element.setAttribute("aria-label", label);
    if (label) element.title = label;
    element.addEventListener("click", action);
    return element;
  }

  function fetchJson(path) {
    return fetch(BASE + path, { credentials: "same-origin" }).then((response) =>
      response.json().then((body) => {
        if (response.ok) return body;
        const error = new Error(String(body.detail || response.status));
        error.shown = String(body.detail || "");
        throw error;
      })
    );
  }

  let toastTimer = 0;
  function toast(text) {
    document.querySelectorAll(".cd-toast").forEach((old) => old.remove());
    const element = make("div", "cd-toast", text);
    element.setAttribute("role", "status");
    (drawer.dialog && drawer.dialog.open ? drawer.dialog : document.body).appendChild(element);
    window.clearTimeout(toastTimer);
    toastTimer = window.setTimeout(() => element.remove(), 2200);
  }

  function copy(text) {
    const done = (fine) => toast(fine ? T.copied : T.notCopied);
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(text).then(() => done(true), () => done(copyOldWay(text)));
    } else {
      done(copyOldWay(text)); // plain http inside the network has no clipboard API
    }
  }

  function copyOldWay(text) {
    const host = drawer.dialog && drawer.dialog.open ? drawer.dialog : document.body;
    const before = document.activeElement;
    const area = make("textarea", "cd-copy");
    area.value = text;
    host.appendChild(area);
    area.select();
    let fine = false;
    try { fine = document.execCommand("copy"); } catch (error) { fine = false; }
    area.remove();
    if (before && before.focus) before.focus();
    return fine;
  }

  function fieldList(fields) {
    const list = make("dl", "cd-fields");
    fields.forEach((field) => {
      list.appendChild(make("dt", "", field[0]));
      list.appendChild(make("dd", "", field[1]));
    });
    return list;
  }

  /* -- answers ----------------------------------------------------------------------------- */

  const opened = new Set(); // answers that were asked to open a record, and did
  const answers = new Map(); // id -> promise of the citations
  function loadAnswer(id) {
    if (!answers.has(id)) {
      const wanted = fetchJson(`api/answers/${id}`);
      wanted.then(prefetch, () => answers.delete(id));
      answers.set(id, wanted);
    }
    return answers.get(id);
  }

  function prefetch(answer) {
    const seen = new Set();
    answer.citations.forEach((citation) => {
      if (!citation.has_image || seen.has(citation.image) || seen.size >= 3) return;
      seen.add(citation.image);
      const image = new Image();
      image.src = imageAddress(citation, 1);
      if (image.decode) image.decode().catch(() => undefined);
    });
  }

  function imageAddress(place, zoom) {
    const pixels = window.innerWidth * Math.min(2, window.devicePixelRatio || 1) * zoom;
    return `${BASE}${place.image}?w=${pixels > FIRST_WIDTH && zoom > 1 ? ZOOM_WIDTH : FIRST_WIDTH}`;
  }

  function openMark(id, marker) {
    drawer.show({ title: "", loading: true });
    loadAnswer(id).then(
      (answer) => {
        const same = (row) => row.marker === marker;
        const citation = answer.citations.find(same);
        const row = answer.listings.find(same);
        if (citation) drawer.openCitation(citation);
        else if (row) drawer.openRecord(row);
        else drawer.fail(T.gone);
      },
      () => drawer.fail(T.gone)
    );
  }

  function cards(answer, id) {
    const box = make("section", "cd-cards");
    box.setAttribute("aria-label", T.sources);
    const byRecord = new Map();
    // the steps of a time line name their sources themselves
    (answer.timeline ? [] : answer.citations).forEach((citation) => {
      if (!byRecord.has(citation.record)) byRecord.set(citation.record, []);
      byRecord.get(citation.record).push(citation);
    });
    byRecord.forEach((citations) => box.appendChild(card(citations)));
    const tools = make("div", "cd-tools");
    if (answer.exportable) {
      ["csv", "xlsx"].forEach((kind) => {
        const link = make("a", "cd-button cd-export", T.exportAs(kind.toUpperCase()));
        link.href = `${BASE}api/answers/${id}/export.${kind}`;
        link.setAttribute("download", "");
        tools.appendChild(link);
      });
    }
    if (answer.text) tools.appendChild(button("cd-button", T.copyAll, () => copy(answer.text)));
    if (tools.childElementCount) box.appendChild(tools);
    return box;
  }

  function card(citations) {
    const first = citations[0];
    const element = make("article", "cd-card");
    element.appendChild(make("h3", "cd-card-title", `《${first.title}》`));
    element.appendChild(fieldList(first.fields.filter((field) => field[1] !== first.title)));
    citations.forEach((citation) => {
      const row = make("div", "cd-card-row");
      const place = make("div", "cd-card-place");
      place.appendChild(make("span", "cd-chip", citation.mark));
      place.appendChild(make("span", "", citation.place));
      row.appendChild(place);
      const actions = make("div", "cd-card-actions");
      const name = citation.has_image ? T.open : T.openText;
      actions.appendChild(
        button("cd-button cd-primary", name, () => drawer.openCitation(citation), `${name}${citation.mark}`)
      );
      actions.appendChild(
        button("cd-button", T.copyReference, () => copy(citation.reference), `${T.copyReference}${citation.mark}`)
      );
      row.appendChild(actions);
      if (citation.low_confidence) row.appendChild(make("p", "cd-warning", T.unreliable));
      element.appendChild(row);
    });
    return element;
  }

  /* -- tables ------------------------------------------------------------------------------ */

  const ROWS_AT_ONCE = 20;
  const DATE = /^((?:19|20)\d\d)(?:[年.\-/]?(\d{1,2}))?(?:[月.\-/]?(\d{1,2}))?/;
  const collator = new Intl.Collator("zh-Hans-CN", { numeric: true });

  /* A date as a number that sorts: 1998.3.7 and 20180118 stand in one column. */
  function dateKey(text) {
    const found = DATE.exec(text);
    return found ? Number(found[1]) * 10000 + Number(found[2] || 0) * 100 + Number(found[3] || 0) : null;
  }

  function cellText(row, column) {
    const cell = row.cells[column];
    if (!cell) return "";
    const mark = MARK.exec(cell.firstElementChild ? cell.firstElementChild.getAttribute("href") || "" : "");
    return mark ? mark[2] : cell.textContent.trim(); // ⑨ comes before ⑩
  }

  /* How a column compares: as dates or numbers when every filled cell is one, else as words. */
  function comparer(rows, column) {
    const filled = rows.map((row) => cellText(row, column)).filter(Boolean);
    const number = (text) => (/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : null);
    const key = [dateKey, number].find((read) => filled.length && filled.every((text) => read(text) !== null));
    return key ? (a, b) => key(a) - key(b) : (a, b) => collator.compare(a, b);
  }

  function sortTable(table, column, header) {
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    const down = header.getAttribute("aria-sort") === "ascending";
    const compare = comparer(rows, column);
    const keyed = rows.map((row) => ({ row: row, text: cellText(row, column) }));
    keyed.sort((a, b) => {
      if (!a.text || !b.text) return Number(!a.text) - Number(!b.text); // blanks stay at the end
      return compare(a.text, b.text) * (down ? -1 : 1);
    });
    keyed.forEach((item) => body.appendChild(item.row));
    table.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
    const order = down ? "descending" : "ascending";
    header.setAttribute("aria-sort", order);
    fold(table);
    toast(`${header.textContent.trim()}：${T.sorted[order]}`);
    header.firstElementChild.focus();
  }

  function fold(table) {
    const all = table.dataset.all === "1";
    Array.from(table.tBodies[0].rows).forEach((row, at) => { row.hidden = !all && at >= ROWS_AT_ONCE; });
  }

  function decorateTable(table) {
    if (table.dataset.cd || !table.tHead || !table.tBodies.length) return;
    table.dataset.cd = "1";
    table.classList.add("cd-table");
    if (table.tHead.rows[0].cells.length > 3) table.classList.add("cd-wide");
    const headers = Array.from(table.tHead.rows[0].cells);
    const names = headers.map((header) => header.textContent.trim());
    headers.forEach((header, column) => {
      header.scope = "col";
      const sorter = button("cd-sort", names[column], () => sortTable(table, column, header));
      sorter.title = T.sortBy(names[column]);
      header.replaceChildren(sorter);
    });
    const rows = Array.from(table.tBodies[0].rows);
    rows.forEach((row) =>
      Array.from(row.cells).forEach((cell, column) => { cell.dataset.label = names[column] || ""; })
    );
    const frame = make("div", "cd-scroll");
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", T.table);
    table.replaceWith(frame);
    frame.appendChild(table);
    if (rows.length > ROWS_AT_ONCE) {
      const more = button("cd-button", T.showAll(rows.length), () => {
        table.dataset.all = "1";
        fold(table);
        more.remove();
      });
      frame.after(more);
    }
    fold(table);
  }

  /* -- the drawer -------------------------------------------------------------------------- */

  const drawer = {
    dialog: null,
    item: null, // the record with the quotation that was asked for
    shown: null, // the page on show
    mode: "image",
    zoom: 0,
    request: 0,
    opener: null,

    build() {
      if (this.dialog) return;
      const dialog = make("dialog", "cd-drawer");
      dialog.setAttribute("aria-labelledby", "cd-drawer-title");

      const head = make("header", "cd-drawer-head");
      this.chip = make("span", "cd-chip");
      this.title = make("h2", "cd-drawer-title");
      this.title.id = "cd-drawer-title";
      head.append(this.chip, this.title, button("cd-close", T.close, () => this.close()));

      this.bar = make("div", "cd-bar");
      this.previous = button("cd-button", "‹", () => this.turn(-1), T.previous);
      this.count = make("span", "cd-count");
      this.count.setAttribute("aria-live", "polite");
      this.next = button("cd-button", "›", () => this.turn(1), T.next);
      this.out = button("cd-button", "−", () => this.setZoom(this.zoom - 1), T.smaller);
      this.fitting = button("cd-button", "↔", () => this.setZoom(0), T.fit);
      this.into = button("cd-button", "+", () => this.setZoom(this.zoom + 1), T.larger);
      this.toggle = button("cd-button", T.showText, () => this.toggleMode());
      this.fitting.dataset.fit = "1";
      const pager = make("span", "cd-group");
      pager.append(this.previous, this.count, this.next);
      this.zoomer = make("span", "cd-group");
      this.zoomer.append(this.out, this.fitting, this.into);
      this.bar.append(pager, this.zoomer, this.toggle);

      this.view = make("div", "cd-view");
      this.view.tabIndex = 0;
      this.foot = make("footer", "cd-drawer-foot");
      dialog.append(head, this.bar, this.view, this.foot);
      dialog.addEventListener("click", (event) => {
        if (event.target === dialog) this.close();
      });
      dialog.addEventListener("close", () => this.closed());
      dialog.addEventListener("keydown", (event) => this.key(event));
      document.body.appendChild(dialog);
      this.dialog = dialog;
    },

    show(item) {
      this.build();
      this.request += 1;
      this.item = item;
      this.shown = null;
      this.zoom = 0;
      this.chip.textContent = item.mark || "";
      this.chip.hidden = !item.mark;
      this.title.textContent = item.title ? `《${item.title}》` : T.opening;
      this.bar.hidden = true;
      this.view.replaceChildren(make("p", "cd-wait", T.opening));
      this.foot.replaceChildren();
      if (!this.dialog.open) {
        this.opener = document.activeElement;
        this.dialog.showModal();
        window.history.pushState({ chadangDrawer: true }, "");
      }
      this.view.focus({ preventScroll: true });
    },

    close() {
      if (this.dialog && this.dialog.open) this.dialog.close();
    },

    closed() {
      this.request += 1;
      this.view.replaceChildren();
      if (window.history.state && window.history.state.chadangDrawer) window.history.back();
      const back = this.opener;
      const target = back && back.isConnected && back !== document.body ? back : questionBox();
      if (target) target.focus({ preventScroll: true });
    },

    fail(message) {
      this.title.textContent = this.item && this.item.title ? `《${this.item.title}》` : "";
      this.bar.hidden = true;
      this.view.replaceChildren(make("p", "cd-wait", message || T.failed));
    },

    openCitation(citation) {
      this.show(citation);
      this.mode = citation.has_image ? "image" : "text";
      this.showPage(citation);
    },

    openRecord(row) {
      this.show(row);
      if (row.page_count > 0) {
        this.load(1);
        return;
      }
      this.title.textContent = `《${row.title}》`;
      const panel = make("div", "cd-panel");
      panel.append(make("p", "cd-empty", T.noPages), fieldList(row.fields.concat(row.more_fields)));
      this.view.replaceChildren(panel);
      this.foot.replaceChildren();
      this.foot.appendChild(this.referenceRow(row));
    },

    openPlace(token, page, start, end) {
      this.show({ title: "", record: token });
      const item = { record: token, start: start, end: end, page: page };
      const request = this.request;
      fetchJson(`api/pages/${token}/${page}?start=${start}&end=${end}`).then(
        (found) => {
          if (request !== this.request) return;
          this.item = Object.assign({}, found, item);
          this.mode = found.has_image ? "image" : "text";
          this.showPage(found);
        },
        (error) => request === this.request && this.openBare(token, error)
      );
    },

    openBare(token, error) {
      const request = this.request;
      fetchJson(`api/records/${token}`).then(
        (row) => request === this.request && this.openRecord(row),
        () => request === this.request && this.fail(error.shown)
      );
    },

    load(page) {
      const request = ++this.request;
      const same = this.item.page === page && this.item.end > this.item.start;
      const span = same ? `?start=${this.item.start}&end=${this.item.end}` : "";
      fetchJson(`api/pages/${this.item.record}/${page}${span}`).then(
        (found) => {
          if (request !== this.request) return;
          if (!this.shown) this.mode = found.has_image ? "image" : "text";
          this.showPage(found);
        },
        (error) => request === this.request && this.fail(error.shown)
      );
    },

    showPage(page) {
      this.shown = page;
      this.chip.hidden = !this.item.mark;
      this.title.textContent = `《${page.title}》`;
      this.bar.hidden = false;
      this.previous.disabled = page.page <= 1;
      this.next.disabled = page.page >= page.page_count;
      this.count.textContent = T.pageOf(page.page, page.page_count, page.has_image);
      this.toggle.hidden = !page.has_image;
      this.draw();
      this.drawFoot();
    },

    draw() {
      const image = this.mode === "image" && this.shown.has_image;
      this.toggle.textContent = image ? T.showText : T.showImage;
      this.zoomer.hidden = !image;
      if (image) this.drawImage();
      else this.drawText("");
    },

    drawImage() {
      const page = this.shown;
      const stage = make("div", "cd-stage");
      const sheet = make("div", "cd-sheet");
      sheet.style.aspectRatio = String(page.ratio || 0.707);
      sheet.style.width = `${ZOOMS[this.zoom] * 100}%`;
      if (this.zoom === 0) sheet.classList.add("cd-fit");
      const image = make("img", "cd-image");
      image.alt = T.pageImage(page.title, page.page);
      image.addEventListener("load", () => sheet.classList.add("cd-loaded"));
      image.addEventListener("error", () => {
        if (this.shown === page && this.mode === "image") this.drawText(T.imageFailed);
      });
      image.src = imageAddress(page, ZOOMS[this.zoom]);
      sheet.appendChild(image);
      page.boxes.forEach((box) => {
        const mark = make("div", "cd-box");
        mark.style.left = `${box[0] * 100}%`;
        mark.style.top = `${box[1] * 100}%`;
        mark.style.width = `${(box[2] - box[0]) * 100}%`;
        mark.style.height = `${(box[3] - box[1]) * 100}%`;
        sheet.appendChild(mark);
      });
      stage.appendChild(sheet);
      this.view.classList.remove("cd-reading-text");
      this.view.replaceChildren(stage);
      this.out.disabled = this.zoom === 0;
      this.into.disabled = this.zoom === ZOOMS.length - 1;
      this.reveal(this.view.querySelector(".cd-box"));
    },

    drawText(warning) {
      const page = this.shown;
      this.view.classList.add("cd-reading-text");
      if (page.after === undefined) { // a citation: its page text is not here yet
        this.view.replaceChildren(make("p", "cd-wait", T.opening));
        const request = ++this.request;
        fetchJson(`api/pages/${page.record}/${page.page}?start=${page.start}&end=${page.end}`).then(
          (found) => {
            if (request !== this.request) return;
            page.before = found.before;
            page.after = found.after;
            this.drawText(warning);
          },
          (error) => request === this.request && this.fail(error.shown)
        );
        return;
      }
      const parts = [];
      if (warning) parts.push(make("p", "cd-warning", warning));
      const text = make("div", "cd-text");
      text.append(page.before);
      if (page.quote) text.appendChild(make("mark", "", page.quote));
      text.append(page.after);
      if (!text.textContent.trim()) text.textContent = T.noText;
      parts.push(text);
      this.view.replaceChildren(...parts);
      this.reveal(this.view.querySelector("mark"));
    },

    reveal(element) {
      if (!element) {
        this.view.scrollTo(0, 0);
        return;
      }
      const inner = element.getBoundingClientRect();
      const outer = this.view.getBoundingClientRect();
      this.view.scrollTop += inner.top - outer.top - outer.height / 3;
      this.view.scrollLeft += inner.left - outer.left - 24;
    },

    drawFoot() {
      const page = this.shown;
      this.foot.replaceChildren();
      if (page.quote) {
        const quote = make("blockquote", "cd-quote", page.quote);
        quote.setAttribute("aria-label", T.quoted);
        this.foot.appendChild(quote);
      }
      if (page.low_confidence) this.foot.appendChild(make("p", "cd-warning", T.unreliable));
      this.foot.appendChild(this.referenceRow(page));
      const more = make("details", "cd-more");
      more.append(make("summary", "", T.catalogue), fieldList(page.fields.concat(page.more_fields, page.page_fields || [])));
      this.foot.appendChild(more);
    },

    referenceRow(place) {
      const row = make("div", "cd-reference");
      const actions = make("span");
      actions.append(
        button("cd-button", T.copyReference, () => copy(place.reference)),
        button("cd-button", T.copyLink, () => copy(SITE + place.link))
      );
      row.append(make("p", "", place.reference), actions);
      return row;
    },

    turn(step) {
      const page = this.shown && this.shown.page + step;
      if (!page || page < 1 || page > this.shown.page_count) return;
      const item = this.item;
      if (item.page === page && item.boxes && item.quote !== undefined) {
        this.request += 1;
        this.showPage(item);
      } else {
        this.load(page);
      }
    },

    setZoom(zoom) {
      this.zoom = Math.max(0, Math.min(ZOOMS.length - 1, zoom));
      if (this.shown && this.mode === "image") this.drawImage();
    },

    toggleMode() {
      this.mode = this.mode === "image" ? "text" : "image";
      this.draw();
    },

    key(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "PageUp") this.turn(-1);
      else if (event.key === "PageDown") this.turn(1);
      else if ((event.key === "+" || event.key === "=") && !this.zoomer.hidden) this.setZoom(this.zoom + 1);
      else if (event.key === "-" && !this.zoomer.hidden) this.setZoom(this.zoom - 1);
      else return;
      event.preventDefault();
    },
  };

  window.addEventListener("popstate", () => drawer.close());

  /* -- the chat page ----------------------------------------------------------------------- */

  function questionBox() {
    return document.querySelector("#cd-question textarea");
  }

  function isBusy() {
    return document.body.classList.contains("cd-busy");
  }

  function decorate() {
    const box = questionBox();
    if (box) {
      const opening = document.getElementById("cd-opening");
      if (opening) opening.remove();
      box.setAttribute("aria-label", T.question);
    }
    const without = document.querySelector("#cd-without textarea, #cd-without input");
    if (without) {
      without.tabIndex = -1;
      without.setAttribute("aria-hidden", "true");
    }
    const log = document.querySelector("#cd-chat [role=log]");
    if (!log) return;
    log.setAttribute("aria-label", T.log);
    log.querySelectorAll(".example[aria-label^=Select]").forEach((example) =>
      example.setAttribute("aria-label", T.example(example.textContent.trim()))
    );
    log.querySelectorAll("[data-testid=user]").forEach((m) => m.setAttribute("aria-label", T.question));
    Object.keys(T.labels).forEach((label) =>
      document.querySelectorAll(`#cd-chat [aria-label="${label}"]`).forEach((element) => {
        element.setAttribute("aria-label", T.labels[label]);
        if (element.title) element.title = T.labels[label];
      })
    );
    const messages = log.querySelectorAll("[data-testid=bot]");
    messages.forEach(decorateMessage);
    const last = messages[messages.length - 1];
    const busy = Boolean(last && last.querySelector(".cd-pending"));
    // on a phone the keyboard makes room for the answer
    if (busy && !isBusy() && box && window.matchMedia("(pointer: coarse)").matches) box.blur();
    document.body.classList.toggle("cd-busy", busy);
    document.body.classList.toggle("cd-started", messages.length > 0);
    follow(log, messages.length, busy);
  }

  function decorateMessage(message) {
    message.setAttribute("aria-label", T.answer);
    message.querySelectorAll('a[href^="#w-"]').forEach((link) => {
      if (link.dataset.cd) return;
      link.dataset.cd = "1";
      link.setAttribute("role", "button");
      link.setAttribute("aria-label", link.title);
    });
    let id = "";
    message.querySelectorAll('a[href^="#c-"]').forEach((link) => {
      const found = MARK.exec(link.getAttribute("href"));
      if (!found) return;
      id = found[1];
      if (link.dataset.cd) return;
      link.dataset.cd = "1";
      link.setAttribute("role", "button");
      if (found[2][0] !== "r") link.setAttribute("aria-label", T.mark(link.textContent));
    });
    // only when the answer is whole: a growing one is drawn anew with every piece
    if (message.querySelector(".cd-coverage")) message.querySelectorAll("table").forEach(decorateTable);
    const old = message.querySelector(":scope > .cd-cards");
    if (old && old.dataset.answer !== id) old.remove();
    if (!id) return;
    const wanted = loadAnswer(id);
    if ((old && old.dataset.answer === id) || !message.querySelector(".cd-coverage")) return;
    const place = make("section", "cd-cards");
    place.dataset.answer = id;
    message.appendChild(place);
    wanted.then(
      (answer) => {
        const built = cards(answer, id);
        built.dataset.answer = id;
        place.replaceWith(built);
        if (answer.open && !opened.has(id)) openMark(id, "1"); // 打开第三条: asked for in words
        opened.add(id);
      },
      () => undefined
    );
  }

  /* A new question goes to the top of the view, so that the answer is read from its beginning. */
  let followed = 0;
  let followUntil = 0;
  function follow(log, count, busy) {
    if (count > followed) followUntil = Date.now() + 1500;
    if (busy) followUntil = Date.now() + 1500;
    followed = count;
    if (!count || Date.now() > followUntil) return;
    const rows = log.querySelectorAll(".user-row");
    const last = rows[rows.length - 1];
    if (last) log.scrollTop += last.getBoundingClientRect().top - log.getBoundingClientRect().top - 12;
  }
  ["wheel", "touchmove", "keydown"].forEach((name) =>
    document.addEventListener(name, () => { followUntil = 0; }, { passive: true })
  );

  let planned = false;
  function plan() {
    if (planned) return;
    planned = true;
    window.requestAnimationFrame(() => {
      planned = false;
      decorate();
    });
  }

  /* A chip names a reading; the hidden box carries it to the server, which asks again without. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#w-"]');
    const found = link && CHIP.exec(link.getAttribute("href"));
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    const box = document.querySelector("#cd-without textarea, #cd-without input");
    if (!box || isBusy()) return;
    box.value = found[1];
    box.dispatchEvent(new Event("input", { bubbles: true }));
    window.setTimeout(() => // the page's framework takes up the value first
      box.dispatchEvent(new KeyboardEvent("keypress", { key: "Enter", bubbles: true, cancelable: true })), 30);
    const question = questionBox(); // the chip goes out of view; a phone keeps its keyboard down
    if (question && !window.matchMedia("(pointer: coarse)").matches) question.focus({ preventScroll: true });
  }, true);

  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#c-"]');
    const found = link && MARK.exec(link.getAttribute("href"));
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    openMark(found[1], found[2]);
  }, true);

  /* Enter chooses a word while an input method is open, and waits while an answer is under way. */
  ["keydown", "keypress"].forEach((name) =>
    document.addEventListener(name, (event) => {
      if (event.key !== "Enter" || event.target !== questionBox()) return;
      if (event.isComposing || event.keyCode === 229) event.stopPropagation();
      else if (isBusy() && !event.shiftKey) {
        event.preventDefault();
        event.stopPropagation();
      }
    }, true)
  );
  document.addEventListener("keydown", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#c-"], a[href^="#w-"]');
    if (link && event.key === " ") {
      event.preventDefault();
      link.click();
    }
  });

  /* Switched to precedents, the box asks for a topic. */
  const hint = { plain: "" };
  document.addEventListener("change", (event) => {
    const box = questionBox();
    if (!box || !event.target.closest || !event.target.closest("#cd-precedents")) return;
    if (!hint.plain) hint.plain = box.placeholder;
    box.placeholder = event.target.checked ? T.topic : hint.plain;
    box.focus();
  });

  /* What is folded on the screen is open on paper. */
  window.addEventListener("beforeprint", () =>
    document.querySelectorAll("#cd-chat .cd-matter details").forEach((part) => { part.open = true; })
  );

  function start() {
    const status = document.getElementById("cd-status");
    if (status) {
      fetchJson("api/status").then((s) => { status.textContent = T.status(s); }, () => undefined);
    }
    new MutationObserver(plan).observe(document.querySelector("gradio-app") || document.body, {
      childList: true,
      subtree: true,
      characterData: true,
    });
    plan();
    const place = PLACE.exec(window.location.hash);
    if (place) {
      window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
      drawer.openPlace(place[1], Number(place[2]), Number(place[3]), Number(place[4]));
    }
  }

  start();
})();
