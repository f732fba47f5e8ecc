import { add, button, card, complain, field, mainOf, make, once, request, select, table } from "./manage.js";

const NAMES = { INFO: "一般", WARNING: "注意", ERROR: "出错", CRITICAL: "严重", DEBUG: "细节" };
const part = card("最近的记录", "mg-logs");
const level = select([["INFO", "全部"], ["WARNING", "注意和出错"], ["ERROR", "只看出错"]]);
const count = select([["300", "最近 300 条"], ["1000", "最近 1000 条"], ["2000", "最近 2000 条"]]);
const list = make("div");
const load = () => request(`api/admin/logs?level=${level.value}&count=${count.value}`).then((state) => {
  list.textContent = "";
  part.note.textContent = `${state.lines.length} 条，新的在上面`;
  if (!state.lines.length) {
    list.append(make("p", "ad-soft", level.value === "INFO" ? "还没有日志。服务启动之后记下的事会列在这里。" : "没有这一级的记录。"));
    return;
  }
  list.append(table(["时间", "级别", "哪一部分", "内容"], state.lines.map((line) => [
    line.at, make("span", `ad-tag mg-${line.level.toLowerCase()}`, NAMES[line.level] || line.level), line.where, line.what,
  ]), "日志"));
});
const again = button("刷新", () => once(again, load));
for (const control of [level, count]) control.addEventListener("change", () => load().catch(complain));
add(part.body, make("p", "ad-soft", "密钥也不记。文件在馆藏目录的 logs 里，满了自动轮换。"),
  add(make("div", "ad-row mg-end"), field("级别", level), field("条数", count), again), list);
mainOf(part);
load().catch(complain);
