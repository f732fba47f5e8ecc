/* What every page of administration is made of, the ingest page too. Nothing is done on loading. */

import { BASE, add, make } from "./dom.js";

export function request(path, options) {
  return fetch(BASE + path, { credentials: "same-origin", ...options }).then((response) =>
    response.json().then((body) => {
      if (response.ok) return body;
      const error = new Error(String(body.detail || response.status));
      error.shown = true;
      throw error;
    })
  );
}

export function send(path, body) {
  return request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body || {}),
  });
}

export function card(title, id) {
  const section = make("section", "ad-card");
  const heading = make("h2", "", title);
  heading.id = id;
  section.setAttribute("aria-labelledby", id);
  const note = make("small");
  heading.append(" ", note);
  const body = make("div");
  add(section, heading, body);
  return { section, note, body };
}
