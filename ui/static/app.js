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
  const PLACE = /^#r-([\w-]+)-(\d+)-(\d+)-(\d+)(?:-(\d+\.[0-9a-f]+))?$/;
  const END = /^#s-([0-9a-f]{32})$/;
  const CELLS = " | ";
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
    copyAll: "复制（带出处）",
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
    smaller: "缩小",
    larger: "放大",
    fit: "适宽",
    fitLabel: "适合宽度",
    whole: "整页",
    wholeLabel: "看整页",
    rotate: "旋转",
    rotateLabel: "顺时针旋转 90 度",
    beside: "本页文字",
    moved: "这一件重新入库过，原来标出的话现在在这里。",
    lost: "这一页重新入库后文字有变，链接里标出的话对不上了，请在本页核对。",
    confidence: (share) => `识别把握 ${Math.round(share * 100)}%`,
    pagesOf: (count) => `本件各页（共 ${count} 页）`,
    volumeOf: (count) => `本卷各件（共 ${count} 件）`,
    thumbnail: (page) => `第 ${page} 页`,
    doubtful: "识别不可靠",
    others: "本件其他页、本卷其他件",
    sheet: "查档结果单",
    sheetLabel: "查档结果单，可打印、可保存，在新页打开",
    otherWords: "换个说法",
    looking: "正在找别的说法…",
    noOtherWords: "词表和馆藏里没有能查到更多档案的说法。可以换一个词，或去掉检索条件再问。",
    tryWords: "换成这样问：",
    next: "下一页",
    nextQuestions: "接着可以问：",
    showText: "看文字",
    showImage: "看影像",
    quoted: "引文原文",
    catalogue: "目录信息",
    pageOf: (page, count, image) => `${image ? "影像" : "文本"} ${page} / ${count}`,
    pageImage: (title, page) => `《${title}》第 ${page} 页影像`,
    status: (s) => `可查原文 ${s.records} 件 ${s.pages} 页 · ${s.reader}（${s.role}）`,
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

  /* Ask a question as if it had been typed. */
  function send(question) {
    const box = questionBox();
    if (!box || isBusy()) return;
    put(box, question);
    press(box);
    if (!window.matchMedia("(pointer: coarse)").matches) box.focus({ preventScroll: true });
  }

  function put(box, text) {
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function press(box) {
    window.setTimeout(() => // the page's framework takes up the value first
      box.dispatchEvent(new KeyboardEvent("keypress", { key: "Enter", bubbles: true, cancelable: true })), 30);
  }

  function hiddenBox(id) {
    return document.querySelector(`#${id} textarea, #${id} input`);
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
    const words = make("div", "cd-words");
    words.setAttribute("role", "status");
    tools.appendChild(button("cd-button", T.otherWords, () => otherWords(id, words)));
    if (answer.text) tools.appendChild(button("cd-button", T.copyAll, () => copy(answer.text)));
    const sheet = make("a", "cd-button cd-sheet-link", T.sheet);
    sheet.href = `${BASE}api/answers/${id}/sheet.html`;
    sheet.target = "_blank";
    sheet.rel = "noopener";
    sheet.setAttribute("aria-label", T.sheetLabel);
    tools.appendChild(sheet);
    if (answer.exportable) {
      ["csv", "xlsx"].forEach((kind) => {
        const link = make("a", "cd-button cd-export", T.exportAs(kind.toUpperCase()));
        link.href = `${BASE}api/answers/${id}/export.${kind}`;
        link.setAttribute("download", "");
        tools.appendChild(link);
      });
    }
    box.append(tools, words);
    return box;
  }

  function otherWords(id, place) {
    if (place.dataset.asked) return;
    place.dataset.asked = "1";
    place.replaceChildren(make("p", "cd-next-lead", T.looking));
    fetchJson(`api/answers/${id}/other-words`).then(
      (found) => {
        if (found.suggestions.length) place.replaceChildren(...offered(T.tryWords, found.suggestions));
        else place.replaceChildren(make("p", "cd-next-lead", T.noOtherWords));
      },
      (error) => {
        delete place.dataset.asked;
        place.replaceChildren(make("p", "cd-next-lead", error.shown || T.failed));
      }
    );
  }

  function offered(lead, suggestions) {
    return [make("p", "cd-next-lead", lead)].concat(suggestions.map((one) => {
      const choice = button("cd-suggestion", "", () => send(one.question));
      choice.append(make("span", "", one.question), make("small", "", one.reason));
      return choice;
    }));
  }

  /* What can be asked next stands under the newest answer only. */
  const nexts = new Map();
  function offerNext(message, id) {
    document.querySelectorAll(".cd-next").forEach((old) => {
      if (!message.contains(old) || old.dataset.answer !== id) old.remove();
    });
    if (message.querySelector(":scope > .cd-next")) return;
    const place = make("section", "cd-next");
    place.dataset.answer = id;
    place.setAttribute("aria-label", T.nextQuestions);
    message.appendChild(place);
    if (!nexts.has(id)) nexts.set(id, fetchJson(`api/answers/${id}/next`));
    nexts.get(id).then(
      (found) => { if (found.suggestions.length) place.replaceChildren(...offered(T.nextQuestions, found.suggestions)); },
      () => undefined
    );
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

  const WIDE = window.matchMedia("(min-width: 1100px)");
  const drawer = {
    dialog: null,
    item: null, // the record with the quotation that was asked for
    shown: null, // the page on show
    mode: "image",
    zoom: 0,
    turned: 0, // degrees, clockwise, by the reader
    whole: false, // the whole page in view instead of its width
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
      this.into = button("cd-button", "+", () => this.setZoom(this.zoom + 1), T.larger);
      this.fitting = button("cd-button", T.whole, () => this.fit());
      this.rotating = button("cd-button", T.rotate, () => this.rotate(), T.rotateLabel);
      this.toggle = button("cd-button cd-toggle", T.showText, () => this.toggleMode());
      const pager = make("span", "cd-group");
      pager.append(this.previous, this.count, this.next);
      this.zoomer = make("span", "cd-group");
      this.zoomer.append(this.out, this.into);
      this.viewing = make("span", "cd-group cd-words-group");
      this.viewing.append(this.fitting, this.rotating);
      this.bar.append(pager, this.zoomer, this.viewing, this.toggle);

      this.view = make("div", "cd-view");
      this.view.tabIndex = 0;
      this.beside = make("section", "cd-beside");
      this.beside.tabIndex = 0;
      this.beside.setAttribute("aria-label", T.beside);
      this.body = make("div", "cd-body");
      this.body.append(this.view, this.beside);
      this.foot = make("footer", "cd-drawer-foot");
      dialog.append(head, this.bar, this.body, this.foot);
      dialog.addEventListener("click", (event) => {
        if (event.target === dialog) this.close();
      });
      dialog.addEventListener("close", () => this.closed());
      dialog.addEventListener("keydown", (event) => this.key(event));
      WIDE.addEventListener("change", () => { if (this.shown) this.draw(); });
      document.body.appendChild(dialog);
      this.dialog = dialog;
    },

    show(item) {
      this.build();
      this.request += 1;
      this.item = item;
      this.shown = null;
      this.zoom = 0;
      this.turned = 0;
      this.whole = false;
      this.chip.textContent = item.mark || "";
      this.chip.hidden = !item.mark;
      this.title.textContent = item.title ? `《${item.title}》` : T.opening;
      this.bar.hidden = true;
      this.beside.hidden = true;
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
      this.beside.replaceChildren();
      if (window.history.state && window.history.state.chadangDrawer) window.history.back();
      const back = this.opener;
      const target = back && back.isConnected && back !== document.body ? back : questionBox();
      if (target) target.focus({ preventScroll: true });
    },

    fail(message) {
      this.title.textContent = this.item && this.item.title ? `《${this.item.title}》` : "";
      this.bar.hidden = true;
      this.beside.hidden = true;
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
      this.drawStrip(row);
    },

    openPlace(token, page, start, end, hash) {
      this.show({ title: "", record: token });
      const request = this.request;
      const marked = hash ? `&hash=${hash}` : "";
      fetchJson(`api/pages/${token}/${page}?start=${start}&end=${end}${marked}`).then(
        (found) => {
          if (request !== this.request) return;
          this.item = found; // the place may have moved since the link was made
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
      this.draw();
      this.drawFoot();
    },

    draw() {
      const wide = WIDE.matches && this.shown.has_image;
      const image = this.shown.has_image && (wide || this.mode === "image");
      this.toggle.hidden = wide || !this.shown.has_image;
      this.toggle.textContent = image ? T.showText : T.showImage;
      this.zoomer.hidden = !image;
      this.viewing.hidden = !image;
      this.beside.hidden = !wide;
      if (image) this.drawImage();
      else this.drawText(this.view, "");
      if (wide) this.drawText(this.beside, "");
    },

    drawImage() {
      const page = this.shown;
      const stage = make("div", "cd-stage");
      const frame = make("div", "cd-frame");
      const sheet = make("div", "cd-sheet");
      const ratio = page.ratio || 0.707;
      const across = this.turned % 180 ? 1 / ratio : ratio; // of the page as it stands now
      frame.style.aspectRatio = String(across);
      frame.style.width = this.whole ? `${this.wholeWidth(across)}px` : `${ZOOMS[this.zoom] * 100}%`;
      if (this.zoom === 0) frame.classList.add("cd-fit");
      sheet.style.aspectRatio = String(ratio);
      sheet.style.width = this.turned % 180 ? `${ratio * 100}%` : "100%";
      sheet.style.transform = `translate(-50%, -50%) rotate(${this.turned}deg)`;
      const image = make("img", "cd-image");
      image.alt = T.pageImage(page.title, page.page);
      image.addEventListener("load", () => sheet.classList.add("cd-loaded"));
      image.addEventListener("error", () => {
        if (this.shown !== page || !sheet.isConnected) return;
        this.zoomer.hidden = true;
        this.viewing.hidden = true;
        this.drawText(this.view, T.imageFailed);
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
      frame.appendChild(sheet);
      stage.appendChild(frame);
      this.view.classList.remove("cd-reading-text");
      this.view.replaceChildren(stage);
      this.out.disabled = this.zoom === 0;
      this.into.disabled = this.zoom === ZOOMS.length - 1;
      this.fitting.textContent = this.whole ? T.fit : T.whole;
      this.fitting.setAttribute("aria-label", this.whole ? T.fitLabel : T.wholeLabel);
      this.reveal(this.view, ".cd-box");
    },

    wholeWidth(across) {
      const box = this.view.getBoundingClientRect();
      return Math.max(120, Math.min(box.width - 24, (box.height - 24) * across));
    },

    drawText(view, warning) {
      const page = this.shown;
      if (view === this.view) view.classList.add("cd-reading-text");
      if (page.after === undefined) { // a citation: its page text is not here yet
        view.replaceChildren(make("p", "cd-wait", T.opening));
        if (!page.text) {
          page.text = fetchJson(`api/pages/${page.record}/${page.page}?start=${page.start}&end=${page.end}`);
        }
        page.text.then(
          (found) => {
            page.before = found.before;
            page.after = found.after;
            page.page_fields = found.page_fields;
            if (this.shown === page) this.drawText(view, warning);
          },
          (error) => {
            page.text = null;
            if (this.shown === page) view.replaceChildren(make("p", "cd-wait", error.shown || T.failed));
          }
        );
        return;
      }
      const parts = [];
      if (warning) parts.push(make("p", "cd-warning", warning));
      const text = pageText(page);
      if (!text.textContent.trim()) text.textContent = T.noText;
      parts.push(text);
      view.replaceChildren(...parts);
      this.reveal(view, "mark");
    },

    reveal(view, wanted) {
      const element = view.querySelector(wanted);
      if (!element) {
        view.scrollTo(0, 0);
        return;
      }
      const inner = element.getBoundingClientRect();
      const outer = view.getBoundingClientRect();
      view.scrollTop += inner.top - outer.top - outer.height / 3;
      view.scrollLeft += inner.left - outer.left - 24;
    },

    drawFoot() {
      const page = this.shown;
      this.foot.replaceChildren();
      if (page.lost || page.moved) this.foot.appendChild(make("p", "cd-warning", page.lost ? T.lost : T.moved));
      if (page.quote) {
        const quote = make("blockquote", "cd-quote", page.quote);
        quote.setAttribute("aria-label", T.quoted);
        this.foot.appendChild(quote);
      }
      if (page.low_confidence) this.foot.appendChild(make("p", "cd-warning", T.unreliable));
      if (typeof page.confidence === "number") this.foot.appendChild(make("p", "cd-sure", T.confidence(page.confidence)));
      this.foot.appendChild(this.referenceRow(page));
      const more = make("details", "cd-more");
      more.append(make("summary", "", T.catalogue), fieldList(page.fields.concat(page.more_fields, page.page_fields || [])));
      this.foot.appendChild(more);
      this.drawStrip(page);
    },

    /* The other pages of the record and the other records of its volume, as small pictures. */
    drawStrip(place) {
      const request = this.request;
      const foot = this.foot;
      const key = `${place.record}/${Math.floor((place.page || 1) / 40)}`;
      if (!strips.has(key)) {
        const wanted = fetchJson(`api/records/${place.record}/strip?page=${place.page || 1}`);
        wanted.catch(() => strips.delete(key));
        strips.set(key, wanted);
      }
      strips.get(key).then((found) => {
        if (request !== this.request || foot.querySelector(".cd-strips")) return;
        if (found.pages.length < 2 && found.volume.length < 2) return;
        const more = make("details", "cd-more cd-strips");
        more.open = this.stripOpen === undefined ? WIDE.matches : this.stripOpen;
        more.addEventListener("toggle", () => { this.stripOpen = more.open; });
        more.appendChild(make("summary", "", T.others));
        if (found.pages.length > 1) more.append(...this.strip(T.pagesOf(found.page_count), found.pages.map((page) => {
          const one = thumbnail(page.has_image ? page.image : "", T.thumbnail(page.page), page.low_confidence ? T.doubtful : "", page.words);
          if (page.page === place.page) one.setAttribute("aria-current", "page");
          one.addEventListener("click", () => this.goTo(page.page));
          return one;
        })));
        if (found.volume.length > 1) more.append(...this.strip(T.volumeOf(found.volume_count), found.volume.map((row) => {
          const one = thumbnail(row.has_image ? row.image : "", row.title, "", row.has_image ? "" : row.title);
          if (row.record === place.record) one.setAttribute("aria-current", "true");
          one.addEventListener("click", () => this.openPlace(row.record, 1, 0, 0, ""));
          return one;
        })));
        foot.appendChild(more);
        more.querySelectorAll("[aria-current]").forEach((here) => {
          const row = here.parentElement;
          row.scrollLeft = here.offsetLeft - row.offsetLeft - row.clientWidth / 2;
        });
      }, () => undefined);
    },

    strip(heading, thumbnails) {
      const row = make("div", "cd-strip");
      row.append(...thumbnails);
      return [make("p", "cd-strip-name", heading), row];
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
      if (page && page >= 1 && page <= this.shown.page_count) this.goTo(page);
    },

    goTo(page) {
      const item = this.item;
      this.turned = 0;
      if (item.page === page && item.boxes && item.quote !== undefined) {
        this.request += 1;
        this.showPage(item);
      } else {
        this.load(page);
      }
    },

    setZoom(zoom) {
      this.zoom = Math.max(0, Math.min(ZOOMS.length - 1, zoom));
      this.whole = false;
      if (this.shown) this.drawImage();
    },

    fit() {
      this.whole = !this.whole;
      this.zoom = 0;
      if (this.shown) this.drawImage();
    },

    rotate() {
      this.turned = (this.turned + 90) % 360;
      if (this.shown) this.drawImage();
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

  const strips = new Map(); // record and stretch of pages -> promise of its small pictures

  function thumbnail(image, name, remark, words) {
    const one = button("cd-thumb", "", () => undefined);
    if (image) {
      const picture = make("img");
      picture.loading = "lazy";
      picture.alt = "";
      picture.src = `${BASE}${image}?w=200`;
      one.appendChild(picture);
    } else {
      one.appendChild(make("span", "cd-thumb-text", words));
    }
    one.appendChild(make("span", "cd-thumb-name", name));
    if (remark) one.appendChild(make("span", "cd-thumb-remark", remark));
    one.title = remark ? `${name}，${remark}` : name;
    return one;
  }

  /* The raw text of a page; lines of cells stand as a table that keeps together on a phone. */
  function pageText(page) {
    const text = make("div", "cd-text");
    const whole = page.before + (page.quote || "") + page.after;
    const from = page.before.length;
    const to = from + (page.quote || "").length;
    let at = 0;
    const lines = whole.split("\n").map((line) => {
      const start = at;
      at = Math.min(whole.length, at + line.length + 1);
      return { start: start, end: at, line: line };
    });
    let plain = 0; // where the running text not yet put out begins
    for (let first = 0; first < lines.length;) {
      let past = first;
      while (past < lines.length && lines[past].line.includes(CELLS)) past += 1;
      if (past - first > 1) {
        text.append(...marked(whole, plain, lines[first].start, from, to));
        text.appendChild(cellTable(whole, lines.slice(first, past), from, to));
        plain = lines[past - 1].end;
      }
      first = Math.max(past, first + 1);
    }
    text.append(...marked(whole, plain, whole.length, from, to));
    return text;
  }

  /* The stretch start:end of a text with what of it lies in from:to marked. */
  function marked(whole, start, end, from, to) {
    const low = Math.max(start, Math.min(from, end));
    const high = Math.max(low, Math.min(to, end));
    const parts = [document.createTextNode(whole.slice(start, low))];
    if (high > low) parts.push(make("mark", "", whole.slice(low, high)));
    parts.push(document.createTextNode(whole.slice(high, end)));
    return parts;
  }

  function cellTable(whole, rows, from, to) {
    const frame = make("div", "cd-cells");
    frame.tabIndex = 0;
    const table = make("table");
    rows.forEach((row) => {
      const line = make("tr");
      let at = row.start;
      row.line.split(CELLS).forEach((cell) => {
        const box = make("td");
        box.append(...marked(whole, at, at + cell.length, from, to));
        at += cell.length + CELLS.length;
        line.appendChild(box);
      });
      table.appendChild(line);
    });
    frame.appendChild(table);
    return frame;
  }

  /* Opened from the catalogue or another page of ours, closing leads back there. */
  let cameFromPage = false;
  window.addEventListener("popstate", () => {
    drawer.close();
    if (cameFromPage) window.history.back();
    cameFromPage = false;
  });

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
    ["cd-without", "cd-filters"].map(hiddenBox).forEach((hidden) => {
      if (!hidden) return;
      hidden.tabIndex = -1;
      hidden.setAttribute("aria-hidden", "true");
    });
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
    const last = messages[messages.length - 1];
    messages.forEach((message) => decorateMessage(message, message === last));
    const busy = Boolean(last && last.querySelector(".cd-pending"));
    // on a phone the keyboard makes room for the answer
    if (busy && !isBusy() && box && window.matchMedia("(pointer: coarse)").matches) box.blur();
    document.body.classList.toggle("cd-busy", busy);
    document.body.classList.toggle("cd-started", messages.length > 0);
    follow(log, messages.length, busy);
  }

  function decorateMessage(message, last) {
    message.setAttribute("aria-label", T.answer);
    message.querySelectorAll('a[href^="#w-"]').forEach((link) => {
      if (link.dataset.cd) return;
      link.dataset.cd = "1";
      link.setAttribute("role", "button");
      link.setAttribute("aria-label", link.title);
    });
    message.querySelectorAll('a[href^="#c-"]').forEach((link) => {
      const found = MARK.exec(link.getAttribute("href"));
      if (!found) return;
      loadAnswer(found[1]); // while the answer still grows
      if (link.dataset.cd) return;
      link.dataset.cd = "1";
      link.setAttribute("role", "button");
      if (found[2][0] !== "r") link.setAttribute("aria-label", T.mark(link.textContent));
    });
    // the last link is there only when the answer is whole: a growing one is drawn anew each time
    const end = message.querySelector('a[href^="#s-"]');
    const found = end && END.exec(end.getAttribute("href"));
    const id = found ? found[1] : "";
    if (id) message.querySelectorAll("table").forEach(decorateTable);
    const old = message.querySelector(":scope > .cd-cards");
    if (old && old.dataset.answer !== id) old.remove();
    if (!id) return;
    if (old && old.dataset.answer === id) {
      if (last && old.childElementCount) offerNext(message, id);
      return;
    }
    const place = make("section", "cd-cards");
    place.dataset.answer = id;
    message.appendChild(place);
    loadAnswer(id).then(
      (answer) => {
        const built = cards(answer, id);
        built.dataset.answer = id;
        place.replaceWith(built);
        if (answer.open && !opened.has(id)) openMark(id, "1"); // 打开第三条: asked for in words
        opened.add(id);
        document.dispatchEvent(new CustomEvent("chadang-answer", { detail: answer }));
        plan();
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
  // what is being pressed stays under the finger: between down and up the page once moved away
  ["wheel", "touchmove", "keydown", "pointerdown"].forEach((name) =>
    document.addEventListener(name, () => { followUntil = 0; }, { passive: true, capture: true })
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

  /* The hidden box carries what is no question: a reading to take off, a conversation to open. */
  function command(text) {
    const box = hiddenBox("cd-without");
    if (!box || isBusy()) return false;
    put(box, text);
    press(box);
    return true;
  }

  /* A chip names a reading; the hidden box carries it to the server, which asks again without. */
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href^="#w-"]');
    const found = link && CHIP.exec(link.getAttribute("href"));
    if (!found) return;
    event.preventDefault();
    event.stopPropagation();
    if (!command(found[1])) return;
    document.dispatchEvent(new CustomEvent("chadang-taken-off", { detail: link.textContent }));
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
    openAddress();
    window.addEventListener("hashchange", openAddress);
  }

  /* The place a permalink names. */
  function openAddress() {
    const place = PLACE.exec(window.location.hash);
    if (!place) return;
    window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
    // Back to a list, never to the sign-in page: from there one would come here again.
    const from = document.referrer.startsWith(BASE) ? document.referrer.slice(BASE.length) : "";
    cameFromPage = from !== "" && !/^(app|login|setup|account|record)\b/.test(from);
    drawer.openPlace(place[1], Number(place[2]), Number(place[3]), Number(place[4]), place[5] || "");
  }

  /* For the page's other scripts. */
  window.Chadang = { BASE, make, button, fetchJson, toast, send, command, put, hiddenBox, questionBox, isBusy };

  start();
})();
