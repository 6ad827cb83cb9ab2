addEventListener("load", () => {
  document.title = "Started";
});
