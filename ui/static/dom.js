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
  parent.append(...children.filter((child) => child !== null && child !== undefined));
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

const FAILED = "没有查成，请稍后再试；若一直如此，请联系管理员。";

/** JSON from below the root; an error bears the server's sentence, or ours when nothing came. */
export async function request(path) {
  const response = await reach(path);
  let body = null;
  try { body = await response.json(); } catch (error) { /* not ours */ }
  if (response.ok && body !== null) return body;
  throw new Error((body && typeof body.detail === "string" && body.detail) || FAILED);
}

/** Fetches; where the archive wants to know what for, asks the reader once and fetches again. */
async function reach(path, options) {
  let response;
  try {
    response = await fetch(BASE + path, { credentials: "same-origin", ...options });
  } catch (error) {
    throw new Error("连不上服务器，请检查网络后再试。");
  }
  if (response.status === 401) {
    window.location.reload(); // signed out meanwhile: the page leads to signing in and back
    return new Promise(() => undefined);
  }
  if (response.status !== 409 || options) return response;
  const body = await response.clone().json().catch(() => null);
  if (!body || !body.purpose) return response;
  await statePurpose();
  return reach(path, {});
}

let stating = null;

/** A dialog for the purpose (利用目的); two requests at once share it. */
function statePurpose() {
  if (!stating) stating = askPurpose().finally(() => { stating = null; });
  return stating;
}

async function askPurpose() {
  const rules = await (await reach("api/purpose", {})).json();
  const dialog = make("dialog", "br-dialog");
  const form = make("form");
  const heading = make("h2", "", "请选择利用目的");
  heading.id = "br-purpose";
  dialog.setAttribute("aria-labelledby", heading.id);
  const choice = make("select");
  choice.setAttribute("aria-label", "利用目的");
  choice.append(new Option("请选择", ""));
  rules.purposes.forEach((purpose) => choice.append(new Option(purpose, purpose)));
  const words = make("input");
  words.type = "text";
  words.maxLength = rules.longest;
  words.placeholder = "请写明目的";
  words.setAttribute("aria-label", "请写明目的");
  words.hidden = true;
  const said = make("p", "br-alert");
  said.setAttribute("role", "alert");
  choice.addEventListener("change", () => { words.hidden = choice.value !== rules.other; });
  const row = add(make("div", "br-tools"), make("button", "br-main", "继续"), button("不看了", () => dialog.close()));
  add(dialog, add(form, heading, make("p", "br-soft", "按规定，查阅档案要登记利用目的；选一次，这次使用期间都有效。"), choice, words, said, row));
  document.body.append(dialog);
  return new Promise((done, failed) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      failed(new Error("没有选择利用目的，所以没有查。刷新页面可重新选择。"));
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const other = choice.value === rules.other;
      if (!choice.value || (other && !words.value.trim())) {
        said.textContent = other ? "选“其他”的，请写明目的。" : "请先选择利用目的。";
        (other ? words : choice).focus();
        return;
      }
      const purpose = other ? `${choice.value}：${words.value.trim()}` : choice.value;
      try {
        const answer = await reach("api/purpose", {
          method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ purpose }),
        });
        if (!answer.ok) throw new Error((await answer.json()).detail || FAILED);
      } catch (error) {
        said.textContent = error.message;
        return;
      }
      done();
      dialog.close();
    });
    dialog.showModal();
  });
}

/** A link to a file: fetched first, so that a refusal is told on the page. */
export function fileLink(path, text, tell) {
  const element = link(path, text, "br-link");
  element.setAttribute("download", "");
  element.addEventListener("click", async (event) => {
    event.preventDefault();
    if (element.getAttribute("aria-busy")) return;
    element.setAttribute("aria-busy", "true");
    try {
      const response = await reach(path);
      if (!response.ok) throw new Error((await response.json().catch(() => ({}))).detail || FAILED);
      const named = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("content-disposition") || "");
      const file = make("a");
      file.href = URL.createObjectURL(await response.blob());
      file.download = named ? decodeURIComponent(named[1]) : "目录";
      document.body.append(file);
      file.click();
      file.remove();
      window.setTimeout(() => URL.revokeObjectURL(file.href), 60000);
      tell("");
    } catch (error) {
      tell(error.message);
    } finally {
      element.removeAttribute("aria-busy");
    }
  });
  return element;
}

const NUMBER = new Intl.NumberFormat("zh-CN");
export const figure = (number) => NUMBER.format(number);
