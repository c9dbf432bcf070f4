import type { Schemas } from "../api/client";
import type { Values } from "../forms/draft";
import { CheckField, type Option, SetField, TextField } from "../forms/fields";
import { CommandForm, Part } from "../forms/form";
import { provider } from "../session";

type Member = Schemas["MemberItem"];

const ROLES: readonly Option[] = [
  ["reader", "Reader: looks"],
  ["operator", "Operator: runs, stops, pauses"],
  ["flow_author", "Flow author: services and flows"],
  ["integration_author", "Integration author: schedules"],
  ["data_director", "Data director: jobs and groups"],
  ["auditor", "Auditor: history and keys"],
  ["administrator", "Administrator: keys and members"],
];

/** Adds a member, or gives one that is there other content, which is to remove and to add them in one go. */
export function MemberForm({ workspace, present }: { workspace: string; present?: Member }) {
  return (
    <CommandForm
      workspace={workspace}
      title={present ? `Change ${present.name}` : "Add a member"}
      begin={present ? contentOf(present) : { roles: [], ...(provider.value && { issuer: provider.value.issuer }) }}
      orders={(values) => [
        ...(present ? [{ command: "RemoveMember", data: { id: present.id }, ifMatch: present.version }] : []),
        { command: "AddMember", data: withoutIssuer(values) },
      ]}
      label={present ? "Change" : "Add"}
      done={present ? `${present.name} was changed, and signs in anew` : "The member was added"}
    >
      {() => (
        <>
          {present && (
            <p class="notice">
              Other roles come with a new sign-in: open sessions end, and keys of {present.name} are revoked.
            </p>
          )}
          <Part title="Who it is">
            {!present && (
              <TextField path="id" label="Id" required maxLength={64} hint="Lower case, as events name them: ada" />
            )}
            <TextField path="name" label="Name" required maxLength={200} />
            <TextField
              path="email"
              label="Mail address"
              type="email"
              maxLength={320}
              hint="Told before what they made expires"
            />
          </Part>
          <Part title="How they sign in">
            <TextField
              path="subject"
              label="Subject"
              maxLength={255}
              code
              wide
              hint="What they are shown when they sign in before they are a member. Empty: with keys only."
            />
            <TextField path="issuer" label="Issuer" type="url" maxLength={500} code wide hint="The identity provider" />
          </Part>
          <Part title="What they may do">
            <SetField path="roles" label="Roles in this workspace" options={ROLES} />
            <CheckField path="read_only" label="Read only" hint="Whatever the roles, they change nothing." />
          </Part>
        </>
      )}
    </CommandForm>
  );
}

function contentOf({ id, name, email, roles, read_only, issuer, subject }: Member): Values {
  const all: Values = { id, name, email, roles, read_only, issuer: issuer ?? provider.value?.issuer, subject };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined));
}

/** An issuer says nothing without a subject. */
function withoutIssuer({ issuer, ...values }: Values): Values {
  return values["subject"] === undefined ? values : { ...values, issuer };
}
