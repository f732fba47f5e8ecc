/* Small tools of the pages. Text from the archive only ever goes into textContent. */

/** Root of the site, whatever path a proxy puts it under. */
export const BASE = new URL("../", import.meta.url).href;

export function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

export function add(parent, ...children) {
  parent.append(...children.filter((child) => child !== null));
  return parent;
}

export function button(text, action, className) {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", action);
  return element;
}

/** A link to an address below the site's root. */
export function link(path, text, className) {
  const element = make("a", className, text);
  element.href = BASE + path;
  return element;
}

/** JSON from below the root; an error bears the server's sentence, or none when nothing came. */
export async function request(path) {
  let response;
  try {
    response = await fetch(BASE + path, { credentials: "same-origin" });
  } catch (error) {
    throw new Error("连不上服务器，请检查网络后再试。");
  }
  let body = null;
  try { body = await response.json(); } catch (error) { /* not ours */ }
  if (response.ok && body !== null) return body;
  throw new Error((body && typeof body.detail === "string" && body.detail) || "没有查成，请稍后再试；若一直如此，请联系管理员。");
}

const NUMBER = new Intl.NumberFormat("zh-CN");
export const figure = (number) => NUMBER.format(number);
