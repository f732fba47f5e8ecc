/* Small help on the sign-in and account pages, which work without it: look at what one typed, ask
   before something that cannot be taken back, send once. */
const SHOW = "显示密码";

document.querySelectorAll("form").forEach((form) => {
  const secrets = form.querySelectorAll('input[type="password"]');
  if (secrets.length) {
    const label = document.createElement("label");
    label.className = "ac-tick";
    const box = document.createElement("input");
    box.type = "checkbox";
    const name = document.createElement("span");
    name.textContent = SHOW;
    label.append(box, name);
    box.addEventListener("change", () => {
      secrets.forEach((field) => { field.type = box.checked ? "text" : "password"; });
    });
    secrets[secrets.length - 1].closest("label").after(label);
  }
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent || (form.dataset.ask && !window.confirm(form.dataset.ask))) {
      event.preventDefault();
      return;
    }
    secrets.forEach((field) => { field.type = "password"; });
    form.dataset.sent = "1";
    form.querySelector('button[type="submit"]').setAttribute("aria-disabled", "true");
  });
});

// a page the browser kept can be sent again
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => {
    delete form.dataset.sent;
    form.querySelector('button[type="submit"]').removeAttribute("aria-disabled");
  });
});
