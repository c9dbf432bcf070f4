import { ChoiceField, OWN_ZONE, TextField, ZoneField } from "../forms/fields";
import { CommandForm, openForm, Part } from "../forms/form";
import { go, to } from "../router";
import { hasRole, lookAround, me } from "../session";

const EVERYWHERE = "*";

/** Says why who is signed in may not make workspaces. */
export function noWorkspaces(): string | undefined {
  const isAllowed = hasRole("administrator") && me.value?.workspaces.includes(EVERYWHERE) && !me.value.read_only;
  return isAllowed ? undefined : "only administrators of the whole service make workspaces";
}

/** Opens what makes a workspace, and goes there when it is made. */
export function openWorkspaceForm(): void {
  let made = "";
  openForm(() => (
    <CommandForm
      workspace={EVERYWHERE}
      title="Make a workspace"
      begin={{ time_zone: OWN_ZONE, kind: "automation" }}
      command="CreateWorkspace"
      fields={(values) => {
        made = String(values["id"] ?? "");
        return values;
      }}
      label="Make the workspace"
      done="Made"
      whenDone={async ({ position }) => {
        await lookAround(position);
        go(to(made, "jobs"));
      }}
    >
      {() => (
        <Part title="The workspace" hint="Everything belongs to one workspace: schedules, jobs, groups, runs and keys.">
          <TextField
            path="id"
            label="Id"
            required
            code
            maxLength={40}
            placeholder="acme"
            hint="It stays, and stands in every address; small letters, digits, dots and dashes."
          />
          <ZoneField path="time_zone" label="Time zone" hint="Of what names no other." />
          <ChoiceField
            path="kind"
            label="For"
            options={[
              ["automation", "Own automation"],
              ["integration", "Publishing integrations"],
              ["customer", "A customer"],
              ["development", "Development"],
            ]}
            hint="Only what is built in a customer's workspace is told as drift; otherwise it changes nothing."
          />
        </Part>
      )}
    </CommandForm>
  ));
}
