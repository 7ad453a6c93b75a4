// A maker's file is read into the form's text field, so that one form does for chosen and for pasted files.

for (const form of document.querySelectorAll("form[data-token-file]")) {
  const choose = form.querySelector("[data-choose]");
  const file = form.querySelector("input[type=file]");
  choose.hidden = false;
  const read = async () => {
    if (!file.files.length) return;
    const text = await file.files[0].text();
    form.elements.content.value = text;
    form.elements.kind.value = text.trimStart().startsWith("<") ? "pskc" : "csv";
  };
  file.addEventListener("change", read);
  if (!form.elements.content.value) read(); // a page that is operated by a program has its file before this ran
}
