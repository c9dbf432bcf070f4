import type { Preview, Schemas } from "../api/client";
import { plain } from "../words";

type Change = Schemas["ChangeShown"];

const MARKS: Record<string, string> = { added: "+", changed: "~", removed: "−" };
const TEXT_CHARS = 200;

/** What commands would add, change and take away, thing by thing. */
export function Diff({ preview }: { preview: Preview }) {
  const changes = preview.diff.filter((one) => one.what !== "changed" || Object.keys(one.fields).length > 0);
  const isOfMany = new Set(changes.map((one) => one.workspace)).size > 1;
  if (changes.length === 0) return <p class="faint">Nothing would change.</p>;
  return (
    <ul class="diff" aria-label="What would change">
      {changes.map((one) => (
        <li key={`${one.workspace}/${one.kind}/${one.id}`} class={one.what}>
          <span class="mark" aria-hidden="true">
            {MARKS[one.what]}
          </span>
          <div>
            <span class="unseen">{one.what}: </span>
            {plain(one.kind)} <code>{one.id}</code>
            {isOfMany && <span class="faint"> in {one.workspace}</span>}
            {one.what === "changed" && <Fields of={one} />}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Fields({ of }: { of: Change }) {
  return (
    <dl>
      {Object.entries(of.fields).map(([name, { before, after }]) => (
        <div key={name}>
          <dt>{plain(name)}</dt>
          <dd>
            <del>{short(before)}</del> → <ins>{short(after)}</ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function short(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > TEXT_CHARS ? `${text.slice(0, TEXT_CHARS)} …` : text;
}
