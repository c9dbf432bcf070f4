import { useEffect, useState } from "preact/hooks";

import { read, type Schemas } from "../api/client";
import { useForm } from "../forms/draft";
import { SetField, TextField } from "../forms/fields";
import { CommandForm, openForm, Part } from "../forms/form";
import { workspaces } from "../session";
import { Changes, Foreseen } from "./forms";

interface Feature {
  id: string;
  name?: string;
}

/** Opens what registers a definition here that this workspace or another one publishes. */
export function openRegister(
  workspace: string,
  own: readonly Schemas["DefinitionItem"][],
  registered: readonly Schemas["IntegrationItem"][],
): void {
  const there = registered.map((one) => one.id);
  openForm(() => (
    <CommandForm
      workspace={workspace}
      title="Register an integration"
      command="RegisterIntegration"
      begin={{ features: [] }}
      label="Register"
      done="Registered"
      foreseen={({ preview }) => preview && <Foreseen preview={preview} />}
    >
      {(_, { preview, problem }) => (
        <>
          <Part title="Which one">
            <TextField
              path="definition"
              label="Definition"
              required
              code
              list={own.map((one) => one.id).filter((id) => !there.includes(id))}
              placeholder="builder/people"
              hint="Its id, or workspace/id where another workspace publishes it."
            />
            <Features workspace={workspace} />
          </Part>
          {!problem && <Changes preview={preview} />}
        </>
      )}
    </CommandForm>
  ));
}

/** The features of the definition that is named, as soon as there is such a one. */
function Features({ workspace }: { workspace: string }) {
  const definition = String(useForm().values["definition"] ?? "");
  const [found, setFound] = useState<readonly Feature[]>([]);
  const [publisher, id] = definition.includes("/")
    ? (definition.split("/", 2) as [string, string])
    : [workspace, definition];
  useEffect(() => {
    const stop = new AbortController();
    setFound([]);
    if (!id || !workspaces.value.includes(publisher)) return;
    const look = async () => {
      const { items } = await read(
        "/v1/{workspace}/definitions",
        { workspace: publisher },
        { limit: 1000 },
        stop.signal,
      );
      if (!items.some((one) => one.id === id)) return;
      const { content } = await read("/v1/{workspace}/definitions/{id}", { workspace: publisher, id }, {}, stop.signal);
      setFound((content["features"] ?? []) as readonly Feature[]);
    };
    look().catch(() => undefined);
    return () => stop.abort();
  }, [publisher, id]);
  if (found.length === 0) return null;
  return (
    <SetField
      path="features"
      label="Features to begin with, in Onboarding"
      options={found.map((one) => [one.id, one.name ?? one.id])}
    />
  );
}
