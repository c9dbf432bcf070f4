import { useRef } from "preact/hooks";

import { say } from "../parts/toast";

const BYTES_MAX = 1_000_000;

/** Chooses a file and hands out its text; the file itself goes nowhere. */
export function FileButton(props: { label: string; accept?: string; whenRead: (text: string, name: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const read = async (file: File | undefined) => {
    if (!file) return;
    if (file.size > BYTES_MAX) return say(`${file.name} is too long: such a file has at most a megabyte.`);
    props.whenRead((await file.text()).replace(/^\ufeff/, ""), file.name);
  };
  return (
    <>
      <input
        ref={input}
        type="file"
        class="unseen"
        tabIndex={-1}
        aria-label={props.label}
        accept={props.accept}
        onChange={({ currentTarget }) => {
          void read(currentTarget.files?.[0]);
          currentTarget.value = "";
        }}
      />
      <button type="button" onClick={() => input.current?.click()}>
        {props.label}
      </button>
    </>
  );
}
