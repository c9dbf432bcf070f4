import { effect, signal } from "@preact/signals";

export type Theme = "system" | "light" | "dark";

const KEY = "eventjobs-theme";
const stored = localStorage.getItem(KEY);

export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

effect(() => {
  document.documentElement.dataset["theme"] = theme.value;
  localStorage.setItem(KEY, theme.value);
});
