/* The opening page of the widget's frame: finds out who is asking, then goes on to the chat.
   A page of another site is listened to only when it frames us and is on the list. */
(function () {
  "use strict";

  const root = document.documentElement;
  const base = new URL("../", document.currentScript.src);
  const origins = (root.dataset.origins || "").split(" ").filter(Boolean);
  const words = JSON.parse(root.dataset.words);
  const status = document.getElementById("cd-door-status");
  const actions = document.getElementById("cd-door-actions");
  let host = "";
  let asked = false;

  function say(text, more) {
    status.textContent = text;
    actions.replaceChildren(...(more || []));
  }

  function again() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cd-button cd-primary";
    button.textContent = words.again;
    button.addEventListener("click", begin);
    return button;
  }

  function signIn() {
    const link = document.createElement("a");
    link.className = "cd-button cd-primary";
    link.href = new URL("login", base).href;
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = words.signInLink;
    return link;
  }

  function go(path) {
    window.location.replace(new URL(path, new URL("widget/", base)).href);
  }

  function begin() {
    say(words.opening);
    if (asked) window.parent.postMessage({ chadang: 1, type: "token" }, host);
    else look();
  }

  /* Without a token: whoever is signed in here, or the public. */
  function look() {
    fetch(new URL("api/status", base).href, { credentials: "same-origin", cache: "no-store", redirect: "manual" }).then(
      (response) => {
        if (response.ok) go("app/");
        else if (root.dataset.public) exchange("");
        else say(words.signIn, [signIn(), again()]);
      },
      () => say(words.offline, [again()])
    );
  }

  function exchange(token) {
    fetch(new URL("api/widget/session", base).href, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token: token }),
    })
      .then((response) => response.json().then((body) => {
        if (response.ok && /^s\/[\w-]{43}\/app\/$/.test(body.path)) go(body.path);
        else say(body.detail || words.offline, [again()]);
      }))
      .catch(() => say(words.offline, [again()]));
  }

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || window.parent === window) return;
    if (origins.indexOf(event.origin) < 0) return;
    const message = event.data;
    if (!message || message.chadang !== 1) return;
    if (message.type === "hello" && !host) {
      host = event.origin;
      asked = message.token === true;
      window.parent.postMessage({ chadang: 1, type: "ready", phase: "door" }, host);
      begin();
    } else if (message.type === "token" && asked && typeof message.token === "string") {
      if (message.token) exchange(message.token);
      else say(words.noToken, [again()]);
    }
    else if (message.type === "shown") {
      const first = actions.querySelector("button, a");
      if (first) first.focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && host) window.parent.postMessage({ chadang: 1, type: "close" }, host);
  });
  // signed in meanwhile in another window
  window.addEventListener("focus", () => { if (host && !asked && actions.childElementCount) begin(); });

  // opened by itself, or in a plain frame without our script
  window.setTimeout(() => { if (!host) look(); }, window.parent === window ? 0 : 3000);
})();
