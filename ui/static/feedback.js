/* Under each answer: 对, 错, 引文不符, and words to go with it. What was said about an answer stays
   said while the page redraws its messages. */
(function () {
  "use strict";

  const BASE = new URL("../", document.currentScript.src).href;
  const END = /^#s-([0-9a-f]{32})$/; // the end of an answer or refusal, with its id
  const LONGEST = 500;
  const OPINIONS = ["对", "错", "引文不符"];
  const T = {
    ask: "这条答复：",
    group: "反馈这条答复",
    words: "哪里不对？（可不填）",
    hint: "例如：应是2019年的决议；第②条引文不是这件档案里的话",
    send: "提交",
    cancel: "取消",
    sent: (opinion) => `已反馈“${opinion}”，档案管理员会看到。`,
    change: "改一改",
    gone: "这条答复已不在内存中，请重新提问后再反馈。",
    lost: "没有送到，请稍后再试。",
  };
  const states = new Map(); // answer id -> { opinion, sent, words, error, busy }

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function button(text, action, className) {
    const element = make("button", className || "", text);
    element.type = "button";
    element.addEventListener("click", action);
    return element;
  }

  function state(id) {
    if (!states.has(id)) states.set(id, { opinion: "", sent: "", words: "", error: "", busy: false });
    return states.get(id);
  }

  function draw(bar, id, focus) {
    const now = state(id);
    bar.replaceChildren();
    const row = make("div", "cd-feedback-row");
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", T.group);
    if (now.sent) {
      const told = make("span", "cd-feedback-told", T.sent(now.sent));
      told.setAttribute("role", "status");
      row.append(told, button(T.change, () => {
        now.opinion = now.sent = "";
        draw(bar, id, "button");
      }));
      bar.append(row);
      if (focus) bar.querySelector("button").focus({ preventScroll: true });
      return;
    }
    row.append(make("span", "cd-feedback-ask", T.ask));
    OPINIONS.forEach((opinion) => {
      const choice = button(opinion, () => {
        if (now.busy) return;
        now.error = "";
        now.opinion = now.opinion === opinion ? "" : opinion;
        if (now.opinion === "对") send(bar, id);
        else draw(bar, id, now.opinion ? "textarea" : "button");
      });
      choice.setAttribute("aria-pressed", String(now.opinion === opinion));
      choice.disabled = now.busy;
      row.append(choice);
    });
    bar.append(row);
    if (now.opinion && now.opinion !== "对") bar.append(form(bar, id));
    if (now.error) {
      const told = make("p", "cd-feedback-error", now.error);
      told.setAttribute("role", "alert");
      bar.append(told);
    }
    if (focus && bar.querySelector(focus)) bar.querySelector(focus).focus({ preventScroll: true });
    if (focus === "textarea") bar.scrollIntoView({ block: "nearest" });
  }

  function form(bar, id) {
    const now = state(id);
    const box = make("form", "cd-feedback-form");
    const label = make("label", "", T.words);
    const area = make("textarea");
    area.rows = 2;
    area.maxLength = LONGEST;
    area.placeholder = T.hint;
    area.value = now.words;
    area.addEventListener("input", () => { now.words = area.value; });
    area.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the page listens for keys of its own
      if (event.key === "Escape") cancel();
    });
    const cancel = () => {
      now.opinion = "";
      draw(bar, id, "button");
    };
    label.append(area);
    const submit = make("button", "cd-feedback-send", T.send);
    submit.type = "submit";
    submit.disabled = now.busy;
    box.append(label, submit, button(T.cancel, cancel));
    box.addEventListener("submit", (event) => {
      event.preventDefault();
      send(bar, id);
    });
    return box;
  }

  function send(bar, id) {
    const now = state(id);
    if (now.busy || !now.opinion) return;
    now.busy = true;
    now.error = "";
    draw(bar, id);
    fetch(`${BASE}api/feedback`, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ answer: id, verdict: now.opinion, words: now.opinion === "对" ? "" : now.words }),
    }).then((response) => response.json().then((body) => {
      if (response.ok) now.sent = now.opinion;
      else now.error = response.status === 404 ? T.gone : String(body.detail || T.lost);
    })).catch(() => { now.error = T.lost; }).then(() => {
      now.busy = false;
      if (now.error && now.opinion === "对") now.opinion = "";
      draw(bar.isConnected ? bar : document.querySelector(`.cd-feedback[data-answer="${id}"]`) || bar, id, "button");
    });
  }

  function decorate(message) {
    // only when the answer is whole: a growing one is drawn anew with every piece
    const link = message.querySelector('a[href^="#s-"]');
    const found = link && END.exec(link.getAttribute("href"));
    const old = message.querySelector(":scope > .cd-feedback");
    if (!found) {
      if (old) old.remove();
      return;
    }
    if (old && old.dataset.answer === found[1]) {
      if (message.lastElementChild !== old && !old.contains(document.activeElement)) message.append(old);
      return;
    }
    if (old) old.remove();
    const bar = make("section", "cd-feedback");
    bar.dataset.answer = found[1];
    draw(bar, found[1]);
    message.append(bar);
  }

  let planned = false;
  function plan() {
    if (planned) return;
    planned = true;
    window.requestAnimationFrame(() => {
      planned = false;
      document.querySelectorAll("#cd-chat [data-testid=bot]").forEach(decorate);
    });
  }

  new MutationObserver(plan).observe(document.querySelector("gradio-app") || document.body, {
    childList: true,
    subtree: true,
  });
  plan();
})();
