import { type ComponentChildren, Fragment } from "preact";
import { useState } from "preact/hooks";

import { Icon } from "./icons";
import { Pager } from "./pager";

/** How many rows of a short list are shown at first. */
export const FIRST = 50;
const MOST = 1000;

/** How many are shown when more are asked for. */
export function more(than: number): number {
  return Math.min(MOST, than * 2);
}

export interface Column<Row> {
  title: string;
  /** Wide ones take what is left. */
  kind?: "wide" | "number" | "tools";
  cell: (row: Row) => ComponentChildren;
}

/**
 * Rows under titles; where there is little room each row becomes a card that repeats the titles. Roles are said besides
 * the elements, as what is laid out as cards is no table to browsers any more.
 */
export function Table<Row>(props: {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** Where a long list goes on, which is gone through in parts; without it there are none. */
  next?: string | null;
  /** A short list grows instead. */
  more?: (() => void) | undefined;
  /** What is shown below a row that is opened; `called` names it for who does not see the row. */
  detail?: (row: Row) => ComponentChildren;
  called?: (row: Row) => string;
}) {
  const { columns, rows, detail } = props;
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const toggle = (key: string) =>
    setOpened((present) => new Set(present.has(key) ? [...present].filter((one) => one !== key) : [...present, key]));
  return (
    <>
      <table role="table" aria-label={props.label}>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.title} role="columnheader" scope="col" class={column.kind}>
                {column.kind === "tools" ? <span class="unseen">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => {
            const key = props.keyOf(row);
            const isOpen = opened.has(key);
            return (
              <Fragment key={key}>
                <tr role="row" class={isOpen ? "opened" : undefined}>
                  {columns.map((column, place) => (
                    <td key={column.title} role="cell" class={column.kind} data-title={column.title}>
                      {detail && place === 0 ? (
                        <div class="opening">
                          <button
                            type="button"
                            class="quiet square"
                            aria-expanded={isOpen}
                            aria-label={`Details of ${props.called?.(row) ?? key}`}
                            onClick={() => toggle(key)}
                          >
                            <Icon name="open" />
                          </button>
                          {column.cell(row)}
                        </div>
                      ) : (
                        column.cell(row)
                      )}
                    </td>
                  ))}
                </tr>
                {detail && isOpen && (
                  <tr role="row" class="detail">
                    <td role="cell" colSpan={columns.length}>
                      {detail(row)}
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
      {props.next !== undefined && <Pager next={props.next} />}
      {props.more && (
        <p class="more">
          {rows.length < MOST ? (
            <button type="button" onClick={props.more}>
              Show more
            </button>
          ) : (
            "There are more: search for what you look for."
          )}
        </p>
      )}
    </>
  );
}
