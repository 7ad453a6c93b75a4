// What makes forms nicer, and is never needed: a form is sent once, codes are grouped, a time that runs out is seen to.

for (const form of document.querySelectorAll("form[method=post]:not([data-key])")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    form.setAttribute("aria-busy", "true");
    // A file leaves the page as it is: the form may be sent again, but not by the second half of a double click.
    if ("file" in form.dataset) setTimeout(() => release(form), 2000);
  });
}

function release(form) {
  delete form.dataset.sent;
  form.removeAttribute("aria-busy");
}

// The back button may show the page as it was left.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) release(form);
});

for (const field of document.querySelectorAll("input[data-code]")) {
  field.addEventListener("input", () => {
    if (field.selectionStart !== field.value.length) return;
    const digits = field.value.replace(/\D/g, "");
    field.value = digits.length > 4 ? `${digits.slice(0, 4)} ${digits.slice(4)}` : digits;
  });
}

for (const place of document.querySelectorAll("[data-countdown]")) {
  const end = performance.now() + Number(place.dataset.countdown) * 1000;
  const timer = setInterval(show, 1000);
  function show() {
    const left = Math.max(0, Math.round((end - performance.now()) / 1000));
    place.textContent = ` (${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")})`;
    if (left === 0) {
      clearInterval(timer);
      document.getElementById(place.dataset.over).hidden = false;
    }
  }
  show();
}
