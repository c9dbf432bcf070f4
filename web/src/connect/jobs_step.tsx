import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Schemas } from "../api/client";
import { type Draft, useField } from "../forms/draft";
import { ofKinds, useView } from "../live/view";
import { Loading, Tag, Trouble } from "../parts/basics";
import { Icon } from "../parts/icons";
import { FIRST, more } from "../parts/table";
import { count, plain } from "../words";
import { useDragging } from "./dragging";

type Candidate = Schemas["CandidateItem"];

/** A job of the group as it is filled in. */
export interface Chosen {
  job: string;
  required: boolean;
}

const CANDIDATES = "/v1/{workspace}/group-candidates";
const CONCERNS = ofKinds("job", "group", "groups");
const TYPING_MS = 250;

const REASONS: Readonly<Record<string, string>> = {
  draft: "it is a draft: activate it first",
  inactive: "it is not active",
  scheduled: "it has a schedule of its own: set it to on demand",
  partner: "jobs of partners run by themselves",
  not_import: "only imports can be in a group",
  in_other_group: "it is in another group",
  expired: "it has expired",
  missing: "it is not there any more",
};

/** Says why a job cannot be in a group. */
export function reasonText(reason: string): string {
  return REASONS[reason] ?? plain(reason);
}

interface JobsStepProps {
  draft: Draft;
  workspace: string;
  group: string | undefined;
  /** What jobs are called, as far as it is known. */
  names: Map<string, string>;
}

/** Which jobs are in the group, and in which order: jobs on one side, the group on the other, and a way from one to the other. */
export function JobsStep({ draft, workspace, group, names }: JobsStepProps) {
  const field = useField<readonly Chosen[]>("jobs", { label: "Jobs" });
  const chosen = field.value ?? [];
  const [said, setSaid] = useState("");
  const list = useRef<HTMLOListElement>(null);
  const keepFocus = useRef<HTMLElement | null>(null);
  const nameOf = (id: string) => names.get(id) || id;

  const put = (next: readonly Chosen[], what: string) => {
    keepFocus.current = document.activeElement as HTMLElement;
    draft.set("jobs", next);
    setSaid(what);
  };
  useLayoutEffect(() => {
    const kept = keepFocus.current;
    keepFocus.current = null;
    if (!kept || kept === document.activeElement) return;
    if (kept.isConnected) kept.focus();
    else list.current?.focus();
  }, [chosen]);

  const moveTo = (id: string, place: number) => {
    const present = chosen.find((one) => one.job === id) ?? { job: id, required: true };
    const others = chosen.filter((one) => one.job !== id);
    const next = [...others.slice(0, place), present, ...others.slice(place)];
    put(next, `${nameOf(id)} is job ${place + 1} of ${next.length}.`);
  };
  const remove = (id: string) => {
    const others = chosen.filter((one) => one.job !== id);
    put(others, `${nameOf(id)} is out of the group. ${count(others.length, "job")} left.`);
  };
  const { carried, grab } = useDragging(list, moveTo);
  const others = chosen.filter((one) => one.job !== carried?.id);
  const isAtEnd = carried !== undefined && carried.place === others.length;

  return (
    <div class="choosing">
      <Offered
        workspace={workspace}
        group={group}
        chosen={chosen}
        names={names}
        grab={grab}
        add={(id) => moveTo(id, chosen.length)}
      />
      <section class="pane" aria-labelledby="in-group">
        <h3 id="in-group">
          In the group, in this order <span class="count">{chosen.length}</span>
        </h3>
        {field.fault && <p class="error">{field.fault}</p>}
        <ol
          id={field.id}
          ref={list}
          class={`chosen ${carried ? "open" : ""} ${isAtEnd ? "drop-after" : ""}`}
          tabIndex={-1}
          aria-labelledby="in-group"
        >
          {chosen.map((one, place) => (
            <Member
              key={one.job}
              one={one}
              place={place}
              of={chosen.length}
              name={nameOf(one.job)}
              isCarried={carried?.id === one.job}
              dropsBefore={carried?.place != null && others[carried.place]?.job === one.job}
              grab={grab(one.job, nameOf(one.job))}
              move={(to) => moveTo(one.job, to)}
              remove={() => remove(one.job)}
              require={(required) => draft.set(`jobs.${place}.required`, required)}
            />
          ))}
          {chosen.length === 0 && <li class="empty">Drag jobs here, or press Add. A group has at least two.</li>}
        </ol>
        <p class="faint">
          They run one after another, and the first that fails ends the run, unless it is not required. Alt with the
          arrow keys moves a job up and down.
        </p>
      </section>
      {carried && (
        <div class="in-hand" aria-hidden="true" style={{ transform: `translate(${carried.x}px, ${carried.y}px)` }}>
          {carried.name}
        </div>
      )}
      <p class="unseen" role="status" aria-live="assertive">
        {said}
      </p>
    </div>
  );
}

interface MemberProps {
  one: Chosen;
  place: number;
  of: number;
  name: string;
  isCarried: boolean;
  dropsBefore: boolean;
  grab: (event: PointerEvent) => void;
  move: (to: number) => void;
  remove: () => void;
  require: (required: boolean) => void;
}

function Member(props: MemberProps) {
  const { one, place, of, name } = props;
  const { id, fault } = useField<Chosen>(`jobs.${place}`, { label: name, deep: true });
  const step = (by: number) => place + by >= 0 && place + by < of && props.move(place + by);
  const keys = (event: KeyboardEvent) => {
    const by = event.altKey && { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(by);
  };
  const marks = [props.isCarried && "carried", props.dropsBefore && "drop-before", fault && "wrong"];
  return (
    <li
      id={id}
      tabIndex={-1}
      data-id={one.job}
      class={["member", ...marks].filter(Boolean).join(" ")}
      onPointerDown={props.grab}
      onKeyDown={keys}
    >
      <span class="grip" aria-hidden="true">
        <Icon name="grip" />
      </span>
      <span class="place-number" aria-hidden="true">
        {place + 1}
      </span>
      <span class="member-name">
        <strong>{name}</strong>
        {name !== one.job && <code>{one.job}</code>}
        {fault && <span class="error">{fault}</span>}
      </span>
      <label class="member-required" title="After the failure of one that is not required the group goes on">
        <input
          type="checkbox"
          checked={one.required}
          aria-label={`${name} is required`}
          onChange={(event) => props.require(event.currentTarget.checked)}
        />
        required
      </label>
      <span class="member-moves">
        <MoveButton label={`Move ${name} up`} icon="up" isOff={place === 0} press={() => step(-1)} />
        <MoveButton label={`Move ${name} down`} icon="down" isOff={place === of - 1} press={() => step(1)} />
        <MoveButton label={`Take ${name} out`} icon="cross" isOff={false} press={props.remove} />
      </span>
    </li>
  );
}

function MoveButton(props: { label: string; icon: "up" | "down" | "cross"; isOff: boolean; press: () => void }) {
  return (
    <button
      type="button"
      class="quiet square"
      aria-label={props.label}
      title={props.label}
      aria-disabled={props.isOff}
      onClick={() => props.isOff || props.press()}
    >
      <Icon name={props.icon} />
    </button>
  );
}

interface OfferedProps {
  workspace: string;
  group: string | undefined;
  chosen: readonly Chosen[];
  names: Map<string, string>;
  grab: (id: string, name: string) => (event: PointerEvent) => void;
  add: (id: string) => void;
}

/** The jobs that there are, those that cannot be in the group with the reason. */
function Offered(props: OfferedProps) {
  const { workspace, group, chosen, names } = props;
  const [text, setText] = useState("");
  const [wanted, setWanted] = useState("");
  const [qualified, setQualified] = useState(false);
  const [limit, setLimit] = useState(FIRST);
  useEffect(() => {
    const timer = setTimeout(() => setWanted(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => setLimit(FIRST), [wanted, qualified]);
  const query = { group, q: wanted, qualified: qualified || undefined, limit };
  const { data, problem, reload } = useView(CANDIDATES, { workspace }, query, CONCERNS);
  for (const job of data?.items ?? []) names.set(job.id, job.name);
  const free = data?.items.filter((job) => !chosen.some((one) => one.job === job.id));
  const offered = free?.sort((one, other) => Number(other.qualified) - Number(one.qualified));

  return (
    <section class="pane" aria-labelledby="offered">
      <h3 id="offered">Jobs</h3>
      <div class="pane-tools">
        <label class="search">
          <Icon name="search" />
          <span class="unseen">Search jobs to choose from</span>
          <input
            type="search"
            value={text}
            placeholder="Search jobs"
            maxLength={100}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
          />
        </label>
        <label class="only">
          <input type="checkbox" checked={qualified} onChange={(event) => setQualified(event.currentTarget.checked)} />
          Only those that can be chosen
        </label>
      </div>
      {problem && <Trouble problem={problem} again={reload} />}
      {!offered && !problem && <Loading />}
      {offered && (
        <ul class="offered" aria-labelledby="offered" tabIndex={0}>
          {offered.map((job) => (
            <Offer key={job.id} job={job} grab={props.grab(job.id, job.name)} add={() => props.add(job.id)} />
          ))}
          {offered.length === 0 && <li class="empty">{wanted ? "No other job matches." : "There is no other job."}</li>}
        </ul>
      )}
      {data?.next != null && (
        <button type="button" class="quiet" onClick={() => setLimit(more(limit))}>
          Show more
        </button>
      )}
    </section>
  );
}

function Offer({ job, grab, add }: { job: Candidate; grab: (event: PointerEvent) => void; add: () => void }) {
  return (
    <li class={job.qualified ? "offer" : "offer off"} onPointerDown={job.qualified ? grab : undefined}>
      {job.qualified && (
        <span class="grip" aria-hidden="true">
          <Icon name="grip" />
        </span>
      )}
      <span class="member-name">
        <strong>{job.name || job.id}</strong>
        <span class="member-marks">
          <code>{job.id}</code>
          {job.kind !== "import" && <Tag>{job.kind}</Tag>}
        </span>
        {!job.qualified && (
          <small>
            Cannot be chosen: {job.reasons.map(reasonText).join("; ")}
            {job.group && job.reasons.includes("in_other_group") && `, ${job.group}`}.
          </small>
        )}
      </span>
      {job.qualified && (
        <button type="button" aria-label={`Add ${job.name || job.id}`} onClick={add}>
          Add
        </button>
      )}
    </li>
  );
}
