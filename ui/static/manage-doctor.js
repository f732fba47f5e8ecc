import { add, button, card, complain, mainOf, make, moment, once, request, send } from "./manage.js";

const part = card("检查结果", "mg-doctor");
const start = button("开始检查", () => once(start, () => send("api/admin/doctor").then(show)), "ad-main");
const told = make("p", "ad-phase");
told.setAttribute("role", "status");
const list = make("ul", "ad-list ad-open");
add(part.body, make("p", "ad-soft", "约需几秒到几分钟。"),
  add(make("div", "ad-row"), start), told, list);
mainOf(part);

let timer = 0;
function show(state) {
  window.clearTimeout(timer);
  list.textContent = "";
  let bad = 0;
  let hints = 0;
  for (const finding of state.findings) {
    bad += finding.good ? 0 : 1;
    hints += finding.hint ? 1 : 0;
    const kind = finding.hint ? "提示" : finding.good ? "正常" : "有问题";
    const words = add(make("div"),
      make("span", `ad-tag mg-${finding.hint ? "hint" : finding.good ? "good" : "bad"}`, kind),
      make("span", "ad-name", finding.what),
      finding.next_step ? make("div", "ad-soft ad-name", finding.next_step) : null);
    list.append(add(make("li"), words));
  }
  start.disabled = state.running;
  if (state.running) told.textContent = `正在检查……已查 ${state.findings.length} 项。`;
  else if (!state.ended) told.textContent = "服务启动以来还没有检查过。";
  else {
    const sum = bad ? `有 ${bad} 项有问题，请按提示处理。` : "一切正常。";
    told.textContent = `${sum}${hints ? `另有 ${hints} 条提示。` : ""}（${moment(state.ended)} 检查完）`;
  }
  if (state.running) timer = window.setTimeout(() => request("api/admin/doctor").then(show).catch(complain), 700);
}
request("api/admin/doctor").then(show).catch(complain);
