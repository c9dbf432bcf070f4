import { useState } from "preact/hooks";

import { asProblem, type Problem, type Schemas } from "../api/client";
import { Trouble } from "../parts/basics";
import { provider, refused, signIn, signInElsewhere, signOut, stranger } from "../session";

/** Asks who it is: by the identity provider where there is one, or by a key. */
export function SignIn() {
  return (
    <main class="sign-in">
      <div class="card">
        <img src="./app/icon.svg" alt="" width="44" height="44" />
        {stranger.value ? (
          <Stranger who={stranger.value} />
        ) : (
          <>
            <h1>Sign in to eventjobs</h1>
            {refused.value && <Trouble problem={refused.value} />}
            {provider.value && (
              <>
                <Elsewhere label={`Sign in with ${provider.value.name}`} />
                <p class="or">or with a key</p>
              </>
            )}
            <KeyForm isOnly={provider.value === null} />
          </>
        )}
      </div>
    </main>
  );
}

/** Leaves for the provider. */
function Elsewhere({ label }: { label: string }) {
  const [problem, setProblem] = useState<Problem>();
  const [isLeaving, setLeaving] = useState(false);
  const leave = () => {
    setLeaving(true);
    signInElsewhere()
      .catch((error: unknown) => setProblem(asProblem(error)))
      .finally(() => setLeaving(false));
  };
  return (
    <>
      {problem && <Trouble problem={problem} />}
      <button type="button" class="main" disabled={isLeaving} onClick={leave}>
        {label}
      </button>
    </>
  );
}

/** A key is sent once, and the page keeps nothing of it. */
function KeyForm({ isOnly }: { isOnly: boolean }) {
  const [problem, setProblem] = useState<Problem>();
  const [isAsking, setAsking] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const key = String(new FormData(form).get("key")).trim();
    setAsking(true);
    try {
      await signIn(key);
      refused.value = null;
    } catch (error) {
      setProblem(asProblem(error));
      form.reset();
    } finally {
      setAsking(false);
    }
  };
  return (
    <form onSubmit={submit}>
      <label>
        Your key
        <input
          name="key"
          type="password"
          required
          autocomplete="current-password"
          spellcheck={false}
          placeholder="ej_…"
          autofocus={isOnly}
        />
      </label>
      {problem && <Trouble problem={problem} />}
      <button type="submit" class={isOnly ? "main" : ""} disabled={isAsking}>
        Sign in
      </button>
      <p class="faint">
        The first start of the service printed a key and wrote it to <code>admin.key</code> in its data folder. Whoever
        manages keys makes others with <code>eventjobs keys issue</code>.
      </p>
    </form>
  );
}

/** Tells whom the provider knows, and no workspace does, what to do about it. */
function Stranger({ who }: { who: Schemas["StrangerBody"] }) {
  const [problem, setProblem] = useState<Problem>();
  const leave = () => void signOut().catch((error: unknown) => setProblem(asProblem(error)));
  return (
    <>
      <h1>You are no member yet</h1>
      <p>
        {provider.value?.name ?? "The identity provider"} knows you, but no workspace here does. Give an administrator
        of your workspace these two lines; they add you on its Members page.
      </p>
      <dl class="identity">
        <dt>Issuer</dt>
        <dd>
          <code>{who.issuer}</code>
        </dd>
        <dt>Subject</dt>
        <dd>
          <code>{who.subject}</code>
        </dd>
      </dl>
      {provider.value && <Elsewhere label="I was added: sign in again" />}
      {problem && <Trouble problem={problem} />}
      <button type="button" onClick={leave}>
        Sign out
      </button>
    </>
  );
}
