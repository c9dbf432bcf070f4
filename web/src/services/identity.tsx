import { useForm } from "../forms/draft";
import { TextField } from "../forms/fields";
import { slug } from "../forms/slug";

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
        placeholder={slug(values["name"]) ?? slug(example) ?? ""}
        maxLength={64}
        hint="What commands and files call it. It stays; small letters, digits, dots and dashes."
      />
    </>
  );
}
