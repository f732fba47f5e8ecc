/* The chat inside the widget's frame: talks with the page around it (widget.js). A message counts
   only when it comes from the page that frames us and that page's origin is on the list. */
(function () {
  "use strict";
  if (window.parent === window) return;

  const root = document.documentElement;
  const base = new URL("../", document.currentScript.src).href;
  const door = base.replace(/s\/[\w-]{43}\/$/, "");
  const origins = (root.dataset.origins || "").split(" ").filter(Boolean);
  const CHECK_MS = 60000;
  let host = "";
  let question = "";

  function send(message) {
    if (host) window.parent.postMessage(Object.assign({ chadang: 1 }, message), host);
  }

  function box() {
    return document.querySelector("#cd-question textarea");
  }

  function isBusy() {
    return document.body.classList.contains("cd-busy");
  }

  /* -- a question from the page around --------------------------------------------------------- */

  function ask() {
    const area = box();
    if (!question) return;
    if (!area || isBusy()) {
      window.setTimeout(ask, 250);
      return;
    }
    area.value = question;
    question = "";
    area.dispatchEvent(new Event("input", { bubbles: true }));
    window.setTimeout(() =>
      area.dispatchEvent(new KeyboardEvent("keypress", { key: "Enter", bubbles: true, cancelable: true })), 60);
  }

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || origins.indexOf(event.origin) < 0) return;
    const message = event.data;
    if (!message || message.chadang !== 1) return;
    if (message.type === "hello" && !host) {
      host = event.origin;
      whenThere(() => send({ type: "ready", phase: "chat" }));
    } else if (event.origin !== host) return;
    else if (message.type === "ask" && typeof message.q === "string") {
      question = message.q.slice(0, 500);
      ask();
    } else if (message.type === "shown") {
      check();
      const area = box();
      if (area && !window.matchMedia("(pointer: coarse)").matches) area.focus({ preventScroll: true });
    } else if (message.type === "hidden") {
      const dialog = openDialog();
      if (dialog) dialog.close();
    }
  });

  function whenThere(action) {
    if (box()) action();
    else window.setTimeout(() => whenThere(action), 100);
  }

  /* -- a source needs room ---------------------------------------------------------------------- */

  function openDialog() {
    return document.querySelector("dialog[open]");
  }

  let wide = false;
  function look() {
    const now = openDialog() !== null;
    if (now === wide) return;
    wide = now;
    send({ type: "wide", on: now });
  }
  new MutationObserver(look).observe(document.body, {
    attributes: true, attributeFilter: ["open"], childList: true, subtree: true,
  });

  /* Escape closes what is on top: an open source by itself, then the window around us. */
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.isComposing && event.keyCode !== 229 && !openDialog()) {
      event.preventDefault();
      send({ type: "close" });
    }
  });

  /* -- the session may be over by the time somebody comes back --------------------------------- */

  let checked = Date.now();
  function check() {
    if (Date.now() - checked < CHECK_MS) return;
    checked = Date.now();
    fetch(`${base}api/status`, { credentials: "same-origin", cache: "no-store", redirect: "manual" }).then(
      (response) => {
        if (response.status === 401 || response.type === "opaqueredirect") window.location.replace(door);
      },
      () => undefined
    );
  }
  document.addEventListener("focusin", check);
  window.addEventListener("focus", check);
})();
