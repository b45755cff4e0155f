// A picture gives way to the running experiment.

for (const button of document.querySelectorAll(".preset button")) {
  button.addEventListener("click", () => {
    const frame = document.createElement("iframe");
    [frame.src, frame.title] = [button.dataset.page, button.title];
    button.parentElement.replaceChildren(frame);
    frame.focus();
  });
}
