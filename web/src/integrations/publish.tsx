import { useEffect } from "preact/hooks";

import { asProblem, type Fault, type Order, type Problem, planned } from "../api/client";
import { useForm, type Values } from "../forms/draft";
import { SetField, TextArea } from "../forms/fields";
import { FileButton } from "../forms/file_button";
import { CommandForm, openForm, Part } from "../forms/form";
import { Changes, Foreseen } from "./forms";

const PATH = "/v1/{workspace}/plans/definition";
const TYPING_MS = 400;

interface Content {
  id: string;
  features?: readonly { id: string; name?: string }[];
}

/** Opens what publishes a definition from a file, and brings the workspace's own registration to it. */
export function openPublish(workspace: string, registered: readonly string[], id?: string): void {
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title={id === undefined ? "Publish a definition" : `Publish the next version of ${id}`}
      begin={{}}
      orders={(values) => ordersOf(values, registered)}
      lacks={({ content, unread }) => {
        if (content) return [];
        return [{ path: "text", detail: String(unread ?? "Choose a file, or write the definition.") }];
      }}
      label="Publish"
      done="Published"
      foreseen={({ preview }) => preview && <Foreseen preview={preview} />}
    >
      {({ values }, { preview, problem }) => (
        <>
          <Reading workspace={workspace} />
          {values["content"] !== undefined && (
            <Features content={values["content"] as Content} registered={registered} />
          )}
          <Wrong problem={problem} lines={(values["lines"] ?? {}) as Record<string, number>} />
          {values["content"] !== undefined && !problem && <Changes preview={preview} />}
        </>
      )}
    </CommandForm>
  ));
}

function ordersOf({ content, features }: Values, registered: readonly string[]): readonly Order[] {
  if (content === undefined) return [];
  const { id } = content as Content;
  const publish = { command: "PublishDefinition", data: content };
  if (registered.includes(id)) return [publish, { command: "SyncRegistration", data: { id } }];
  const chosen = (features ?? []) as readonly string[];
  return chosen.length === 0
    ? [publish]
    : [publish, { command: "RegisterIntegration", data: { definition: id, features: chosen } }];
}

/** The file, or what is written instead; it is read by the service, which knows YAML. */
function Reading({ workspace }: { workspace: string }) {
  const form = useForm();
  const text = form.values["text"] as string | undefined;
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      if (!text) return form.change({ content: undefined, lines: undefined, unread: undefined });
      try {
        const { content, lines } = await planned(PATH, workspace, { text }, stop.signal);
        form.change({ content, lines, unread: undefined });
      } catch (error) {
        if (stop.signal.aborted) return;
        form.change({ content: undefined, lines: undefined, unread: detailOf(asProblem(error)) });
        form.touch("text");
      }
    }, TYPING_MS);
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [text]);
  return (
    <Part title="The definition">
      <p class="across">
        <FileButton
          label="Choose a file …"
          accept=".yaml,.yml,.json"
          whenRead={(read) => form.change({ text: read })}
        />
      </p>
      <TextArea path="text" label="YAML or JSON" code wide rows={14} maxLength={200_000} />
    </Part>
  );
}

function detailOf({ message, errors }: Problem): string {
  return errors[0]?.detail ?? message;
}

function Features({ content, registered }: { content: Content; registered: readonly string[] }) {
  if (registered.includes(content.id)) {
    return <p class="faint">This workspace has it registered, and is synced in the same step.</p>;
  }
  return (
    <Part title="Register it here">
      <SetField
        path="features"
        label="With these features in Onboarding"
        hint="With none it is only published: other workspaces can register it."
        options={(content.features ?? []).map((one) => [one.id, one.name ?? one.id])}
      />
    </Part>
  );
}

/** What the service says is wrong, each with its line. */
function Wrong({ problem, lines }: { problem: Problem | undefined; lines: Record<string, number> }) {
  const errors = (problem?.errors ?? []).filter((one) => one.path !== "text");
  if (errors.length === 0) return null;
  return (
    <Part title="What is wrong with it">
      <ul class="across">
        {errors.map((one) => (
          <li key={`${one.path}${one.detail}`} class="error">
            {place(one, lines)}
            {one.detail}
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** Says where in the text a wrong field stands, or what holds it. */
function place({ path }: Fault, lines: Record<string, number>): string {
  const inside = path.replace(/^definition\./, "");
  for (let at = inside; at; at = at.slice(0, Math.max(0, at.lastIndexOf(".")))) {
    if (lines[at] !== undefined) return `Line ${lines[at]}, ${inside}: `;
  }
  return inside && `${inside}: `;
}
