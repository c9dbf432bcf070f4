import { useForm } from "../forms/draft";
import { TextField } from "../forms/fields";

/** The id that a thing gets if nobody chooses one: its name, in the characters that ids are made of. */
export function idOf(name: unknown): string | undefined {
  const plain = String(name ?? "")
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9._]+/g, "-")
    .replace(/^[^a-z0-9]+|-+$/g, "");
  return plain.slice(0, 64) || undefined;
}

/** Name and id of something new; the id follows the name until somebody writes another. */
export function Identity({ example }: { example: string }) {
  const { values } = useForm();
  return (
    <>
      <TextField path="name" label="Name" placeholder={example} maxLength={200} />
      <TextField
        path="id"
        label="Id"
        code
        placeholder={idOf(values["name"]) ?? idOf(example) ?? ""}
        maxLength={64}
        hint="What commands and files call it. It stays; small letters, digits, dots and dashes."
      />
    </>
  );
}
