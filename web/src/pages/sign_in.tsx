import { useState } from "preact/hooks";

import { asProblem, type Problem } from "../api/client";
import { Trouble } from "../parts/basics";
import { signIn } from "../session";

/** Asks for a key; it is sent once, and the page keeps nothing of it. */
export function SignIn() {
  const [problem, setProblem] = useState<Problem>();
  const [isAsking, setAsking] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const key = String(new FormData(form).get("key")).trim();
    setAsking(true);
    try {
      await signIn(key);
    } catch (error) {
      setProblem(asProblem(error));
      form.reset();
    } finally {
      setAsking(false);
    }
  };
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <img src="./app/icon.svg" alt="" width="44" height="44" />
        <h1>Sign in to eventjobs</h1>
        <label>
          Your key
          <input
            name="key"
            type="password"
            required
            autocomplete="current-password"
            spellcheck={false}
            placeholder="ej_…"
            autofocus
          />
        </label>
        {problem && <Trouble problem={problem} />}
        <button type="submit" class="main" disabled={isAsking}>
          Sign in
        </button>
        <p class="faint">
          The first start of the service printed a key and wrote it to <code>admin.key</code> in its data folder.
          Whoever manages keys makes others with <code>eventjobs keys issue</code>.
        </p>
      </form>
    </main>
  );
}
