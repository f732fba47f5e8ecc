/* Marks feedback as handled; the page is whole without it. */
(function () {
  "use strict";

  const BASE = new URL("../", import.meta.url).href;

  function say(text) {
    document.querySelectorAll(".rg-said").forEach((old) => old.remove());
    const box = document.createElement("div");
    box.className = "rg-said";
    box.setAttribute("role", "status");
    box.textContent = text;
    document.body.append(box);
    window.setTimeout(() => box.remove(), 6000);
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest(".rg-handle");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    fetch(`${BASE}api/admin/feedback/${form.dataset.number}`, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ words: form.elements.words.value }),
    })
      .then((response) => response.json().then((body) => {
        if (!response.ok) throw new Error(String(body.detail || response.status));
        const done = document.createElement("p");
        done.className = "rg-soft";
        done.tabIndex = -1;
        done.textContent = String(body.said);
        form.replaceWith(done);
        done.focus();
      }))
      .catch((error) => {
        button.disabled = false;
        say(error instanceof TypeError ? "连不上服务器，请稍后再试。" : error.message);
      });
  });
})();
