import { add, card, complain, field, input, mainOf, make, request, table } from "./manage.js";

request("api/admin/settings").then((state) => {
  const all = card("全部设置", "mg-settings");
  all.note.textContent = `${state.rows.length} 项，只看不改`;
  const find = input("", 40, "名称或说明里的字");
  const onlySet = make("input");
  onlySet.type = "checkbox";
  const tick = add(make("label", "ad-tick"), onlySet, make("span", "", "只看改过的"));
  const list = make("div");
  const show = () => {
    const words = find.value.trim().toLowerCase();
    const rows = state.rows.filter((r) =>
      (!words || `${r.name} ${r.help}`.toLowerCase().includes(words)) && (!onlySet.checked || r.source !== "默认"));
    list.textContent = "";
    if (!rows.length) {
      list.append(make("p", "ad-soft", onlySet.checked && !words ? "都是默认值，没有改过。" : "没有这样的设置。"));
      return;
    }
    list.append(table(["名称", "现在的值", "来源", "说明"], rows.map((r) => [
      make("code", "", r.name), r.value || "（空）", r.source, r.help + (r.bounds ? `（${r.bounds}）` : ""),
    ]), "设置"));
  };
  find.addEventListener("input", show);
  onlySet.addEventListener("change", show);
  add(all.body,
    make("p", "ad-soft", `要改：在 ${state.file} 里写一行“名称 = 值”，或用环境变量 CHADANG_名称（大写），然后重新启动服务。密钥不显示。`),
    add(make("div", "ad-row mg-end"), field("查找", find), tick), list);
  mainOf(all);
  show();
}).catch(complain);
