/* Who is signed in: notices when a session is over, and signs out. On every page; runs in the head,
   before Gradio, because it looks at every answer of the server. */
(function () {
  "use strict";

  const BASE = new URL("../", document.currentScript.src);
  const EVERY = 60000;
  const ended = { done: false };

  function here() {
    const path = window.location.pathname;
    return path.startsWith(BASE.pathname) ? path.slice(BASE.pathname.length) : "";
  }

  /* What is on the screen is for who was signed in: leave it. */
  function toSignIn() {
    if (ended.done || here() === "login" || here() === "setup") return;
    ended.done = true;
    if (document.documentElement.classList.contains("cd-widget")) { // its opening page knows what to do
      window.location.replace(BASE.href.replace(/s\/[\w-]{43}\/$/, ""));
      return;
    }
    const next = here() + window.location.search.replace(/[?&]__theme=\w+/, "");
    const address = new URL("login", BASE);
    if (next) address.searchParams.set("next", next);
    window.location.replace(address.href);
  }

  function isOurs(address) {
    try {
      const url = new URL(address, window.location.href);
      return url.origin === BASE.origin && url.pathname.startsWith(BASE.pathname);
    } catch (error) {
      return false;
    }
  }

  const fetchAsBefore = window.fetch;
  window.fetch = function (wanted, options) {
    const answer = fetchAsBefore.call(this, wanted, options);
    const address = typeof wanted === "string" ? wanted : wanted.url || String(wanted);
    if (isOurs(address)) {
      answer.then((response) => { if (response.status === 401) toSignIn(); }, () => undefined);
    }
    return answer;
  };

  function look() {
    if (document.visibilityState === "hidden") return;
    window.fetch(new URL("api/session", BASE).href, { credentials: "same-origin", cache: "no-store" })
      .catch(() => undefined);
  }

  function signOut(event) {
    const link = event.target.closest && event.target.closest("a.cd-sign-out");
    if (!link) return;
    event.preventDefault();
    if (link.dataset.busy) return;
    link.dataset.busy = "1";
    fetchAsBefore(new URL("logout", BASE).href, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    }).then((response) => response.json()).then(
      (body) => window.location.replace(new URL(String(body.next), BASE).href),
      () => { window.location.href = link.href; }
    );
  }

  document.addEventListener("click", signOut);
  // a page the browser kept may belong to who was here before
  window.addEventListener("pageshow", (event) => { if (event.persisted) look(); });
  document.addEventListener("visibilitychange", look);
  window.setInterval(() => { if (document.querySelector("a.cd-sign-out")) look(); }, EVERY);
})();
