/* What the pages of administration share. Foreign text only ever goes into textContent. */

import { BASE, add, button, make } from "./dom.js";
import { card, request, send } from "./panel.js";

export { BASE, add, button, card, make, request, send };

export const LOST = "连不上服务器。请检查网络，稍后再试。";
export const READER = document.body.dataset.reader || "";

const said = make("div", "ad-said");
said.setAttribute("role", "status");
document.body.append(said);
let saidTimer = 0;
export function say(text, wrong) {
  said.textContent = text;
  said.classList.toggle("ad-wrong", Boolean(wrong));
  window.clearTimeout(saidTimer);
  saidTimer = window.setTimeout(() => { said.textContent = ""; }, wrong ? 10000 : 6000);
}

export const complain = (error) => say(error.shown ? error.message : LOST, true);

/* Run an action once: the button sleeps until it is done. */
export function once(element, action) {
  if (element.disabled) return;
  element.disabled = true;
  const free = () => { element.disabled = false; };
  action().then(free, (error) => { free(); complain(error); });
}

export function mainOf(...cards) {
  const main = document.getElementById("ad-main");
  main.replaceChildren(...main.querySelectorAll(".cd-title"));
  for (const each of cards) main.append(each.section);
  return main;
}

export function field(label, control, hint) {
  const box = make("label", "", label);
  add(box, control);
  if (hint) add(box, make("span", "ad-soft", hint));
  return box;
}

export function input(value, longest, hint) {
  const element = make("input");
  element.type = "text";
  element.value = value || "";
  element.maxLength = longest || 200;
  if (hint) element.placeholder = hint;
  return element;
}

export function select(options, value) {
  const element = make("select");
  for (const [key, text] of options) {
    const option = make("option", "", text);
    option.value = key;
    element.append(option);
  }
  if (value !== undefined) element.value = value;
  return element;
}

/* A table that scrolls by itself on a narrow screen; `rows` are lists of text or elements. */
export function table(headings, rows, label) {
  const element = make("table", "mg-table");
  const head = make("tr");
  for (const name of headings) {
    const cell = make("th", "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const body = make("tbody");
  for (const cells of rows) {
    const row = make("tr");
    cells.forEach((cell, i) => {
      const td = make("td");
      td.dataset.heading = headings[i];
      if (cell instanceof Node) td.append(cell);
      else {
        td.textContent = cell === null || cell === undefined ? "" : String(cell);
        if (td.textContent.length <= 6) td.className = "mg-short";
      }
      row.append(td);
    });
    body.append(row);
  }
  add(element, add(make("thead"), head), body);
  const box = make("div", "mg-scroll");
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", label);
  return add(box, element);
}

export const moment = (iso) => iso.slice(0, 16).replace("T", " ");
