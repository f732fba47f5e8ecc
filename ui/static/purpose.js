/* The line above the question box that asks for the purpose (利用目的), once per conversation. The
   hidden box carries it with every question; the server decides whether one is needed. */
(function () {
  "use strict";

  const BASE = new URL("../", document.currentScript.src).href;
  const T = {
    label: "利用目的",
    choose: "请选择",
    none: "不说明",
    words: "请写明目的",
    sometimes: "查阅未开放档案时要选",
    needed: "请先选择利用目的，再提问。",
    needWords: "选“其他”的，请写明目的。",
    reopen: "请先选择利用目的，再接着上次的对话。",
  };
  let bar = null;
  let rules = null;
  let asked = false; // whether the rules were asked for, be it in vain
  let waiting = null; // what goes on once a purpose is stated

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function hidden() {
    return document.querySelector("#cd-purpose textarea, #cd-purpose input");
  }

  function value() {
    if (!bar) return "";
    const chosen = bar.select.value;
    if (chosen !== rules.other) return chosen;
    const words = bar.words.value.trim();
    return words ? `${chosen}：${words}` : "";
  }

  function carry() {
    const box = hidden();
    if (!box || box.value === value()) return;
    box.value = value();
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function changed() {
    const other = bar.select.value === rules.other;
    bar.words.hidden = !other;
    told("");
    carry();
    if (value()) goOn();
    if (value()) {
      fetch(`${BASE}api/purpose`, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ purpose: value() }),
      }).catch(() => undefined); // the next question carries it all the same
    }
  }

  function told(text) {
    bar.alert.textContent = text;
    bar.frame.classList.toggle("cd-needed", Boolean(text));
  }

  function goOn() {
    const go = waiting;
    waiting = null;
    if (go) go();
  }

  /* A kept conversation goes on: with the purpose stated for it, or once one is stated. Opened
     without, every answer in it would be withheld one by one. */
  function reopen() {
    if (!waiting || !asked) return;
    if (!rules || rules.when !== "always") {
      goOn();
      return;
    }
    if (!bar) return;
    if (!value() && rules.stated) {
      const [chosen, words] = rules.stated.split("：");
      bar.select.value = chosen;
      bar.words.value = words || "";
      bar.words.hidden = chosen !== rules.other;
      carry();
    }
    if (value()) goOn();
    else {
      told(T.reopen);
      bar.select.focus();
    }
  }

  document.addEventListener("chadang-reopen", (event) => {
    waiting = event.detail;
    reopen();
  });

  function build(mode) {
    const frame = make("div", "cd-purpose-bar");
    const label = make("label", "", T.label);
    const select = make("select");
    select.setAttribute("aria-label", T.label);
    select.append(new Option(rules.when === "always" ? T.choose : T.none, ""));
    rules.purposes.forEach((purpose) => select.append(new Option(purpose, purpose)));
    label.append(select);
    const words = make("input");
    words.type = "text";
    words.maxLength = rules.longest;
    words.placeholder = T.words;
    words.hidden = true;
    words.setAttribute("aria-label", T.words);
    const alert = make("span", "cd-purpose-alert");
    alert.setAttribute("role", "alert");
    frame.append(label, words);
    if (rules.when === "restricted") frame.append(make("span", "cd-purpose-note", T.sometimes));
    frame.append(alert);
    bar = { frame, select, words, alert };
    select.addEventListener("change", () => {
      changed();
      if (!words.hidden) words.focus();
    });
    words.addEventListener("input", () => {
      told("");
      carry();
    });
    words.addEventListener("change", changed);
    mode.append(frame);
  }

  /* Nothing is sent while the purpose is still to be chosen; the server would refuse it anyway. */
  function missing() {
    if (!bar || rules.when !== "always" || value()) return false;
    const other = bar.select.value === rules.other;
    told(other ? T.needWords : T.needed);
    (other ? bar.words : bar.select).focus();
    return true;
  }

  function hold(event) {
    if (!missing()) return;
    event.preventDefault();
    event.stopPropagation();
  }

  ["keydown", "keypress"].forEach((name) => document.addEventListener(name, (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    if (event.target.closest && event.target.closest("#cd-question") && event.target.value) hold(event);
  }, true));
  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!target.closest) return;
    if (target.closest("#cd-question .submit-button, #cd-chat .example, #cd-chat a[href^='#w-']")) hold(event);
    if (target.closest("#cd-new") && bar) { // a new conversation is asked anew
      waiting = null;
      rules.stated = "";
      bar.select.value = "";
      bar.words.value = "";
      changed();
    }
  }, true);

  function place() {
    const mode = document.getElementById("cd-mode");
    if (!mode || !hidden()) return false;
    hidden().tabIndex = -1;
    hidden().setAttribute("aria-hidden", "true");
    if (!bar) {
      build(mode);
      reopen();
    } else if (!bar.frame.isConnected) mode.append(bar.frame);
    return true;
  }

  fetch(`${BASE}api/purpose`, { credentials: "same-origin" })
    .then((response) => response.json())
    .then((found) => {
      asked = true;
      if (!found || !Array.isArray(found.purposes) || found.when === "never") {
        reopen();
        return;
      }
      rules = found;
      new MutationObserver(place).observe(document.querySelector("gradio-app") || document.body, {
        childList: true,
        subtree: true,
      });
      place();
      reopen();
    })
    .catch(() => {
      asked = true;
      reopen();
    });
})();
