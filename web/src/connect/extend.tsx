import { type Values } from "../forms/draft";
import { CheckField, ChoiceField, NumberField, TextField } from "../forms/fields";
import { CommandForm, openForm, Part } from "../forms/form";
import { inDays } from "./schedule_part";
import { slug } from "../forms/slug";

/** What has a last day: a group or a job. */
export interface Mortal {
  kind: string;
  id: string;
  name: string;
  expires_on: string | null;
}

/** Opens the form that gives it another last day. */
export function extend(workspace: string, of: Mortal): void {
  const owner = { kind: of.kind, id: of.id };
  const fields = (values: Values) => ({
    owner,
    ...(values["how"] === "days" && { extend_by_days: values["days"] ?? 0 }),
    ...(values["how"] === "date" && { expires_on: values["expires_on"] ?? "" }),
    ...(values["how"] === "never" && { expires_on: "never" }),
    ...(of.kind === "group" && { members: values["members"] }),
  });
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title={`When ${of.name} expires`}
      command="SetExpiration"
      begin={{ how: of.expires_on ? "days" : "date", days: 30, expires_on: inDays(30), members: false }}
      fields={fields}
      label="Save"
      done={`${of.name} has another last day`}
    >
      {(draft) => (
        <Part title={of.expires_on ? `Its last day is ${of.expires_on}` : "It never expires"}>
          <ChoiceField
            path="how"
            label="From now on"
            options={[
              ...(of.expires_on ? [["days", "So many days more"] as const] : []),
              ["date", "Until a date"],
              ["never", "It never expires"],
            ]}
          />
          {draft.values["how"] === "days" && (
            <NumberField path="days" label="Extend by" min={1} max={36500} unit="days" required />
          )}
          {draft.values["how"] === "date" && <TextField path="expires_on" label="Last day" type="date" required />}
          {of.kind === "group" && (
            <div class="across">
              <CheckField
                path="members"
                label="Its jobs too"
                hint="Those that would expire before the group expire with it."
              />
            </div>
          )}
        </Part>
      )}
    </CommandForm>
  ));
}

/** Opens the form that copies a group or a job; `edit` opens what was made, as of the position at which it was. */
export function copy(workspace: string, of: Mortal, edit: (id: string, position: number) => void): void {
  const isGroup = of.kind === "group";
  const fields = (values: Values) => ({
    id: of.id,
    name: values["name"] ?? "",
    new_id: values["new_id"] ?? slug(values["name"]),
    ...(values["expires_on"] !== undefined && { expires_on: values["expires_on"] }),
  });
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title={`Copy ${of.name}`}
      command={isGroup ? "CopyGroup" : "CopyJob"}
      begin={{ name: `${of.name} - copy` }}
      fields={fields}
      label="Copy"
      done={`${of.name} is copied`}
      whenDone={({ stream, position }) => edit(stream.slice(stream.indexOf(":") + 1), position)}
    >
      {(draft) => (
        <Part title="The copy, a draft">
          <TextField path="name" label="Name" maxLength={100} required />
          <TextField
            path="new_id"
            label="Id"
            code
            maxLength={64}
            placeholder={slug(draft.values["name"])}
            hint="Stays for ever. Empty: made of the name."
          />
          <TextField
            path="expires_on"
            label="Last day"
            type="date"
            hint={isGroup ? "Empty: 30 days from now." : "Empty: that of the original."}
          />
        </Part>
      )}
    </CommandForm>
  ));
}
