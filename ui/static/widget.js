/* 查档小窗: one line on any intranet page,
     <script src="http://dang.example/widget.js" data-label="查档" defer></script>
   puts a button there and opens the archive's chat in a frame. Talks to that frame only, and only
   in its origin. Every style is set on our own elements, none on the page; no style sheet, no
   inline code, so a page with a strict policy need only allow our origin (script-src, frame-src). */
(function () {
  "use strict";
  if (window.ChadangWidget) return;

  const script = document.currentScript;
  const base = new URL(/\/static\/widget\.js$/.test(new URL(script.src).pathname) ? "../" : "./", script.src);
  const ours = base.origin;
  const data = script.dataset;

  const T = {
    label: "查档",
    close: "关闭",
    enlarge: "放大",
    shrink: "还原",
    opening: "正在打开…",
    failed: "查档打不开：可能是服务没有启动，或者本站点不在查档允许嵌入的名单里。",
    alone: "在新窗口打开查档",
    noToken: "请求登录令牌失败",
  };
  const SMALL = { width: 420, height: 640 };
  const PHONE = window.matchMedia("(max-width: 480px)");
  const FONT = '"PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "WenQuanYi Micro Hei", sans-serif';
  const TOP = 2147483000;

  /* -- options ------------------------------------------------------------------------------- */

  function warn(name, value) {
    console.warn(`chadang widget: data-${name}="${value}" is not understood and was left out`);
  }

  function option(name, pattern, usual) {
    const value = (data[name.replace(/-./g, (c) => c[1].toUpperCase())] || "").trim();
    if (!value) return usual;
    if (pattern.test(value)) return value;
    warn(name, value);
    return usual;
  }

  const label = option("label", /^[^\u0000-\u001f]{1,20}$/, T.label);
  const colour = option("color", /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i, "#a6192e");
  const place = option("position", /^(?:left|right)-(?:top|bottom)$/, "right-bottom").split("-");
  const offset = option("offset", /^\d{1,3}(?:,\d{1,3})?$/, "24").split(",").map(Number);
  const openAtOnce = option("open", /^(?:true|false)$/, "false") === "true";
  const ink = contrastTo(colour);
  const tokenUrl = sameSite(data.tokenUrl);

  function sameSite(value) {
    if (!value) return null;
    let url = null;
    try { url = new URL(value, document.baseURI); } catch (error) { /* told below */ }
    if (url && url.origin === window.location.origin) return url.href;
    warn("token-url", value); // the portal signs tokens for its own pages only
    return null;
  }

  /* White or black, whichever can be read on a colour. */
  function contrastTo(hex) {
    const long = hex.length === 4 ? hex.replace(/[0-9a-f]/gi, "$&$&") : hex;
    const parts = [1, 3, 5].map((at) => parseInt(long.slice(at, at + 2), 16) / 255);
    const linear = parts.map((c) => (c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4)));
    const light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#ffffff" : "#000000";
  }

  /* -- elements ------------------------------------------------------------------------------ */

  /* The page's own rules must not reach our elements, nor ours the page. */
  function css(element, rules) {
    Object.keys(rules).forEach((name) => element.style.setProperty(name, String(rules[name]), "important"));
    return element;
  }

  function make(tag, rules) {
    return css(css(document.createElement(tag), { all: "initial", "box-sizing": "border-box", "font-family": FONT }), rules);
  }

  function svg(path, size) {
    const space = "http://www.w3.org/2000/svg";
    const image = document.createElementNS(space, "svg");
    const line = document.createElementNS(space, "path");
    image.setAttribute("viewBox", "0 0 24 24");
    image.setAttribute("aria-hidden", "true");
    css(image, { all: "initial", width: `${size}px`, height: `${size}px`, display: "block", flex: "none" });
    css(line, { fill: "none", stroke: ink, "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round" });
    line.setAttribute("d", path);
    image.appendChild(line);
    return image;
  }

  function button(name, path, rules, action) {
    const element = make("button", Object.assign({
      display: "flex", "align-items": "center", "justify-content": "center", gap: "6px",
      "min-width": "44px", "min-height": "44px", padding: "0 12px", cursor: "pointer",
      color: ink, background: colour, "font-size": "16px", "font-weight": "600", "line-height": "1.2",
      "border-radius": "6px", "white-space": "nowrap",
    }, rules));
    element.type = "button";
    element.append(svg(path, 20), Object.assign(make("span", { color: ink, font: "inherit", cursor: "pointer" }), { textContent: name }));
    element.addEventListener("click", action);
    element.addEventListener("focus", () => {
      if (element.matches(":focus-visible")) css(element, { outline: `3px solid ${ink}`, "outline-offset": "-5px" });
    });
    element.addEventListener("blur", () => css(element, { outline: "none" }));
    return element;
  }

  const ICON = {
    search: "M10.5 4a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13M15.5 15.5L20 20",
    close: "M6 6L18 18M18 6L6 18",
    wide: "M4 10V4h6M20 14v6h-6M4 4l6 6M20 20l-6-6",
  };

  const launcher = button(label, ICON.search, {
    position: "fixed", "z-index": TOP, [place[0]]: `${offset[0]}px`,
    [place[1]]: `${offset.length > 1 ? offset[1] : offset[0]}px`, height: "52px", padding: "0 18px",
    "border-radius": "26px", "box-shadow": "0 3px 12px rgba(0, 0, 0, 0.35)", border: "1px solid rgba(255, 255, 255, 0.6)",
  }, () => toggle());
  launcher.setAttribute("aria-haspopup", "dialog");
  launcher.setAttribute("aria-expanded", "false");
  launcher.title = label;

  let panel = null, frame = null, enlarge = null, shut = null, note = null;

  function build() {
    panel = make("div", { display: "none" });
    panel.setAttribute("role", "dialog");
    panel.setAttribute("aria-label", label);
    panel.tabIndex = -1;
    const bar = make("div", { display: "flex", "align-items": "center", flex: "none", height: "48px", padding: "0 2px 0 14px", background: colour });
    const title = make("span", {
      flex: "1 1 0", color: ink, "font-size": "18px", "font-weight": "700", overflow: "hidden",
      "text-overflow": "ellipsis", "white-space": "nowrap",
    });
    title.textContent = label;
    enlarge = button(T.enlarge, ICON.wide, { background: "transparent" }, () => setWide(!byHand, true));
    shut = button(T.close, ICON.close, { background: "transparent" }, () => close());
    bar.append(title, enlarge, shut);
    note = make("div", {
      position: "absolute", inset: "48px 0 0 0", padding: "28px 22px", background: "#ffffff", color: "#1c2026",
      "font-size": "17px", "line-height": "1.7", display: "block",
    });
    note.setAttribute("role", "status");
    note.textContent = T.opening;
    frame = document.createElement("iframe");
    css(frame, { all: "initial", display: "block", flex: "1 1 0", width: "100%", "min-height": "0", border: "0", background: "#ffffff" });
    frame.title = label;
    frame.allow = "clipboard-write";
    frame.addEventListener("load", greet);
    frame.src = new URL("widget/", base).href;
    panel.append(bar, frame, note);
    window.setTimeout(() => { if (!ready) fail(); }, 20000);
  }

  function attach() {
    if (!launcher.isConnected) document.body.appendChild(launcher);
    if (panel && !panel.isConnected) document.body.appendChild(panel);
  }

  /* -- size ---------------------------------------------------------------------------------- */

  let opened = false, byHand = false, bySource = false, opener = null, scrolling = null, quiet = false;

  function layout() {
    if (!panel) return;
    const phone = PHONE.matches;
    const wide = !phone && (byHand || bySource);
    const view = window.visualViewport;
    const common = {
      position: "fixed", "z-index": TOP + 1, display: opened ? "flex" : "none", "flex-direction": "column",
      overflow: "hidden", background: "#ffffff", inset: "auto", margin: "0", transform: "none", outline: "none",
      "max-width": "none", "max-height": "none", "border-radius": phone ? "0" : "10px",
      "box-shadow": "0 8px 40px rgba(0, 0, 0, 0.4)",
    };
    if (phone) {
      Object.assign(common, { left: "0", top: view ? `${view.offsetTop}px` : "0", width: "100%", height: view ? `${view.height}px` : "100%" });
    } else if (wide) {
      Object.assign(common, { left: "2vw", top: "3vh", width: "96vw", height: "94vh" });
    } else {
      Object.assign(common, {
        [place[0]]: `${offset[0]}px`, [place[1]]: `${offset.length > 1 ? offset[1] : offset[0]}px`,
        width: `min(${SMALL.width}px, 94vw)`, height: `min(${SMALL.height}px, 92vh)`,
      });
    }
    css(panel, common);
    css(launcher, { display: opened ? "none" : "flex" });
    css(enlarge, { display: phone || bySource ? "none" : "flex" });
    enlarge.lastChild.textContent = byHand ? T.shrink : T.enlarge;
    enlarge.setAttribute("aria-pressed", String(byHand));
    panel.setAttribute("aria-modal", String(opened && (phone || wide)));
    holdPage(opened && phone);
  }

  /* Behind a full screen the page must not scroll. */
  function holdPage(hold) {
    const root = document.documentElement;
    if (hold && scrolling === null) {
      scrolling = [root.style.getPropertyValue("overflow"), root.style.getPropertyPriority("overflow")];
      root.style.setProperty("overflow", "hidden", "important");
    } else if (!hold && scrolling !== null) {
      if (scrolling[0]) root.style.setProperty("overflow", scrolling[0], scrolling[1]);
      else root.style.removeProperty("overflow");
      scrolling = null;
    }
  }

  function setWide(on, hand) {
    if (hand) byHand = on;
    else bySource = on;
    layout();
  }

  /* -- open and close ------------------------------------------------------------------------ */

  function open(options, quietly) {
    const q = options && typeof options.q === "string" ? options.q.trim().slice(0, 500) : "";
    if (!opened) {
      opener = document.activeElement;
      if (!panel) build();
      opened = true;
      attach();
      launcher.setAttribute("aria-expanded", "true");
      layout();
      quiet = quietly === true; // opened by itself: the keyboard stays where the page has it
      if (quiet) keepFocus();
      if (!quiet) (PHONE.matches ? panel : frame).focus();
      if (!quiet) send({ type: "shown" });
    }
    if (q) {
      question = q;
      pass();
    }
  }

  /* Until the chat is there, and a moment longer: its box asks for the focus as it appears. */
  function keepFocus() {
    let last = document.activeElement;
    const follow = (event) => { if (event.target !== frame) last = event.target; };
    const back = () => window.setTimeout(() => {
      if (document.activeElement !== frame) return;
      frame.blur();
      if (last && last.isConnected && last !== document.body && last !== frame) last.focus({ preventScroll: true });
    });
    document.addEventListener("focusin", follow);
    window.addEventListener("blur", back);
    const over = () => {
      if (opened && ready !== "chat" && quiet) {
        window.setTimeout(over, 1000);
        return;
      }
      document.removeEventListener("focusin", follow);
      window.removeEventListener("blur", back);
    };
    window.setTimeout(over, 1500);
  }

  function close() {
    if (!opened) return;
    opened = false;
    bySource = false;
    launcher.setAttribute("aria-expanded", "false");
    layout();
    send({ type: "hidden" });
    const back = opener && opener.isConnected && opener !== document.body && opener !== frame ? opener : launcher;
    opener = null;
    back.focus({ preventScroll: true });
  }

  function toggle() {
    if (opened) close();
    else open();
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && opened && !event.defaultPrevented && !event.isComposing) {
      event.preventDefault();
      close();
    }
  });
  document.addEventListener("focusin", (event) => {
    // a full screen keeps the keyboard; the page behind it cannot be seen
    if (opened && panel.getAttribute("aria-modal") === "true" && !panel.contains(event.target)) shut.focus();
  });
  window.addEventListener("resize", layout);
  if (PHONE.addEventListener) PHONE.addEventListener("change", layout);
  if (window.visualViewport) window.visualViewport.addEventListener("resize", layout);
  window.addEventListener("beforeprint", () => css(launcher, { display: "none" }));
  window.addEventListener("afterprint", () => css(launcher, { display: opened ? "none" : "flex" }));

  /* -- the frame ----------------------------------------------------------------------------- */

  let ready = "", question = "", waiting = 0;

  function send(message) {
    if (frame && frame.contentWindow && ready) frame.contentWindow.postMessage(Object.assign({ chadang: 1 }, message), ours);
  }

  /* Every page of the frame is greeted when it has loaded; what answers in our origin is ours. */
  function greet() {
    ready = "";
    frame.contentWindow.postMessage({ chadang: 1, type: "hello", token: Boolean(tokenUrl) }, ours);
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => { if (!ready) fail(); }, 5000);
  }

  function fail() {
    note.textContent = T.failed;
    const link = make("a", {
      display: "inline-block", "margin-top": "14px", "min-height": "44px", "line-height": "44px", color: "#1d4f91",
      "text-decoration": "underline", cursor: "pointer", "font-size": "17px",
    });
    link.href = new URL("app/", base).href;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = T.alone;
    note.append(document.createElement("br"), link);
    css(note, { display: "block" });
  }

  function pass() {
    if (ready !== "chat" || !question) return;
    send({ type: "ask", q: question });
    question = "";
  }

  function giveToken() {
    fetch(tokenUrl, { credentials: "same-origin", cache: "no-store", headers: { Accept: "application/json" } })
      .then((response) => {
        if (!response.ok) throw new Error(String(response.status));
        return response.json();
      })
      .then((body) => {
        if (!body || typeof body.token !== "string") throw new Error("no token in the answer");
        send({ type: "token", token: body.token });
      })
      .catch((error) => {
        console.warn(`chadang widget: ${T.noToken}: ${error.message}`);
        send({ type: "token", token: "" });
      });
  }

  window.addEventListener("message", (event) => {
    if (!frame || event.source !== frame.contentWindow || event.origin !== ours) return;
    const message = event.data;
    if (!message || message.chadang !== 1) return;
    if (message.type === "ready") {
      ready = message.phase === "chat" ? "chat" : "door";
      css(note, { display: "none" });
      if (opened && !quiet) send({ type: "shown" });
      pass();
    } else if (message.type === "token" && tokenUrl) giveToken();
    else if (message.type === "close") close();
    else if (message.type === "wide") setWide(message.on === true, false);
  });

  window.ChadangWidget = Object.freeze({ open: (options) => open(options), close: close, toggle: toggle });

  function start() {
    attach();
    if (openAtOnce) open(null, true);
  }
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
