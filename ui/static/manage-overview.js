import { BASE, add, card, complain, mainOf, make, request } from "./manage.js";

request("api/admin/overview").then((state) => {
  const facts = card("现在", "mg-now");
  const list = make("dl", "ad-facts");
  for (const [name, value] of state.facts) {
    add(list, add(make("div"), make("dt", "", name), make("dd", "", value)));
  }
  add(facts.body, list);
  const places = card("各页", "mg-places");
  const links = make("ul", "mg-places");
  for (const place of state.places) {
    const link = make("a");
    link.href = BASE + place.address;
    add(link, make("strong", "", place.name), make("span", "ad-soft", place.purpose));
    links.append(add(make("li"), link));
  }
  add(places.body, links);
  mainOf(facts, places);
}).catch(complain);
